//! When to ask again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// The first wait; each further one is twice as long, give or take.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait by ourselves.
const LONGEST: Duration = Duration::from_secs(20);
/// The longest wait that a server may ask for: with more, an investigation of minutes comes to nothing.
const LONGEST_ASKED: Duration = Duration::from_mins(1);

/// The waits between the attempts of one request.
pub(super) struct Waits {
    own: ExponentialBackoff,
}

impl Waits {
    /// So many waits.
    pub(super) fn of(retries: u32) -> Self {
        let own = ExponentialBuilder::default()
            .with_min_delay(FIRST)
            .with_max_delay(LONGEST)
            .with_max_times(usize::try_from(retries).unwrap_or(usize::MAX))
            .with_jitter()
            .build();
        Self { own }
    }

    /// The next wait, or nothing when there is no further attempt. What the server asks for goes before our own.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let own = self.own.next()?;
        match asked {
            Some(asked) if asked > LONGEST_ASKED => None,
            Some(asked) => Some(asked),
            None => Some(own),
        }
    }
}

/// Reads `Retry-After`: seconds, with or without a fraction, or a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = value.strip_suffix("GMT").map_or_else(|| value.to_owned(), |date| format!("{date}+0000"));
    let at = rfc2822::parse(&date).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_seconds_and_dates() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        for (value, seconds) in [
            ("0", Some(0.0)),
            ("7", Some(7.0)),
            (" 1.5 ", Some(1.5)),
            ("Fri, 02 Jan 2026 03:04:25 GMT", Some(20.0)),
            ("Fri, 02 Jan 2026 03:00:00 GMT", Some(0.0)),
            ("soon", None),
            ("-3", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs_f64), "{value}");
        }
    }

    #[test]
    fn a_server_is_obeyed_up_to_a_minute_and_attempts_end() {
        let mut waits = Waits::of(2);
        assert_eq!(waits.next(Some(Duration::ZERO)), Some(Duration::ZERO));
        let own = waits.next(None).unwrap();
        assert!(own >= FIRST * 2 && own <= FIRST * 4, "{own:?}");
        assert_eq!(waits.next(None), None);
        assert_eq!(Waits::of(2).next(Some(Duration::from_secs(61))), None);
    }
}
