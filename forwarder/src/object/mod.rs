//! The fields of objects that conditions read. All others are passed over as the answer is decoded, so that an object of
//! 20 KiB costs a few hundred bytes, and those only until it has been judged.

mod claim;
mod event;
mod job;
mod key;
mod meta;
mod node;
mod pod;
mod resource;
mod standing;
mod storage_class;
mod workload;

pub use claim::{Claim, ClaimSpec, ClaimStatus};
pub use event::{Event, Involved, Series};
pub use job::{Job, JobStatus};
pub use key::{Kind, ObjectKey};
pub(crate) use meta::created;
pub use meta::{Owner, controller};
pub use node::{Node, NodeStatus};
pub use pod::{Container, ContainerState, ContainerStatus, Pod, PodSpec, PodStatus, Running, Terminated, Waiting};
pub use standing::{Standing, Status, find};
pub use storage_class::StorageClass;
pub use workload::{DaemonSet, Deployment, ReplicaSet, StatefulSet};

/// An object of a kind that is watched.
#[derive(Clone, Debug)]
pub enum Object {
    /// A pod.
    Pod(Box<Pod>),
    /// A Deployment.
    Deployment(Box<Deployment>),
    /// A StatefulSet.
    StatefulSet(Box<StatefulSet>),
    /// A DaemonSet.
    DaemonSet(Box<DaemonSet>),
    /// A ReplicaSet.
    ReplicaSet(Box<ReplicaSet>),
    /// A Job.
    Job(Box<Job>),
    /// A node.
    Node(Box<Node>),
    /// A PersistentVolumeClaim.
    Claim(Box<Claim>),
    /// A StorageClass.
    StorageClass(Box<StorageClass>),
    /// A warning event.
    Event(Box<Event>),
}

impl Object {
    /// Its metadata, of which only what conditions need was kept.
    pub fn metadata(&self) -> &kube::core::ObjectMeta {
        match self {
            Self::Pod(object) => &object.metadata,
            Self::Deployment(object) => &object.metadata,
            Self::StatefulSet(object) => &object.metadata,
            Self::DaemonSet(object) => &object.metadata,
            Self::ReplicaSet(object) => &object.metadata,
            Self::Job(object) => &object.metadata,
            Self::Node(object) => &object.metadata,
            Self::Claim(object) => &object.metadata,
            Self::StorageClass(object) => &object.metadata,
            Self::Event(object) => &object.metadata,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Pod(_) => Kind::Pod,
            Self::Deployment(_) => Kind::Deployment,
            Self::StatefulSet(_) => Kind::StatefulSet,
            Self::DaemonSet(_) => Kind::DaemonSet,
            Self::ReplicaSet(_) => Kind::ReplicaSet,
            Self::Job(_) => Kind::Job,
            Self::Node(_) => Kind::Node,
            Self::Claim(_) => Kind::PersistentVolumeClaim,
            Self::StorageClass(_) => Kind::StorageClass,
            Self::Event(_) => Kind::Event,
        }
    }

    /// What names it.
    pub fn key(&self) -> ObjectKey {
        let metadata = self.metadata();
        ObjectKey::new(
            self.kind(),
            metadata.namespace.as_deref().unwrap_or_default(),
            metadata.name.as_deref().unwrap_or_default(),
        )
    }
}
