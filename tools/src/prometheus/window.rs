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

    /// The same from where the last point is its end, as the newest value is what matters most, with at most 60 points.
    pub(super) fn aligned(self) -> Self {
        let step = i64::try_from(self.step.as_millis()).unwrap_or(1).max(1);
        let (start, end) = (self.start.as_millisecond(), self.end.as_millisecond());
        let first = start - (start - end).rem_euclid(step);
        // With both ends, 60 steps have 61 points: the oldest is the one to spare.
        let most = step.saturating_mul(i64::try_from(POINTS).unwrap_or(i64::MAX) - 1);
        let first = if end - first > most && end - first <= most + step { first + step } else { first };
        Self { start: Timestamp::from_millisecond(first).unwrap_or(self.start), ..self }
    }

    /// How far back each point must look for all of them together to miss nothing that was scraped each minute, as
    /// a range of `PromQL`: what came and went between two points would not be seen else.
    pub(super) fn between_points(&self) -> String {
        format!("{}s", self.step.as_secs().max(90))
    }

    /// How long it is.
    pub(super) fn length(&self) -> Duration {
        let seconds = self.end.as_second() - self.start.as_second();
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }

    /// A time in it, as short as it stays clear.
    pub(super) fn told(&self, at: Timestamp) -> String {
        let day = Duration::from_hours(20);
        let minutes = self.step.as_secs().is_multiple_of(60) && self.start.as_second().rem_euclid(60) == 0;
        let format = match (self.length() > day, minutes) {
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
    fn a_window_has_at_most_60_steps() {
        let start: Timestamp = "2026-01-02T03:00:00Z".parse().unwrap();
        for (minutes, step) in
            [(0, 1), (1, 1), (10, 10), (31, 60), (40, 60), (60, 60), (1_440, 1_800), (43_200, 43_200)]
        {
            let window = Window::between(start, start + Duration::from_mins(minutes));
            assert_eq!(window.step.as_secs(), step, "{minutes} minutes");
        }
    }

    #[test]
    fn the_last_point_is_the_end() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let window = Window::between(at("2026-01-02T03:00:07.250Z"), at("2026-01-02T03:40:00.500Z")).aligned();
        assert_eq!((window.start, window.end), (at("2026-01-02T03:00:00.500Z"), at("2026-01-02T03:40:00.500Z")));
    }

    #[test]
    fn a_series_has_at_most_60_points() {
        let start: Timestamp = "2026-01-02T03:00:00Z".parse().unwrap();
        for minutes in [1, 7, 10, 20, 40, 59, 60, 61, 119, 120, 600, 1_440, 43_200, 50_000] {
            let window = Window::between(start, start + Duration::from_mins(minutes)).aligned();
            let points = window.length().as_secs() / window.step.as_secs() + 1;
            assert!(points <= 60, "{points} points in {minutes} minutes");
        }
        let hour = Window::between(start, start + Duration::from_hours(1)).aligned();
        assert_eq!((hour.start, hour.step), (start + Duration::from_mins(1), Duration::from_mins(1)));
    }

    #[test]
    fn times_are_told_as_exactly_as_the_points_are() {
        let told = |start: &str, minutes: u64| {
            let start: Timestamp = start.parse().unwrap();
            Window::between(start, start + Duration::from_mins(minutes)).told(start)
        };
        assert_eq!(told("2026-01-02T03:00:05Z", 10), "03:00:05");
        assert_eq!(told("2026-01-02T03:00:05Z", 60), "03:00:05");
        assert_eq!(told("2026-01-02T03:00:00Z", 60), "03:00");
        assert_eq!(told("2026-01-02T03:00:05Z", 3_000), "01-02T03:00");
    }
}
