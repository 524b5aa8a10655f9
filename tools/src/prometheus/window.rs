//! Stretches of time, and steps that people can count with.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::Window;

/// The most points of a series that are asked for: more tells a reader nothing.
const POINTS: u64 = 60;

/// Steps in seconds, each fit for a clock.
const STEPS: [u64; 16] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200];

impl Window {
    /// From one time to a later one in at most 60 steps.
    pub(super) fn between(start: Timestamp, end: Timestamp) -> Self {
        let seconds = u64::try_from(end.as_second() - start.as_second()).unwrap_or_default();
        let step = STEPS.into_iter().find(|step| seconds.div_ceil(*step) <= POINTS);
        let step = step.unwrap_or_else(|| seconds.div_ceil(POINTS).next_multiple_of(7_200));
        Self { start, end, step: Duration::from_secs(step) }
    }

    /// The same from the step before its start on: its points fall on times that people count with.
    pub(super) fn aligned(self) -> Self {
        let step = i64::try_from(self.step.as_millis()).unwrap_or(1).max(1);
        let start = self.start.as_millisecond();
        let start = Timestamp::from_millisecond(start - start.rem_euclid(step)).unwrap_or(self.start);
        Self { start, ..self }
    }

    /// How long it is.
    pub(super) fn length(&self) -> Duration {
        let seconds = self.end.as_second() - self.start.as_second();
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }

    /// A time in it, as short as it stays clear.
    pub(super) fn told(&self, at: Timestamp) -> String {
        let day = Duration::from_hours(20);
        let format = match (self.length() > day, self.step.as_secs().is_multiple_of(60)) {
            (true, _) => "%m-%dT%H:%M",
            (false, true) => "%H:%M",
            (false, false) => "%H:%M:%S",
        };
        at.to_zoned(TimeZone::UTC).strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_at_most_sixty_steps() {
        let start: Timestamp = "2026-01-02T03:00:00Z".parse().unwrap();
        for (minutes, step) in
            [(0, 1), (1, 1), (10, 10), (30, 30), (40, 60), (60, 60), (1_440, 1_800), (43_200, 43_200)]
        {
            let window = Window::between(start, start + Duration::from_mins(minutes));
            assert_eq!(window.step.as_secs(), step, "{minutes} minutes");
        }
    }

    #[test]
    fn times_are_told_as_exactly_as_the_step_is() {
        let start: Timestamp = "2026-01-02T03:00:05Z".parse().unwrap();
        let told = |minutes: u64| Window::between(start, start + Duration::from_mins(minutes)).told(start);
        assert_eq!([told(10), told(60), told(3_000)], ["03:00:05", "03:00", "01-02T03:00"]);
    }
}
