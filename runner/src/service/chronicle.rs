//! The change history, in the store.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_tools::history::{ChangeLog, ChangeLogError, Found, Window};

use crate::store::Changes;

/// The changes of one cluster.
pub(super) struct StoredChanges {
    pub(super) changes: Arc<dyn Changes>,
    /// The cluster's name.
    pub(super) cluster: String,
}

#[async_trait]
impl ChangeLog for StoredChanges {
    async fn changes(&self, window: &Window) -> Result<Found, ChangeLogError> {
        self.changes.changes(&self.cluster, window).await.map_err(|error| ChangeLogError(error.into()))
    }

    async fn since(&self) -> Result<Option<Timestamp>, ChangeLogError> {
        self.changes.changes_since(&self.cluster).await.map_err(|error| ChangeLogError(error.into()))
    }
}
