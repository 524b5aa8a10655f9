//! What is handed on.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Links, ObjectRef};
use serde::{Deserialize, Serialize};

use crate::config::Namespaces;
use crate::deliver::DeliverError;

/// What is to be kept together. One that is empty says that all that was told before still holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The cluster's name.
    pub cluster: String,
    /// Objects, each once.
    #[serde(default)]
    pub entries: Vec<Entry>,
    /// Kinds that were listed in full, after these objects.
    #[serde(default)]
    pub listed: Vec<Listed>,
}

/// Tells a listing from the others of its kind, for good: the microseconds at which it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Listing(pub i64);

/// An object that was seen, or that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The object.
    pub object: ObjectRef,
    /// The last listing of its kind.
    pub listing: Listing,
    /// What it hangs together with; absent where it is gone and that was told before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// When it was seen to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
}

/// A kind was listed in full: what has another listing is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// The kind.
    pub kind: String,
    /// The namespace that was listed; empty for all of the cluster.
    #[serde(default)]
    pub namespace: String,
    /// The namespaces that count: others may be another forwarder's.
    #[serde(default)]
    pub namespaces: Namespaces,
    /// Which listing.
    pub listing: Listing,
    /// When it was complete.
    pub at: Timestamp,
}

impl Listed {
    /// Whether an object of its kind in this namespace would have been in the list; empty for one of the cluster.
    pub fn covers(&self, namespace: &str) -> bool {
        (self.namespace.is_empty() || self.namespace == namespace)
            && (namespace.is_empty() || self.namespaces.count(namespace))
    }
}

/// Where the topology is kept: in the same process, or at a runner apart.
#[async_trait]
pub trait Atlas: Send + Sync {
    /// Keeps a batch; `Ok` when all of it is stored for good. Batches come in order; one that comes twice changes nothing.
    async fn chart(&self, batch: Batch) -> Result<(), DeliverError>;
}
