//! What the runner holds as firing.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Fingerprint, Signal};
use serde::{Deserialize, Serialize};

/// What the runner holds could not be read. Trying again helps: its store is busy or away.
#[derive(Debug, thiserror::Error)]
#[error("what the runner holds: {source}")]
pub struct KnownError {
    /// Why it failed.
    pub source: Box<dyn std::error::Error + Send + Sync>,
    /// Whether the runner was reached and can't say it, so that waiting for it is of no use.
    pub answered: bool,
}

impl KnownError {
    /// One of a runner that is away, busy or behind: what it holds can be asked for later.
    pub fn away(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: source.into(), answered: false }
    }
}

/// When a condition was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telling {
    /// The condition.
    pub fingerprint: Fingerprint,
    /// When it was told.
    pub told_at: Timestamp,
    /// When it ended; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// What the runner holds from the forwarder. It is asked at start, so that a condition goes on under the start that it
/// had, one that ended while the forwarder was down is resolved, and one that comes back is told no oftener than its rate
/// limit allows.
#[async_trait]
pub trait Known: Send + Sync {
    /// Each signal of source `forwarder` whose last state is firing.
    async fn firing(&self) -> Result<Vec<Signal>, KnownError>;

    /// When each condition was told that holds, or has ended after `since`.
    async fn told(&self, since: Timestamp) -> Result<Vec<Telling>, KnownError>;
}
