//! The topology, in the store.

use std::sync::Arc;

use async_trait::async_trait;
use marple_core::ObjectRef;
use marple_tools::topology::{Remembered, Topology, TopologyError};

use crate::store::{self, Store};

/// The topology of one cluster.
struct StoredTopology {
    topology: Arc<dyn store::Topology>,
    /// The cluster's name.
    cluster: String,
}

/// The topology of the cluster of this name.
pub(super) fn topology(store: &Arc<dyn Store>, cluster: &str) -> Arc<dyn Topology> {
    Arc::new(StoredTopology { topology: store.clone(), cluster: cluster.to_owned() })
}

#[async_trait]
impl Topology for StoredTopology {
    async fn remembered(&self, object: &ObjectRef) -> Result<Option<Remembered>, TopologyError> {
        self.topology.remembered(&self.cluster, object).await.map_err(|error| TopologyError(error.into()))
    }
}
