//! Tells what objects belong to from what a forwarder told, and asks only for the rest.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use marple_core::{ObjectRef, Tie};
use marple_tools::history::Window;

use super::cluster_owners::ALONE;
use super::{Dependency, Known, Owners, Related, SharedChange};
use crate::clock::Clock;
use crate::store::{Changes, Step, StoreError, Topology};

/// How long after its last word what a forwarder told is believed: six of its beats.
const STALE: SignedDuration = SignedDuration::from_mins(3);

/// How long the store is waited for: a look-up takes less than a millisecond, and asking the cluster is the other way.
const DEADLINE: Duration = Duration::from_millis(500);

/// What is made by a release and has conditions of its own.
const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"];

/// The most of what a release made that is looked at.
const MADE: u32 = 200;

/// The most changes that are looked at, and of how many objects; the latest first.
const CHANGES: usize = 500;
const CHANGED: usize = 50;

/// The most of what needs an object that is looked at.
const NEEDING: u32 = 500;

/// Tells what objects belong to from the topology of one cluster. What that doesn't have, or all while its forwarder is not
/// heard, is asked of another. An object that is gone is known for a day.
pub struct KnownOwners {
    topology: Arc<dyn Topology>,
    cluster: String,
    asked: Arc<dyn Owners>,
    history: Option<Arc<dyn Changes>>,
    clock: Clock,
}

/// What the topology tells of an object.
enum Told {
    /// All.
    Whole(Related),
    /// All up to an owner that it doesn't have: as it is asked for, and as it is called.
    UpTo { related: Related, ask: ObjectRef },
    /// Nothing.
    Nothing,
}

impl KnownOwners {
    /// Over the topology of the cluster of this name, and whom to ask for the rest.
    pub fn new(topology: Arc<dyn Topology>, cluster: impl Into<String>, asked: Arc<dyn Owners>, clock: Clock) -> Self {
        Self { topology, cluster: cluster.into(), asked, history: None, clock }
    }

    /// The same, with the history of what changed.
    #[must_use]
    pub fn with_history(self, history: Arc<dyn Changes>) -> Self {
        Self { history: Some(history), ..self }
    }

    /// What any of these needs that was changed, each with all that need it.
    async fn changed(&self, objects: &[ObjectRef], since: Timestamp) -> Result<Vec<SharedChange>, StoreError> {
        let Some(history) = &self.history else { return Ok(vec![]) };
        let namespaces: BTreeSet<String> = objects.iter().filter_map(|object| object.namespace.clone()).collect();
        let window =
            Window { namespaces: namespaces.into_iter().collect(), since, until: self.clock.now(), limit: CHANGES };
        // Of several changes of an object the last one, which the window has first.
        let mut found: Vec<SharedChange> = vec![];
        for change in history.changes(&self.cluster, &window).await?.changes.iter().filter_map(SharedChange::of) {
            if found.len() < CHANGED && !found.iter().any(|one| one.object == change.object) {
                found.push(change);
            }
        }
        for change in &mut found {
            let dependents = self.topology.dependents(&self.cluster, &change.object, NEEDING).await?;
            let needing = dependents.into_iter().filter(|one| one.tie == Tie::Needs).map(|one| one.object);
            let needing: Vec<ObjectRef> = needing.collect();
            let chains = self.topology.chains(&self.cluster, &needing).await?;
            change.needed_by = needing.iter().zip(chains).filter_map(|(object, chain)| top(object, &chain)).collect();
        }
        found.retain(|change| objects.iter().any(|object| change.needed_by.contains(object)));
        Ok(found)
    }

    /// The chains of owners; nothing where the forwarder is not heard.
    async fn chains(&self, objects: &[ObjectRef]) -> Result<Option<Vec<Vec<Step>>>, StoreError> {
        let heard = self.topology.charted_at(&self.cluster).await?;
        if heard.is_none_or(|heard| self.clock.now().duration_since(heard) > STALE) {
            return Ok(None);
        }
        self.topology.chains(&self.cluster, objects).await.map(Some)
    }

    /// What an autoscaler scales, by its top owner, and the workloads that a release made.
    async fn made_or_scaled(&self, object: &ObjectRef) -> Result<Vec<Dependency>, StoreError> {
        let on = |to: ObjectRef, how: &str| Dependency { from: object.clone(), to, how: how.to_owned() };
        if object.is("HelmRelease") {
            let made = self.topology.dependents(&self.cluster, object, MADE).await?;
            let workloads = made.into_iter().filter(|one| {
                one.tie == Tie::Delivered && one.gone_at.is_none() && WORKLOADS.contains(&one.object.kind.as_str())
            });
            return Ok(workloads.map(|one| on(one.object, "the release made it")).collect());
        }
        let scaler = self.topology.placed(&self.cluster, object).await?.filter(|scaler| scaler.gone_at.is_none());
        let Some(target) = scaler.and_then(|scaler| scaler.links.scales) else { return Ok(vec![]) };
        let target = target.object(object.namespace.as_deref());
        let chains = self.topology.chains(&self.cluster, std::slice::from_ref(&target)).await?;
        let top = chains.into_iter().flatten().last();
        let top = top.map_or(target, |step| step.owner.map_or(step.object, |(_, owner)| owner));
        Ok(vec![on(top, "it scales that")])
    }

