//! Why work on an incident stopped.

use marple_tools::EvidenceError;

use crate::store::StoreError;

/// Why work on an incident stopped. What was kept before stays; the step is taken again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The store failed; [`StoreError::is_transient`] says whether trying again helps.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Evidence could not be kept or read. Trying again helps.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}
