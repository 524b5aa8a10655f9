//! The fields of objects that conditions and links read. All others are passed over as the answer is decoded, so that an object of
//! 20 KiB costs a few hundred bytes, and those only until it has been judged.

mod api_service;
mod autoscaler;
mod claim;
mod cron_job;
mod custom;
mod event;
mod job;
mod key;
mod lenient;
mod meta;
mod namespace;
mod node;
mod pod;
pub(crate) mod raw;
mod reference;
mod release;
mod resource;
mod selecting;
mod service;
mod standing;
mod storage_class;
mod view;
mod volume;
mod workload;

use std::sync::Arc;

pub use api_service::{ApiService, ApiServiceSpec, ApiServiceStatus, Backend};
pub use autoscaler::{Autoscaler, AutoscalerSpec, AutoscalerStatus, ScaleTarget};
pub use claim::{Claim, ClaimSpec, ClaimStatus};
pub use cron_job::{ActiveJob, CronJob, CronJobSpec, CronJobStatus, JobTemplate};
pub use custom::{Custom, CustomStatus};
pub use event::{Event, Involved, Series};
pub use job::{Job, JobSpec, JobStatus};
pub use key::{CustomKind, Kind, ObjectKey};
pub use meta::{Owner, controller};
pub(crate) use meta::{created, deletion, helm_release, helm_release_of, written};
pub use namespace::{Namespace, NamespaceStatus};
pub use node::{Node, NodeStatus};
pub use pod::{Container, ContainerState, ContainerStatus, Pod, PodSpec, PodStatus, Running, Terminated, Waiting};
pub use reference::{
    Named, NamedClaim, NamedSecret, PodTemplate, Projected, Projection, TemplateMetadata, Variable, VariableSource,
    VariableValue, VolumeSource,
};
pub(crate) use release::revision_of;
pub use release::{Release, Revision, RevisionSecret};
pub use selecting::{Budget, BudgetSpec, PodExpression, PodSelector, Policy, PolicySpec};
pub use service::{Address, LoadBalancer, Service, ServiceSpec, ServiceStatus};
pub use standing::{Standing, Status, find};
pub use storage_class::StorageClass;
pub use volume::{ClaimReference, Volume, VolumeSpec, VolumeStatus};
pub use workload::{DaemonSet, Deployment, ReplicaSet, StatefulSet};

use crate::config::CustomResource;

/// An object that is watched.
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
    /// A CronJob.
    CronJob(Box<CronJob>),
    /// A node.
    Node(Box<Node>),
    /// A namespace.
    Namespace(Box<Namespace>),
    /// A Service.
    Service(Box<Service>),
    /// A PersistentVolume.
    Volume(Box<Volume>),
    /// A PersistentVolumeClaim.
    Claim(Box<Claim>),
    /// A StorageClass.
    StorageClass(Box<StorageClass>),
    /// A HorizontalPodAutoscaler.
    Autoscaler(Box<Autoscaler>),
    /// A PodDisruptionBudget.
    Budget(Box<Budget>),
    /// A NetworkPolicy.
    Policy(Box<Policy>),
    /// An APIService.
    ApiService(Box<ApiService>),
    /// The Secret of a revision of a Helm release.
    RevisionSecret(Box<RevisionSecret>),
    /// A Helm release, put together from its revisions.
    Release(Box<Release>),
    /// A custom resource, and what the configuration says of its kind.
    Custom(Arc<CustomResource>, Box<Custom>),
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
            Self::CronJob(object) => &object.metadata,
            Self::Node(object) => &object.metadata,
            Self::Namespace(object) => &object.metadata,
            Self::Service(object) => &object.metadata,
            Self::Volume(object) => &object.metadata,
            Self::Claim(object) => &object.metadata,
            Self::StorageClass(object) => &object.metadata,
            Self::Autoscaler(object) => &object.metadata,
            Self::Budget(object) => &object.metadata,
            Self::Policy(object) => &object.metadata,
            Self::ApiService(object) => &object.metadata,
            Self::RevisionSecret(object) => &object.metadata,
            Self::Release(object) => &object.metadata,
            Self::Custom(_, object) => &object.metadata,
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
            Self::CronJob(_) => Kind::CronJob,
            Self::Node(_) => Kind::Node,
            Self::Namespace(_) => Kind::Namespace,
            Self::Service(_) => Kind::Service,
            Self::Volume(_) => Kind::PersistentVolume,
            Self::Claim(_) => Kind::PersistentVolumeClaim,
            Self::StorageClass(_) => Kind::StorageClass,
            Self::Autoscaler(_) => Kind::HorizontalPodAutoscaler,
            Self::Budget(_) => Kind::PodDisruptionBudget,
            Self::Policy(_) => Kind::NetworkPolicy,
            Self::ApiService(_) => Kind::APIService,
            Self::RevisionSecret(_) => Kind::Secret,
            Self::Release(_) => Kind::HelmRelease,
            Self::Custom(resource, _) => resource.kind(),
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
