//! What hangs together with what.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Labels, Links, ObjectRef};
use marple_forwarder::{Sequence, topology};
use marple_tools::topology::{Dependent, Remembered};

use super::StoreError;

/// An object as it was last told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The object.
    pub object: ObjectRef,
    /// What it hangs together with.
    pub links: Links,
    /// Since when it is gone, where it is.
    pub gone_at: Option<Timestamp>,
}

/// A step of a chain of owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The object.
    pub object: ObjectRef,
    /// What controls it, with its API group and version as `apps/v1`.
    pub owner: Option<(String, ObjectRef)>,
    /// The node that it runs on.
    pub node: Option<String>,
}

/// The most of what hangs on an object that is remembered with it.
const DEPENDENTS: u32 = 500;

/// The topology of clusters, each kept apart by its name. Each look-up is one indexed read.
#[async_trait]
pub trait Topology: Send + Sync {
    /// Keeps a batch whole; when it returns it survives a crash and the loss of power. Refused at once where too much
    /// waits. A delivery with a number is dropped where that or a later one of its stream was taken in. Objects beyond
    /// the bound are passed over and counted.
    async fn chart(
        &self,
        sequence: Option<Sequence>,
        batch: &topology::Batch,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// When a cluster's forwarder was last heard; nothing where it never was.
    async fn charted_at(&self, cluster: &str) -> Result<Option<Timestamp>, StoreError>;

    /// The chain of owners of each of these, as far as it is known: the object itself first, at most nine long. Empty for
    /// one that isn't known.
    async fn chains(&self, cluster: &str, objects: &[ObjectRef]) -> Result<Vec<Vec<Step>>, StoreError>;

    /// An object as it was last told of.
    async fn placed(&self, cluster: &str, object: &ObjectRef) -> Result<Option<Placed>, StoreError>;

    /// What hangs on an object: what it owns, what runs on it, needs or scales it; at most so many, those that are there
    /// first.
    async fn dependents(&self, cluster: &str, object: &ObjectRef, most: u32) -> Result<Vec<Dependent>, StoreError>;

    /// What of a namespace selects pods with these labels, and is there: Services, budgets and policies.
    async fn selecting(&self, cluster: &str, namespace: &str, labels: &Labels) -> Result<Vec<ObjectRef>, StoreError>;

    /// An object with all that is known around it; nothing of one that isn't known.
    async fn remembered(&self, cluster: &str, object: &ObjectRef) -> Result<Option<Remembered>, StoreError> {
        let Some(Placed { object, links, gone_at }) = self.placed(cluster, object).await? else { return Ok(None) };
        let chains = self.chains(cluster, std::slice::from_ref(&object)).await?;
        let owners = chains.into_iter().flatten().filter_map(|step| step.owner).map(|(_, owner)| owner).collect();
        let dependents = self.dependents(cluster, &object, DEPENDENTS).await?;
        let selected_by = match &object.namespace {
            Some(namespace) if !links.labels.is_empty() => self.selecting(cluster, namespace, &links.labels).await?,
            _ => vec![],
        };
        Ok(Some(Remembered { object, gone_at, links, owners, dependents, selected_by }))
    }

    /// Forgets what is gone since before a time, and clusters of which nothing was heard since. Gives how many objects, and
    /// works in bounded batches.
    async fn retire_topology(&self, before: Timestamp) -> Result<u64, StoreError>;
}
