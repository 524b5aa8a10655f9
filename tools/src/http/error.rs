//! Why a page was not got.

use std::time::Duration;

use crate::ToolError;

/// Why a page was not got, with what to do. A retry can help for `Unreachable` and `Timeout` alone.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The configuration can't be used.
    #[error("http: {0}")]
    Configuration(String),
    /// The address can't be used.
    #[error("{0}")]
    Url(String),
    /// The configuration doesn't let it through.
    #[error("{0}")]
    Denied(String),
    /// No connection, or it broke.
    #[error("{place} can't be reached: {why}")]
    Unreachable {
        /// Where the request went, without its query.
        place: String,
        /// What the network said.
        why: String,
    },
    /// No answer in time.
    #[error("{place} gave no answer in {} s", after.as_secs_f64())]
    Timeout {
        /// Where the request went, without its query.
        place: String,
        /// How long it was waited for.
        after: Duration,
    },
}

impl From<HttpError> for ToolError {
    fn from(error: HttpError) -> Self {
        let text = error.to_string();
        match error {
            HttpError::Url(_) | HttpError::Denied(_) => Self::Arguments(text),
            HttpError::Configuration(_) | HttpError::Unreachable { .. } | HttpError::Timeout { .. } => {
                Self::Backend(text)
            }
        }
    }
}
