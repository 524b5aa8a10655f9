//! Tells what objects belong to by asking the cluster.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt as _;
use marple_core::ObjectRef;
use marple_tools::kubernetes::{Cluster, Controller, LookError, Placement};
use moka::future::Cache;

use super::{Known, Owners, Related};

/// How long all of the asking for one batch may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long nothing is asked after the API server was found away: where it refuses, that costs nothing to find out
/// again, and what is folded meanwhile is told apart by labels; where it is silent, each try takes all of the deadline.
const REFUSED: Duration = Duration::from_secs(1);
const SILENT: Duration = Duration::from_secs(5);

/// From how many objects of one kind and namespace on a list is asked for instead of each.
const STORM: usize = 10;

/// Requests under way at a time.
const AT_ONCE: usize = 8;

/// The longest chain of owners that is followed.
const DEPTH: usize = 8;

/// How long it is remembered what controlled an object, also when that is gone: longer than an alert of it lasts.
const MEMORY: Duration = Duration::from_hours(12);

/// How many objects are remembered: some 10 MiB.
const REMEMBERED: u64 = 20_000;

/// How long a pod is taken to be where it was: a pod of the same name may come back on another node.
const STAYS: Duration = Duration::from_mins(5);

/// How long an object that was not there is taken to be gone.
const GONE: Duration = Duration::from_mins(1);

/// Kinds that belong to nothing.
pub(super) const ALONE: [&str; 4] = ["Node", "Namespace", "PersistentVolume", "StorageClass"];

/// What was read about an object.
#[derive(Clone, Debug)]
struct Link {
    /// Absent where the object was not there.
    placement: Option<Placement>,
    read_at: Instant,
}

/// Asks the cluster, remembers what it told, and asks for a list where many of one kind are wanted. While the API server
/// is away it answers at once with what it remembers.
pub struct ClusterOwners {
    cluster: Cluster,
    links: Cache<ObjectRef, Link>,
    away_until: Mutex<Option<Instant>>,
}

/// Objects to ask for: of one kind (as discovery takes it) and namespace.
type Questions = BTreeMap<(String, Option<String>), HashSet<ObjectRef>>;

impl ClusterOwners {
    /// Over a cluster.
    pub fn new(cluster: Cluster) -> Self {
        let links = Cache::builder().max_capacity(REMEMBERED).time_to_live(MEMORY).build();
        Self { cluster, links, away_until: Mutex::new(None) }
    }

    fn is_away(&self) -> bool {
        let until = *self.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn note_away(&self, pause: Duration) {
        metrics::counter!("marple_owners_outages_total").increment(1);
        *self.away_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + pause);
    }

    /// Reads these objects and what controls them, up to the top.
    async fn read(&self, objects: &[ObjectRef]) {
        let mut wanted: Vec<(String, ObjectRef)> =
            objects.iter().map(|object| (object.kind.clone(), object.clone())).collect();
        for _ in 0..DEPTH {
            let mut questions = Questions::new();
            for (kind, object) in wanted {
                if !self.is_fresh(&object).await {
                    questions.entry((kind, object.namespace.clone())).or_default().insert(object);
                }
            }
            let asked: Vec<ObjectRef> = questions.values().flatten().cloned().collect();
            let mut reading = futures::stream::iter(questions)
                .map(|((kind, namespace), objects)| self.read_kind(kind, namespace, objects))
                .buffer_unordered(AT_ONCE);
            while let Some(read) = reading.next().await {
                if let Err(error) = read {
                    let silent = matches!(error, LookError::Timeout { .. });
                    self.note_away(if silent { SILENT } else { REFUSED });
                    return;
                }
            }
            drop(reading);
            // The next step: what controls the objects of this one, and of those that were known already.
            let mut controllers = HashMap::new();
            for object in asked.iter().chain(objects) {
                if let Some(controller) = self.top_known(object).await {
                    controllers.insert(controller.object.clone(), controller.kind());
                }
            }
            if controllers.is_empty() {
                return;
            }
            wanted = controllers.into_iter().map(|(object, kind)| (kind, object)).collect();
        }
    }

    /// The first controller above an object that has not been read, if any.
    async fn top_known(&self, object: &ObjectRef) -> Option<Controller> {
        let mut at = object.clone();
        for _ in 0..DEPTH {
            let controller = self.links.get(&at).await?.placement?.controller?;
            if ALONE.contains(&controller.object.kind.as_str()) {
                return None;
            }
            if self.links.get(&controller.object).await.is_none() {
                return Some(controller);
            }
            at = controller.object;
        }
        None
    }

