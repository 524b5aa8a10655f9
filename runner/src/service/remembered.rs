//! The topology, in the store.

use std::sync::Arc;

use async_trait::async_trait;
use marple_core::ObjectRef;
use marple_tools::topology::{Remembered, Topology, TopologyError};

use crate::store;

/// The topology of one cluster.
pub(super) struct StoredTopology {
    pub(super) topology: Arc<dyn store::Topology>,
    /// The cluster's name.
    pub(super) cluster: String,
}

#[async_trait]
impl Topology for StoredTopology {
    async fn remembered(&self, object: &ObjectRef) -> Result<Option<Remembered>, TopologyError> {
        self.topology.remembered(&self.cluster, object).await.map_err(|error| TopologyError(error.into()))
    }
}
