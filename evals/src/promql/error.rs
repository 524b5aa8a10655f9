//! Why a query has no answer.

/// A query has no answer. Asking it again gives the same.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueryError {
    /// It can't be read, or asks for something that is not supported.
    #[error("{0}")]
    BadData(String),
    /// Its evaluation failed on these series.
    #[error("{0}")]
    Execution(String),
    /// Its evaluation takes too long.
    #[error("query timed out in expression evaluation")]
    Timeout,
}

impl QueryError {
    /// Something of the language that is not evaluated over a recording.
    pub(super) fn unsupported(what: &str) -> Self {
        Self::BadData(format!("{what} is not supported over a recorded incident"))
    }

    /// It reads more than a query may.
    pub(super) fn too_many_samples() -> Self {
        Self::Execution("query processing would load too many samples into memory in query execution".to_owned())
    }

    /// Two elements of one result have the same labels.
    pub(super) fn same_labels() -> Self {
        Self::Execution("vector cannot contain metrics with the same labelset".to_owned())
    }
}
