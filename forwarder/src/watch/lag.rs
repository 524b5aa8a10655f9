//! How late a watch sees what was written.

use std::time::Duration;

use jiff::Timestamp;

/// When the newest was written that a watch has seen.
#[derive(Debug, Default)]
pub(super) struct Newest(Option<Timestamp>);

impl Newest {
    /// How long ago an object was written that is seen now. Nothing of one that was written before another that was seen: it is
    /// shown for another reason than that writing; nor where the API server's clock is ahead.
    pub(super) fn lag(&mut self, written: Timestamp, now: Timestamp) -> Option<Duration> {
        if self.0.is_some_and(|newest| written < newest) {
            return None;
        }
        self.0 = Some(written);
        Duration::try_from(now.duration_since(written)).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn it_is_of_what_was_just_written_and_of_nothing_that_is_only_shown_again() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let seconds = |seconds: u64| Some(Duration::from_secs(seconds));
        let mut newest = Newest::default();
        assert_eq!(newest.lag(at(10), at(12)), seconds(2));
        assert_eq!(newest.lag(at(10), at(13)), seconds(3));
        assert_eq!(newest.lag(at(9), at(900)), None, "it was written before");
        assert_eq!(newest.lag(at(500), at(900)), seconds(400), "late is late");
        assert_eq!(newest.lag(at(901), at(900)), None, "a clock that is ahead");
    }
}
