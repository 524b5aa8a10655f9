//! The audit log of tool calls, in the store.

use std::sync::Arc;

use async_trait::async_trait;
use marple_tools::gate::{Audit, AuditEntry, AuditError};

use crate::store::{AuditRecord, Upkeep};

/// Keeps each entry in the store.
pub(super) struct StoredAudit(pub(super) Arc<dyn Upkeep>);

#[async_trait]
impl Audit for StoredAudit {
    async fn record(&self, entry: AuditEntry) -> Result<(), AuditError> {
        let record = AuditRecord {
            at: entry.at,
            actor: entry.actor.clone(),
            action: entry.tool.clone(),
            detail: serde_json::to_value(&entry).map_err(|error| AuditError(error.into()))?,
        };
        self.0.audit(&record).await.map_err(|error| AuditError(error.into()))
    }
}
