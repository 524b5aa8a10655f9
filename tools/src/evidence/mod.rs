//! The evidence of one incident: kept whole, named `e1`, `e2`, …

mod chunk;
mod json;
mod lines;
mod matches;
mod memory;
mod read;
mod search;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Evidence, EvidenceId, EvidenceOrigin, Extent, ObjectRef};

use crate::{Tool, ToolError};

pub use chunk::{CHUNK, ChunkExtent, Chunker, extent};
pub use lines::{chunks, lines};
pub use memory::MemoryEvidence;

/// The level of compression (zstd's): a higher one takes twice the time for a tenth of the room.
pub const LEVEL: i32 = 3;

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
    /// The whole text, redacted. Of a text that was written by an [`EvidenceWriter`], what stands behind that.
    pub content: String,
    /// The bounded view, where it isn't the whole text.
    pub view: Option<String>,
}

/// What is known of a piece of evidence beside its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceHead {
    /// Its name within the incident.
    pub id: EvidenceId,
    /// What was looked at, in one line for people.
    pub title: String,
    /// The object that it shows, where it is one.
    pub object: Option<ObjectRef>,
    /// How long its text is, in bytes.
    pub size: u64,
    /// The bounded view that the model was given, where it isn't the whole text.
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

impl From<EvidenceError> for ToolError {
    fn from(error: EvidenceError) -> Self {
        Self::Backend(error.to_string())
    }
}

/// The evidence of one incident.
#[async_trait]
pub trait EvidenceLog: Send + Sync {
    /// Keeps it and gives it a name. The same origin, title and content again gives the earlier name. A text of many MiB
    /// for which there is no room is kept as far as there is, and says at its end how much is not.
    async fn keep(&self, draft: EvidenceDraft) -> Result<EvidenceId, EvidenceError>;

    /// Begins a text that is too long to be held.
    fn begin(&self) -> Box<dyn EvidenceWriter>;

    /// What is known of each piece, in the order in which they were kept.
    async fn heads(&self) -> Result<Vec<EvidenceHead>, EvidenceError>;

    /// One piece, of a long one the beginning; nothing where no such was kept.
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

    /// How much is in each chunk of a piece's text; nothing where no such was kept.
    async fn layout(&self, id: EvidenceId) -> Result<Option<Vec<ChunkExtent>>, EvidenceError>;

    /// One chunk of a piece's text, numbered from 0.
    async fn chunk(&self, id: EvidenceId, number: usize) -> Result<String, EvidenceError>;
}

/// Writes a text that is too long to be held. What was written is let go of with the writer, unless it has finished.
#[async_trait]
pub trait EvidenceWriter: Send + Sync {
    /// Adds redacted text to a part. Parts stand in the order of their numbers, whenever they are written; each is written
    /// by one at a time. False says that there is no room: this and all that is added to the part from now on is not kept,
    /// but counted.
    async fn append(&self, part: u32, text: &str) -> Result<bool, EvidenceError>;

    /// Makes what was written a piece of evidence, as [`EvidenceLog::keep`] does; gives how much its text has.
    async fn finish(&self, draft: EvidenceDraft) -> Result<(EvidenceId, Extent), EvidenceError>;
}

/// What stands at the end of a text of which not all could be kept.
pub fn not_kept(left_out: Extent, why: &str) -> String {
    format!("… {left_out} more are not kept: {why} …\n")
}

#[cfg(test)]
mod tests;
