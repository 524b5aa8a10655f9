//! Why a message did not get through.

use std::time::Duration;

/// Why a message did not get through. The variant says whether trying again helps; the text says what failed and, where
/// a person must act, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// The receiver was not reached, or was not ready. Trying again helps.
    #[error("{reason}")]
    Retry {
        /// What failed.
        reason: String,
        /// How long the receiver asks to be left alone: nothing is sent to it before, whichever incident it is about.
        after: Option<Duration>,
        /// Whether the message may have got through all the same, its answer lost.
        maybe_sent: bool,
    },
    /// The receiver's credentials or settings are refused. Nothing gets through to it until a person mends that;
    /// trying again, not too often, finds out when it is mended.
    #[error("{reason}; {fix}")]
    Settings {
        /// What was refused.
        reason: String,
        /// What to do.
        fix: String,
    },
    /// This message is refused and would be again.
    #[error("{reason}")]
    Permanent {
        /// What was refused.
        reason: String,
    },
}

impl SinkError {
    /// Not reached: nothing was sent.
    pub(crate) fn not_sent(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), after: None, maybe_sent: false }
    }

    /// Sent, but not answered.
    pub(crate) fn unanswered(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), after: None, maybe_sent: true }
    }

    /// Whether the message may have got through all the same.
    pub const fn maybe_sent(&self) -> bool {
        matches!(self, Self::Retry { maybe_sent: true, .. })
    }

    /// One word for metrics.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Retry { after: Some(_), .. } => "rate_limited",
            Self::Retry { .. } => "retry",
            Self::Settings { .. } => "settings",
            Self::Permanent { .. } => "permanent",
        }
    }
}
