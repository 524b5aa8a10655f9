//! Why a log store gave no answer.

use crate::ToolError;
use crate::endpoint::EndpointError;

/// Why a log store gave no answer, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum LogStoreError {
    /// It was not reached or failed; the error says whether a retry can help.
    #[error(transparent)]
    Backend(#[from] EndpointError),
    /// The configuration can't be used.
    #[error("logs: {0}")]
    Configuration(String),
    /// The question can't be put to this store, or it refuses it: another one is wanted.
    #[error("{0}")]
    Query(String),
}

impl From<LogStoreError> for ToolError {
    fn from(error: LogStoreError) -> Self {
        match error {
            LogStoreError::Backend(error) => error.into(),
            LogStoreError::Configuration(_) => Self::Backend(error.to_string()),
            LogStoreError::Query(text) => Self::Arguments(text),
        }
    }
}
