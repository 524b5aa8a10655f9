//! What the runner holds as firing.

use async_trait::async_trait;
use marple_core::Signal;

/// What the runner holds could not be read. Trying again helps: its store is busy or away.
#[derive(Debug, thiserror::Error)]
#[error("what the runner holds: {source}")]
pub struct KnownError {
    /// Why it failed.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// What the runner holds as firing from the forwarder. It is asked at start, so that a condition goes on under the
/// start that it had, and one that ended while the forwarder was down is resolved.
#[async_trait]
pub trait Known: Send + Sync {
    /// Each signal of source `forwarder` whose last state is firing.
    async fn firing(&self) -> Result<Vec<Signal>, KnownError>;
}
