//! Ages as the API server writes them in tables.

use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// How long before `now` something was, as `3m20s` (`HumanDuration` of k8s.io/apimachinery/pkg/util/duration).
pub(super) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    let two = |unit: i64, name: &str, part: i64, part_name: &str| match (seconds % unit) / part {
        0 => format!("{}{name}", seconds / unit),
        rest => format!("{}{name}{rest}{part_name}", seconds / unit),
    };
    match seconds {
        i64::MIN..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if seconds < 10 * MINUTE => two(MINUTE, "m", 1, "s"),
        _ if seconds < 3 * HOUR => format!("{}m", seconds / MINUTE),
        _ if seconds < 8 * HOUR => two(HOUR, "h", MINUTE, "m"),
        _ if seconds < 2 * DAY => format!("{}h", seconds / HOUR),
        _ if seconds < 8 * DAY => two(DAY, "d", HOUR, "h"),
        _ if seconds < 2 * YEAR => format!("{}d", seconds / DAY),
        _ if seconds < 8 * YEAR => two(YEAR, "y", DAY, "d"),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_written_as_the_api_server_writes_it() {
        let now = Timestamp::from_second(10_000_000_000).unwrap();
        let told = |seconds: i64| age(Timestamp::from_second(10_000_000_000 - seconds).unwrap(), now);
        let of = [-9, 0, 119, 120, 599, 7_200, 3 * HOUR, 8 * HOUR - 1, 47 * HOUR, 3 * DAY + HOUR, 8 * DAY, 3 * YEAR];
        assert_eq!(
            of.map(told),
            ["<invalid>", "0s", "119s", "2m", "9m59s", "120m", "3h", "7h59m", "47h", "3d1h", "8d", "3y"]
        );
    }
}
