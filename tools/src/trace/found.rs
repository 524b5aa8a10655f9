//! What is looked for, and what is found, whatever the store.

use std::time::Duration;

use jiff::Timestamp;

/// Traces to look for, in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// The service that a span is of.
    pub service: Option<String>,
    /// The span's name.
    pub operation: Option<String>,
    /// Whether a span failed.
    pub failed: bool,
    /// How long a span took at least.
    pub slower_than: Option<Duration>,
    /// None before.
    pub from: Timestamp,
    /// None after.
    pub to: Timestamp,
    /// So many.
    pub limit: usize,
}

/// A trace that was found, whole where the store gives it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// What began it, as `cart GET /cart`.
    pub root: String,
    /// When it began.
    pub start: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// All of it.
    pub trace: Option<Trace>,
}

/// A trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its id.
    pub id: String,
    /// Its spans, in any order.
    pub spans: Vec<Span>,
}

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its id within the trace.
    pub id: String,
    /// The span that called for it.
    pub parent: Option<String>,
    /// Who did it.
    pub service: String,
    /// What it is, as `GET /cart`.
    pub name: String,
    /// When it began.
    pub start: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// Why it failed, where it did; may be empty.
    pub failure: Option<String>,
}
