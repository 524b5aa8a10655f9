//! The record of what was asked for and done.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::EvidenceId;
use serde::Serialize;
use serde_json::Value;

use super::Decision;
use crate::{CallStatus, Effect};

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "progress")]
pub enum Progress {
    /// About to be made: written first for each call that does more than look, which is not made without it.
    Begun,
    /// It came to its end, or was never made because it was refused.
    Ended {
        /// How.
        status: CallStatus,
        /// The evidence that it left or showed.
        evidence: Option<EvidenceId>,
    },
}

/// One line of the record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: an investigation, or a person in chat.
    pub actor: String,
    /// The tool.
    pub tool: String,
    /// Its arguments, redacted.
    pub arguments: Value,
    /// What it may change.
    pub effect: Effect,
    /// What the gate decided.
    pub decision: Decision,
    /// The person who approved it, where one was asked.
    pub approved_by: Option<String>,
    /// How far it has come.
    #[serde(flatten)]
    pub progress: Progress,
}

/// An entry could not be written. Trying again may help.
#[derive(Debug, thiserror::Error)]
#[error("the audit log can't be written: {0}")]
pub struct AuditError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Keeps the record.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Writes one entry; when it returns, the entry is kept.
    async fn record(&self, entry: AuditEntry) -> Result<(), AuditError>;
}
