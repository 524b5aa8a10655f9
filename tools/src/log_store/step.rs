//! The stretches of time that lines are counted in.

use std::time::Duration;

use jiff::Timestamp;

/// The most stretches that a search is told in.
const MOST: u64 = 30;

/// Seconds, each fit for a clock.
const STEPS: [u64; 16] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400];

/// How long each is, for at most 30 of them.
pub(super) fn of(from: Timestamp, to: Timestamp) -> Duration {
    let seconds = u64::try_from(to.as_second() - from.as_second()).unwrap_or_default();
    let step = STEPS.into_iter().find(|step| seconds.div_ceil(*step) <= MOST);
    Duration::from_secs(step.unwrap_or_else(|| seconds.div_ceil(MOST).next_multiple_of(86_400)))
}

/// The start of the stretch that a time lies in, so that stretches begin where clocks show it.
pub(super) fn aligned(at: Timestamp, step: Duration) -> Timestamp {
    let step = i64::try_from(step.as_secs()).unwrap_or(1).max(1);
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(step)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_told_in_at_most_30_stretches_that_begin_on_the_clock() {
        let from: Timestamp = "2026-01-02T02:44:17.5Z".parse().unwrap();
        for (minutes, step, start) in [
            (0, 1, "2026-01-02T02:44:17Z"),
            (5, 10, "2026-01-02T02:44:10Z"),
            (25, 60, "2026-01-02T02:44:00Z"),
            (60, 120, "2026-01-02T02:44:00Z"),
            (1_440, 3_600, "2026-01-02T02:00:00Z"),
            (100_000, 259_200, "2026-01-01T00:00:00Z"),
        ] {
            let step_of = of(from, from + Duration::from_mins(minutes));
            assert_eq!(
                (step_of.as_secs(), aligned(from, step_of).to_string().as_str()),
                (step, start),
                "{minutes} minutes"
            );
        }
    }
}
