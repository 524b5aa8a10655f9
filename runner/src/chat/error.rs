//! Why a question is not answered.

use marple_core::IncidentId;
use marple_tools::EvidenceError;

use super::answer::AT_ONCE;
use super::event::{Failure, FailureKind};
use crate::store::StoreError;

/// A question can't be taken, or not be answered. Trying again helps where it says so.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// Others are being answered.
    #[error("{AT_ONCE} questions are being answered already; ask again in a minute")]
    Busy,
    /// There is no such incident.
    #[error("there is no incident {0}")]
    NoIncident(IncidentId),
    /// There is no such model.
    #[error("there is no model {name:?}; the models are {known}")]
    NoModel {
        /// The name.
        name: String,
        /// The models that there are.
        known: String,
    },
    /// The model gave no answer, and the rules know none. Asking again later may help.
    #[error("the language model failed: {why}")]
    Model {
        /// What failed, and what to do.
        why: String,
        /// Whether its server is asked too much.
        limited: bool,
    },
    /// It was ended before it was answered.
    #[error("marple is shutting down, or its configuration has changed: ask again in a moment")]
    Ended,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was seen could not be kept.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl From<&ChatError> for Failure {
    fn from(error: &ChatError) -> Self {
        let kind = match error {
            ChatError::Busy | ChatError::Model { limited: true, .. } => FailureKind::Limited,
            ChatError::Ended => FailureKind::Ended,
            _ => FailureKind::Fault,
        };
        Self { why: error.to_string(), kind }
    }
}
