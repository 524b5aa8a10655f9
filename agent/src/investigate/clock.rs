//! The time of an investigation: that of its look, and from there on as time passes.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Runs from a given time, which may be that of a recorded incident.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    from: Timestamp,
    started: Instant,
}

impl Clock {
    pub(super) fn from(from: Timestamp) -> Self {
        Self { from, started: Instant::now() }
    }

    pub(super) fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::MAX);
        self.from.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }
}
