//! The time that an investigation has worked.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Event;

/// Counts from event to event; what lies between a saved state and its resumption isn't counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Clock {
    spent: Duration,
    last: Timestamp,
}

impl Clock {
    pub(super) fn begin(at: Timestamp) -> Self {
        Self { spent: Duration::ZERO, last: at }
    }

    pub(super) fn hear(&mut self, event: &Event) {
        match event {
            Event::Resumed { at } => self.last = *at,
            Event::ModelAnswered { at, .. }
            | Event::ModelFailed { at, .. }
            | Event::ToolsAnswered { at, .. }
            | Event::Checked { at, .. }
            | Event::AnswerChecked { at, .. }
            | Event::Tick { at } => {
                // A clock that is set back adds nothing.
                let passed = Duration::try_from(at.duration_since(self.last)).unwrap_or(Duration::ZERO);
                self.spent = self.spent.saturating_add(passed);
                self.last = *at;
            }
            Event::Cancelled => {}
        }
    }

    pub(super) fn spent(&self) -> Duration {
        self.spent
    }
}
