//! Why a payload can't be used.

/// Why a payload as a whole can't be used. The same payload again has the same fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PayloadFault {
    /// Where the fault is, as a JSON pointer; empty for the whole.
    pub pointer: String,
    /// What is wrong, and what is wanted.
    pub reason: String,
}

impl PayloadFault {
    pub(super) fn at(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), reason: reason.into() }
    }

    /// At a path as serde tells it.
    pub(super) fn at_path(path: &serde_path_to_error::Path, reason: String) -> Self {
        let path = path.to_string().replace(']', "").replace(['.', '['], "/");
        Self { pointer: if path.is_empty() { path } else { format!("/{path}") }, reason }
    }

    /// Of a text that is no JSON.
    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        Self::at("", format!("the body is no JSON: {error}"))
    }
}
