//! What hangs together with what, as it was last told: it is known of an object that is gone, too.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Links, ObjectRef, Tie};
use serde::Serialize;

/// An object as it was last told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remembered {
    /// The object.
    pub object: ObjectRef,
    /// Since when it is gone, where it is.
    pub gone_at: Option<Timestamp>,
    /// What it hangs together with.
    pub links: Links,
    /// What controls it, the nearest first.
    pub owners: Vec<ObjectRef>,
    /// What hangs on it.
    pub dependents: Vec<Dependent>,
    /// What selects it or its pods: Services, budgets and policies.
    pub selected_by: Vec<ObjectRef>,
}

/// An object that hangs on another, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependent {
    /// The object.
    pub object: ObjectRef,
    /// How.
    pub tie: Tie,
    /// Since when it is gone, where it is.
    pub gone_at: Option<Timestamp>,
}

/// The topology could not be read. Trying again helps: its store is busy or away.
#[derive(Debug, thiserror::Error)]
#[error("what was known of the object can't be read: {0}")]
pub struct TopologyError(pub Box<dyn std::error::Error + Send + Sync>);

/// Where the topology of a cluster is kept.
#[async_trait]
pub trait Topology: Send + Sync {
    /// An object as it was last told of; nothing of one that never was, or has long been gone.
    async fn remembered(&self, object: &ObjectRef) -> Result<Option<Remembered>, TopologyError>;
}
