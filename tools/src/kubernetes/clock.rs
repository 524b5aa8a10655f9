//! Times as on-call people tell them: how long ago, and how long before or after the incident began.

use jiff::Timestamp;

use crate::Look;

/// The time of a look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    now: Timestamp,
    start: Option<Timestamp>,
}

impl Clock {
    /// The look's time.
    pub(crate) const fn of(look: &Look) -> Self {
        Self { now: look.now, start: look.incident_start }
    }

    /// As `3m ago`, with the distance to the incident's start, as `3m ago (T-90s)`.
    pub(crate) fn when(self, at: Timestamp) -> String {
        let ago = self.ago(at);
        match self.start {
            Some(start) if at < start => format!("{ago} (T-{})", length(seconds(at, start))),
            Some(start) => format!("{ago} (T+{})", length(seconds(start, at))),
            None => ago,
        }
    }

    /// As `3m ago`.
    pub(crate) fn ago(self, at: Timestamp) -> String {
        if at > self.now {
            return format!("in {}", length(seconds(self.now, at)));
        }
        format!("{} ago", length(seconds(at, self.now)))
    }

    /// As `3m`.
    pub(crate) fn age(self, at: Timestamp) -> String {
        length(seconds(at, self.now))
    }

    /// What T means, where there is an incident.
    pub(crate) fn legend(self) -> Option<String> {
        self.start.map(|start| format!("(now {:.0}, T is the start of the incident, {start:.0})", self.now))
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).max(0)
}

/// A length of time in the two units that matter.
pub(crate) fn length(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |big: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{small_unit}"),
    };
    match seconds {
        i64::MIN..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..86_400 => two(hours, "h", minutes % 60, "m"),
        86_400..864_000 => two(days, "d", hours % 24, "h"),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_told_in_the_units_that_matter() {
        let told = [0, 119, 120, 599, 3_600, 11_000, 90_000, 5_000_000].map(length);
        assert_eq!(told, ["0s", "119s", "2m", "9m59s", "60m", "3h3m", "1d1h", "57d"]);
    }

    #[test]
    fn a_time_is_told_from_now_and_from_the_start_of_the_incident() {
        let now: Timestamp = "2026-01-02T03:10:00Z".parse().unwrap();
        let clock = Clock { now, start: Some("2026-01-02T03:05:00Z".parse().unwrap()) };
        assert_eq!(clock.when("2026-01-02T03:00:00Z".parse().unwrap()), "10m ago (T-5m)");
        assert_eq!(clock.when("2026-01-02T03:06:00Z".parse().unwrap()), "4m ago (T+60s)");
        assert_eq!(Clock { now, start: None }.when("2026-01-02T03:12:00Z".parse().unwrap()), "in 2m");
    }
}