    async fn is_fresh(&self, object: &ObjectRef) -> bool {
        self.links.get(object).await.is_some_and(|link| match &link.placement {
            None => link.read_at.elapsed() < GONE,
            Some(_) => !object.is("Pod") || link.read_at.elapsed() < STAYS,
        })
    }

    /// Reads objects of one kind and namespace. An error where the API server is away.
    async fn read_kind(
        &self,
        kind: String,
        namespace: Option<String>,
        objects: HashSet<ObjectRef>,
    ) -> Result<(), LookError> {
        if objects.len() >= STORM {
            match self.cluster.placements(&kind, namespace.as_deref()).await {
                Ok(placements) => {
                    let mut missing = objects;
                    for placement in placements {
                        // Only what was asked for is remembered: a namespace may hold thousands.
                        if missing.remove(&placement.object) {
                            self.remember(placement).await;
                        }
                    }
                    for object in missing {
                        self.remember_gone(object).await;
                    }
                    return Ok(());
                }
                Err(error) if is_away(&error) => return Err(error),
                // Not allowed to list: perhaps to get.
                Err(error) => tracing::debug!(%error, kind, "listing owners"),
            }
        }
        let mut reading = futures::stream::iter(objects)
            .map(|object| async {
                let read = self.cluster.placement(&kind, object.namespace.as_deref(), &object.name).await;
                (object, read)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((object, read)) = reading.next().await {
            match read {
                Ok(placement) => self.remember(Placement { object, ..placement }).await,
                Err(error) if is_away(&error) => return Err(error),
                Err(LookError::NotFound { .. }) => self.remember_gone(object).await,
                // What may not be read, or is of a kind that isn't served, is the top of what can be seen.
                Err(error) => {
                    tracing::debug!(%error, %object, "reading an owner");
                    self.remember(Placement { object, controller: None, node: None }).await;
                }
            }
        }
        Ok(())
    }

    async fn remember(&self, placement: Placement) {
        let link = Link { read_at: Instant::now(), placement: Some(placement.clone()) };
        self.links.insert(placement.object, link).await;
    }

    /// What was known of an object that is gone stays known.
    async fn remember_gone(&self, object: ObjectRef) {
        let placement = self.links.get(&object).await.and_then(|link| link.placement);
        self.links.insert(object, Link { placement, read_at: Instant::now() }).await;
    }

    /// What an object belongs to, from what was read.
    async fn told(&self, object: &ObjectRef) -> Option<Related> {
        let Some(placement) = self.links.get(object).await?.placement else {
            return Some(Related { owner: None, node: None, known: Known::Gone });
        };
        let node = placement.node.map(|name| ObjectRef::cluster("Node", name));
        let (mut top, mut controller) = (object.clone(), placement.controller);
        for _ in 0..DEPTH {
            // A static pod is controlled by its node, which is no workload.
            let Some(next) = controller.map(|one| one.object).filter(|one| !ALONE.contains(&one.kind.as_str())) else {
                break;
            };
            // An owner that was not read leaves the top unknown; one that is gone is the top that remains.
            let link = self.links.get(&next).await?;
            controller = link.placement.and_then(|placement| placement.controller);
            top = next;
        }
        Some(Related { owner: Some(top), node, known: Known::Owners })
    }
}

/// Whether the API server did not answer, so that others need not be asked for now.
const fn is_away(error: &LookError) -> bool {
    matches!(error, LookError::Timeout { .. } | LookError::Backend { .. })
}

#[async_trait]
impl Owners for ClusterOwners {
    async fn related(&self, objects: &[ObjectRef]) -> Vec<Option<Related>> {
        let asked: Vec<ObjectRef> =
            objects.iter().filter(|object| !ALONE.contains(&object.kind.as_str())).cloned().collect();
        if !asked.is_empty() && !self.is_away() && tokio::time::timeout(DEADLINE, self.read(&asked)).await.is_err() {
            self.note_away(SILENT);
        }
        let mut related = Vec::with_capacity(objects.len());
        for object in objects {
            related.push(if ALONE.contains(&object.kind.as_str()) {
                Some(Related::alone(object.clone()))
            } else {
                self.told(object).await
            });
        }
        related
    }
}

/// Knows no cluster: signals are told apart by their labels alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOwners;

#[async_trait]
impl Owners for NoOwners {
    async fn related(&self, objects: &[ObjectRef]) -> Vec<Option<Related>> {
        vec![None; objects.len()]
    }
}