    async fn told(&self, objects: &[ObjectRef]) -> Vec<Told> {
        let why = match tokio::time::timeout(DEADLINE, self.chains(objects)).await {
            Ok(Ok(Some(chains))) => return objects.iter().zip(chains).map(|(one, chain)| told(one, &chain)).collect(),
            Ok(Ok(None)) => "stale",
            Ok(Err(error)) => {
                tracing::warn!(%error, "owners are asked of the cluster");
                "failed"
            }
            Err(_) => "late",
        };
        metrics::counter!("marple_owners_unknown_total", "reason" => why).increment(1);
        objects.iter().map(|_| Told::Nothing).collect()
    }
}

/// The top-level object of a chain.
fn top(object: &ObjectRef, chain: &[Step]) -> Option<ObjectRef> {
    match told(object, chain) {
        Told::Whole(related) | Told::UpTo { related, .. } => related.owner,
        Told::Nothing => None,
    }
}

/// What a chain of owners tells of the object at its beginning.
fn told(object: &ObjectRef, chain: &[Step]) -> Told {
    if ALONE.contains(&object.kind.as_str()) {
        return Told::Whole(Related::alone(object.clone()));
    }
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else { return Told::Nothing };
    let node = first.node.as_ref().filter(|_| object.is("Pod")).map(|name| ObjectRef::cluster("Node", name));
    // A static pod is controlled by its node, which is no workload.
    let beyond = last.owner.as_ref().filter(|(_, owner)| !ALONE.contains(&owner.kind.as_str()));
    match beyond {
        // A ring, which has no top.
        Some((_, owner)) if chain.iter().any(|step| step.object == *owner) => {
            Told::Whole(Related { owner: Some(last.object.clone()), node, known: Known::Owners })
        }
        Some((api, owner)) => {
            let ask = ObjectRef { kind: format!("{api}/{}", owner.kind), ..owner.clone() };
            Told::UpTo { related: Related { owner: Some(owner.clone()), node, known: Known::Owners }, ask }
        }
        None => Told::Whole(Related { owner: Some(last.object.clone()), node, known: Known::Owners }),
    }
}

/// What is told up to an owner with what was found out about that; nothing where that could not be asked.
fn joined(related: Related, ask: &ObjectRef, found: Option<Related>) -> Option<Related> {
    let found = found?;
    // An owner that is gone, or that nothing owns, is the top that remains: by its own name, not by that of its API.
    let above = found.owner.filter(|owner| owner != ask);
    Some(Related { owner: above.or(related.owner), ..related })
}

#[async_trait]
impl Owners for KnownOwners {
    async fn related(&self, objects: &[ObjectRef]) -> Vec<Option<Related>> {
        let told = self.told(objects).await;
        let unknown = |(object, told): (&ObjectRef, &Told)| match told {
            Told::Whole(_) => None,
            Told::UpTo { ask, .. } => Some(ask.clone()),
            Told::Nothing => Some(object.clone()),
        };
        let ask: Vec<ObjectRef> = objects.iter().zip(&told).filter_map(unknown).collect();
        let mut found = if ask.is_empty() { vec![] } else { self.asked.related(&ask).await }.into_iter();
        let answer = |told: Told| match told {
            Told::Whole(related) => Some(related),
            Told::UpTo { related, ask } => joined(related, &ask, found.next().flatten()),
            Told::Nothing => found.next().flatten(),
        };
        told.into_iter().map(answer).collect()
    }

    async fn dependencies(&self, objects: &[ObjectRef]) -> Vec<Dependency> {
        let told = async {
            let mut told = vec![];
            for object in objects {
                told.extend(self.made_or_scaled(object).await?);
            }
            Ok::<_, StoreError>(told)
        };
        match tokio::time::timeout(DEADLINE, told).await {
            Ok(Ok(told)) => told,
            Ok(Err(error)) => {
                tracing::warn!(%error, "what autoscalers and releases are about is not known");
                vec![]
            }
            Err(_) => vec![],
        }
    }

    async fn changes(&self, objects: &[ObjectRef], since: Timestamp) -> Vec<SharedChange> {
        match tokio::time::timeout(DEADLINE, self.changed(objects, since)).await {
            Ok(Ok(changed)) => changed,
            Ok(Err(error)) => {
                tracing::warn!(%error, "what changed before is not known");
                vec![]
            }
            Err(_) => vec![],
        }
    }
}
