//! The part of a bundle that tells of traces.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A trace that went through the recorded services, from whichever store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedTrace {
    /// Its id, in hexadecimal digits.
    pub id: String,
    /// Its spans, oldest first.
    pub spans: Vec<RecordedSpan>,
}

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedSpan {
    /// Its id within the trace.
    pub id: String,
    /// The span that called for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Who did it.
    pub service: String,
    /// What it is, as `GET /cart`.
    pub name: String,
    /// When it began.
    pub start: Timestamp,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// Why it failed, where it did; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl RecordedTrace {
    /// When it began.
    pub fn start(&self) -> Option<Timestamp> {
        self.spans.iter().map(|span| span.start).min()
    }
}
