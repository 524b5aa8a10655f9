//! Asking a person.

use async_trait::async_trait;
use serde_json::Value;

use crate::{Effect, Preview};

/// A call that a person is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Who wants to make it: an investigation, or a person in chat.
    pub actor: String,
    /// The tool.
    pub tool: String,
    /// Its arguments, as they will be sent: a person must see all of what is approved.
    pub arguments: Value,
    /// What it may change.
    pub effect: Effect,
    /// What would differ afterwards, redacted; absent where the tool can't tell.
    pub preview: Option<Preview>,
}

/// What the person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval {
    /// This call may be made, once.
    Approved {
        /// Who said so.
        by: String,
    },
    /// It may not.
    Denied {
        /// Who said so.
        by: String,
        /// Why, where it was told.
        why: Option<String>,
    },
}

/// Nobody could be asked, or nobody answered in time. Asking again may help.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ApproveError(pub String);

/// Asks a person before a call is made.
#[async_trait]
pub trait Approve: Send + Sync {
    /// Waits for the person's word. It is dropped when the investigation is cancelled or the toolbox's patience ends.
    async fn approve(&self, request: &Request) -> Result<Approval, ApproveError>;
}
