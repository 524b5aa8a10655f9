//! The audit log, retention and health.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::Size;
use serde::Serialize;
use serde_json::Value;

use super::StoreError;

/// Something that somebody, or the agent, did or looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Who, as `agent`, `api` or a person's name.
    pub actor: String,
    /// What, as a tool's name or `outbox resend`.
    pub action: String,
    /// The rest: redacted arguments, decision, outcome.
    pub detail: Value,
}

/// How much retention deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Retired {
    /// Incidents, with all that hangs on them.
    pub incidents: u64,
    /// Signals.
    pub signals: u64,
    /// Records of the audit log, quarantined entries and questions to people.
    pub records: u64,
}

/// Care of the store itself.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Records an act.
    async fn audit(&self, record: &AuditRecord) -> Result<(), StoreError>;

    /// The latest records.
    async fn audit_records(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError>;

    /// Deletes what ended before a time: resolved and merged incidents with all that hangs on them, the signals that
    /// nothing open rests on, and old records. Works in bounded batches, so that intake goes on, and gives the space back.
    async fn retention(&self, before: Timestamp) -> Result<Retired, StoreError>;

    /// From now on all evidence has at most so much room, compressed: for more, what is least cited is let go of.
    fn bound_evidence(&self, most: Size);

    /// Writes and commits a mark: whether the store can be written.
    async fn writable(&self) -> Result<(), StoreError>;
}
