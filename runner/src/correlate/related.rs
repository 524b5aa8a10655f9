//! What an object belongs to.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Labels, ObjectRef, Signal};
use serde::{Deserialize, Serialize};

use super::{Dependency, SharedChange};

/// How it is known what an object belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// From its ownerReferences.
    Owners,
    /// From labels of the signal: the cluster could not be asked yet, and should be asked again.
    #[default]
    Labels,
    /// The object is gone and its owner was never read; asking again tells no more.
    Gone,
}

/// What an object belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Related {
    /// The top of its chain of owners; the object itself where it has none.
    pub owner: Option<ObjectRef>,
    /// The node that it runs on.
    pub node: Option<ObjectRef>,
    /// How that is known.
    pub known: Known,
}

/// Labels by which a signal names the workload of its pod.
const WORKLOADS: [(&str, &str); 5] = [
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("cronjob", "CronJob"),
    ("job_name", "Job"),
];

impl Related {
    /// An object that belongs to none, for certain.
    pub fn alone(object: ObjectRef) -> Self {
        Self { owner: Some(object), node: None, known: Known::Owners }
    }

    /// What a signal's subject belongs to, where the cluster told this of it; else what its labels tell.
    pub fn of(signal: &Signal, told: Option<&Self>) -> Self {
        match (&signal.subject, told) {
            (None, _) => Self::default(),
            (Some(_), Some(related)) if related.known != Known::Gone => related.clone(),
            (Some(subject), told) => Self {
                known: told.map_or(Known::Labels, |related| related.known),
                ..Self::from_labels(subject, &signal.labels)
            },
        }
    }

    /// What a signal's own labels tell of its subject: all there is while the cluster can't be asked.
    pub fn from_labels(subject: &ObjectRef, labels: &Labels) -> Self {
        let node = labels.get("node").map(|name| ObjectRef::cluster("Node", name));
        let namespace = subject.namespace.as_deref();
        let workload = namespace.filter(|_| subject.is("Pod")).and_then(|namespace| {
            WORKLOADS
                .iter()
                .find_map(|(label, kind)| labels.get(label).map(|name| ObjectRef::namespaced(*kind, namespace, name)))
        });
        Self { owner: Some(workload.unwrap_or_else(|| subject.clone())), node, known: Known::Labels }
    }
}

/// Tells what objects belong to.
#[async_trait]
pub trait Owners: Send + Sync {
    /// For each object, in the same order. Never fails and answers within seconds: what can't be told is nothing.
    async fn related(&self, objects: &[ObjectRef]) -> Vec<Option<Related>>;

    /// What these depend on though nothing owns them: an autoscaler on what it scales, a Helm release on the workloads that
    /// it made. What can't be told is left out.
    async fn dependencies(&self, _: &[ObjectRef]) -> Vec<Dependency> {
        Vec::new()
    }

    /// What these top-level objects need that was changed since then, each with all that need it. What can't be told is left
    /// out.
    async fn changes(&self, _: &[ObjectRef], _since: Timestamp) -> Vec<SharedChange> {
        Vec::new()
    }
}
