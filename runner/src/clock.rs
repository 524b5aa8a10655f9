//! The present, or the time at which a recorded incident is looked at.

use jiff::{SignedDuration, Timestamp};

/// Tells the time. A clock that was set to the past goes on from there: a recorded incident is worked on as if it were
/// happening now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    offset: SignedDuration,
}

impl Clock {
    /// The clock of this machine.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that shows this time now.
    pub fn set_to(time: Timestamp) -> Self {
        Self { offset: time.duration_since(Timestamp::now()) }
    }

    /// What it shows.
    pub fn now(self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.offset).unwrap_or(now)
    }
}
