//! What a call came to.

use marple_core::{EvidenceId, Unseen};
use serde::{Deserialize, Serialize};

use crate::ToolError;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// It gave evidence, and the text shows all of it.
    Ok,
    /// It gave evidence, and the text shows a part of it, says how much there is and how to read the rest.
    Truncated,
    /// It gave none; the text says why and what to try.
    Failed,
    /// The gate refused it, or the person who was asked.
    Refused,
    /// Cancelled or out of time.
    Cancelled,
}

impl CallStatus {
    /// In one word, for metrics and spans.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Truncated => "truncated",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it gave evidence.
    pub const fn gave(self) -> bool {
        matches!(self, Self::Ok | Self::Truncated)
    }
}

/// What a call came to. Every call has exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOutcome {
    /// How it ended.
    pub status: CallStatus,
    /// The evidence that it left, or that it showed where it reads one that is kept already.
    pub evidence: Option<EvidenceId>,
    /// One line for people.
    pub title: String,
    /// What the model is told: redacted, bounded, without control characters, headed by the evidence's id.
    pub text: String,
    /// Whether it gave evidence, and that is that there is nothing.
    #[serde(default)]
    pub empty: bool,
    /// Set where the credentials did not allow the look or a backend was away: it belongs under `unseen`.
    pub unseen: Option<Unseen>,
}

impl CallOutcome {
    /// A call that gave nothing, and why.
    pub(super) fn nothing(status: CallStatus, tool: &str, text: impl Into<String>) -> Self {
        Self { status, evidence: None, title: tool.to_owned(), text: text.into(), empty: false, unseen: None }
    }

    /// A call that failed, with `text` its error as it may be shown.
    pub(super) fn failed(tool: &str, error: &ToolError, text: String) -> Self {
        let unseen = match error {
            ToolError::Forbidden(_) | ToolError::Backend(_) => {
                Some(Unseen { what: tool.to_owned(), why: text.clone() })
            }
            ToolError::Arguments(_) | ToolError::NotFound(_) => None,
        };
        Self { unseen, ..Self::nothing(CallStatus::Failed, tool, text) }
    }
}
