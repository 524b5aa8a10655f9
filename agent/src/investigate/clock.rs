//! The time of an investigation: that of its look, and from there on as time passes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Runs from a given time, which may be that of a recorded incident. It stands still while people are waited for.
#[derive(Debug)]
pub(super) struct Clock {
    from: Timestamp,
    started: Instant,
    /// How long it stood, in milliseconds.
    stood: AtomicU64,
}

impl Clock {
    pub(super) fn from(from: Timestamp) -> Self {
        Self { from, started: Instant::now(), stood: AtomicU64::new(0) }
    }

    pub(super) fn now(&self) -> Timestamp {
        let stood = Duration::from_millis(self.stood.load(Ordering::Relaxed));
        let passed = SignedDuration::try_from(self.started.elapsed().saturating_sub(stood));
        self.from.saturating_add(passed.unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
    }

    /// Leaves out the time that just passed.
    pub(super) fn leave_out(&self, time: Duration) {
        self.stood.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
