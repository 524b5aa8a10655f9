//! The evidence of one incident: kept whole, named `e1`, `e2`, …

mod json;
mod memory;
mod read;
mod search;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Evidence, EvidenceId, EvidenceOrigin, ObjectRef};

use crate::Tool;

pub use memory::MemoryEvidence;

/// The tools that read what is kept already.
pub fn tools(evidence: Arc<dyn EvidenceLog>) -> Vec<Arc<dyn Tool>> {
    vec![Arc::new(read::Read::new(Arc::clone(&evidence))), Arc::new(search::Search::new(evidence))]
}

/// Evidence that has no name yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceDraft {
    /// Who looked.
    pub origin: EvidenceOrigin,
    /// What was looked at, in one line for people.
    pub title: String,
    /// The object that it shows, where it is one.
    pub object: Option<ObjectRef>,
    /// When it was read.
    pub taken_at: Timestamp,
    /// The whole text, redacted.
    pub content: String,
    /// The bounded view, where it isn't the whole text.
    pub view: Option<String>,
}

/// Evidence could not be kept or read. Trying again helps, unless there is no room: the store is busy or away.
#[derive(Debug, thiserror::Error)]
#[error("evidence {doing}: {source}")]
pub struct EvidenceError {
    /// What was being done.
    pub doing: &'static str,
    /// Why it failed.
    pub source: Box<dyn std::error::Error + Send + Sync>,
    /// Whether the incident has all the evidence that it may have.
    pub full: bool,
}

/// The evidence of one incident.
#[async_trait]
pub trait EvidenceLog: Send + Sync {
    /// Keeps it and gives it a name. The same origin, title and content again gives the earlier name.
    async fn keep(&self, draft: EvidenceDraft) -> Result<EvidenceId, EvidenceError>;

    /// One piece, or nothing where no such was kept.
    async fn get(&self, id: EvidenceId) -> Result<Option<Evidence>, EvidenceError>;

    /// Adds to a piece what it looks like, as SVG; nobody is shown it where that isn't kept. A piece has one drawing: the
    /// first stays.
    async fn draw(&self, _id: EvidenceId, _svg: String) -> Result<(), EvidenceError> {
        Ok(())
    }

    /// What a piece looks like, where that was kept.
    async fn drawing(&self, _id: EvidenceId) -> Result<Option<String>, EvidenceError> {
        Ok(None)
    }

    /// All of it, in the order in which it was kept.
    async fn all(&self) -> Result<Vec<Evidence>, EvidenceError>;
}

#[cfg(test)]
mod tests;
