//! Why a trace store gave no answer.

use crate::ToolError;
use crate::endpoint::EndpointError;

/// Why a trace store gave no answer, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum TraceStoreError {
    /// It was not reached or failed; the error says whether a retry can help.
    #[error(transparent)]
    Backend(#[from] EndpointError),
    /// The question can't be put to this store, or it refuses it: another one is wanted.
    #[error("{0}")]
    Question(String),
    /// There is no such trace.
    #[error("{0}")]
    NotFound(String),
}

impl From<TraceStoreError> for ToolError {
    fn from(error: TraceStoreError) -> Self {
        match error {
            TraceStoreError::Backend(error) => error.into(),
            TraceStoreError::Question(text) => Self::Arguments(text),
            TraceStoreError::NotFound(text) => Self::NotFound(text),
        }
    }
}
