//! What names an object.

use std::fmt;
use std::sync::Arc;

use marple_core::ObjectRef;

/// A kind that objects of are told of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the Kubernetes kind of its name")]
pub enum Kind {
    Pod,
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    Job,
    CronJob,
    Node,
    Namespace,
    Service,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    HorizontalPodAutoscaler,
    PodDisruptionBudget,
    NetworkPolicy,
    APIService,
    Secret,
    Event,
    /// A release of Helm, told by its Secrets.
    HelmRelease,
    /// Any other, by the name of its group too.
    Custom(Arc<CustomKind>),
}

/// A kind that Kubernetes itself doesn't know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomKind {
    /// Its name.
    pub kind: Box<str>,
    /// Its API group.
    pub group: Box<str>,
}

impl Kind {
    /// Those that Kubernetes itself knows.
    const KNOWN: [Self; 19] = [
        Self::Pod,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::ReplicaSet,
        Self::Job,
        Self::CronJob,
        Self::Node,
        Self::Namespace,
        Self::Service,
        Self::PersistentVolume,
        Self::PersistentVolumeClaim,
        Self::StorageClass,
        Self::HorizontalPodAutoscaler,
        Self::PodDisruptionBudget,
        Self::NetworkPolicy,
        Self::APIService,
        Self::Secret,
        Self::Event,
    ];

    /// A custom kind.
    pub fn custom(group: &str, kind: &str) -> Self {
        Self::Custom(Arc::new(CustomKind { kind: kind.into(), group: group.into() }))
    }

    /// The kind of this name in this API group.
    pub fn of(group: &str, name: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|kind| kind.as_str() == name && kind.group() == group);
        known.unwrap_or_else(|| Self::custom(group, name))
    }

    /// The kind of this name, where Kubernetes itself knows it.
    pub fn named(name: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pod => "Pod",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Node => "Node",
            Self::Namespace => "Namespace",
            Self::Service => "Service",
            Self::PersistentVolume => "PersistentVolume",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::StorageClass => "StorageClass",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::APIService => "APIService",
            Self::Secret => "Secret",
            Self::Event => "Event",
            Self::HelmRelease => "HelmRelease",
            Self::Custom(kind) => &kind.kind,
        }
    }

    /// Its API group.
    pub fn group(&self) -> &str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apps",
            Self::Job | Self::CronJob => "batch",
            Self::StorageClass => "storage.k8s.io",
            Self::HorizontalPodAutoscaler => "autoscaling",
            Self::PodDisruptionBudget => "policy",
            Self::NetworkPolicy => "networking.k8s.io",
            Self::APIService => "apiregistration.k8s.io",
            Self::Custom(kind) => &kind.group,
            _ => "",
        }
    }

    /// Whether each of its objects is kept account of: who owns it, whether it is well. Of others that is so only while
    /// something is wrong with them.
    pub(crate) const fn is_noted(&self) -> bool {
        matches!(
            self,
            Self::Pod
                | Self::Deployment
                | Self::StatefulSet
                | Self::DaemonSet
                | Self::ReplicaSet
                | Self::Job
                | Self::CronJob
                | Self::Node
                | Self::PersistentVolumeClaim
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Names an object, in little memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for an object of the cluster.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
}

impl ObjectKey {
    /// The key of this object.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    /// The same as people and other crates name it.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef {
            kind: self.kind.as_str().to_owned(),
            namespace: (!self.namespace.is_empty()).then(|| self.namespace.to_string()),
            name: self.name.to_string(),
        }
    }

    /// The namespace that it counts to: for a namespace, itself.
    pub(crate) fn counts_to(&self) -> &str {
        if self.kind == Kind::Namespace { &self.name } else { &self.namespace }
    }
}

impl fmt::Display for ObjectKey {
    /// As `Pod shop/cart-1`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.namespace {
            "" => write!(formatter, "{} {}", self.kind, self.name),
            namespace => write!(formatter, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_another_group_is_another_though_its_name_is_the_same() {
        assert_eq!(Kind::of("", "Service"), Kind::Service);
        assert_eq!(Kind::of("apps", "Deployment"), Kind::Deployment);
        assert_eq!(Kind::of("serving.knative.dev", "Service"), Kind::custom("serving.knative.dev", "Service"));
        assert_eq!(Kind::of("helm.toolkit.fluxcd.io", "HelmRelease").as_str(), "HelmRelease");
        assert_ne!(Kind::of("helm.toolkit.fluxcd.io", "HelmRelease"), Kind::HelmRelease);
    }
}
