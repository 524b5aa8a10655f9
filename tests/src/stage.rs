//! Faults staged on the test cluster, each with its true cause: a healthy rollout, then the change that breaks it.

use std::time::Duration;

use anyhow::Result;
use marple_core::{Labels, ObjectRef};

use crate::cluster::{Namespace, TestCluster};

/// A rollout of two or three small pods takes seconds; images are on the node.
const HEALTHY_WITHIN: Duration = Duration::from_secs(90);

/// Scrapes, the rule's own wait and a pod's backoff together stay well below this.
const ALERT_WITHIN: Duration = Duration::from_mins(3);

/// A way to break a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The new revision takes its settings from a ConfigMap that was never made.
    MissingConfiguration,
    /// The new revision's memory limit is below what the program needs.
    MemoryLimit,
    /// The new revision's image has a tag that nobody pushed.
    BadImage,
    /// The new revision's readiness probe asks a port that nobody listens at.
    ReadinessPort,
    /// The new revision requests more than the quota leaves.
    Quota,
    /// The new revision's pods have other labels than the Service selects.
    NoEndpoints,
}

/// A fault that has been staged, and whose alert fires.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The object to change: what an explanation must name.
    pub cause: ObjectRef,
    /// The labels of the first alert that fired of it.
    pub alert: Labels,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::MissingConfiguration,
        Self::MemoryLimit,
        Self::BadImage,
        Self::ReadinessPort,
        Self::Quota,
        Self::NoEndpoints,
    ];

    /// A short name, fit for a namespace.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingConfiguration => "missing-configuration",
            Self::MemoryLimit => "memory-limit",
            Self::BadImage => "bad-image",
            Self::ReadinessPort => "readiness-port",
            Self::Quota => "quota",
            Self::NoEndpoints => "no-endpoints",
        }
    }

    /// The workload before the change, in YAML.
    pub const fn healthy(self) -> &'static str {
        match self {
            Self::MissingConfiguration | Self::BadImage | Self::ReadinessPort => include_str!("../stage/cart.yaml"),
            Self::MemoryLimit => include_str!("../stage/memory-limit/healthy.yaml"),
            Self::Quota => include_str!("../stage/quota/healthy.yaml"),
            Self::NoEndpoints => include_str!("../stage/no-endpoints/healthy.yaml"),
        }
    }

    /// The change that breaks it, in YAML.
    pub const fn change(self) -> &'static str {
        match self {
            Self::MissingConfiguration => include_str!("../stage/missing-configuration/change.yaml"),
            Self::MemoryLimit => include_str!("../stage/memory-limit/change.yaml"),
            Self::BadImage => include_str!("../stage/bad-image/change.yaml"),
            Self::ReadinessPort => include_str!("../stage/readiness-port/change.yaml"),
            Self::Quota => include_str!("../stage/quota/change.yaml"),
            Self::NoEndpoints => include_str!("../stage/no-endpoints/change.yaml"),
        }
    }

    /// The object to change.
    pub fn cause(self, namespace: &str) -> ObjectRef {
        match self {
            Self::MissingConfiguration => ObjectRef::namespaced("ConfigMap", namespace, "cart-settings"),
            Self::MemoryLimit | Self::BadImage | Self::ReadinessPort => {
                ObjectRef::namespaced("Deployment", namespace, "cart")
            }
            Self::Quota => ObjectRef::namespaced("ResourceQuota", namespace, "team-cart"),
            // Its pods were given another label; the Service selects what it always has.
            Self::NoEndpoints => ObjectRef::namespaced("Deployment", namespace, "inventory"),
        }
    }

    /// The alerts of the cluster's monitoring that tell of it, any of which may fire first.
    pub const fn alerts(self) -> &'static [&'static str] {
        match self {
            Self::MissingConfiguration | Self::BadImage => &["KubeContainerWaiting", "KubePodNotReady"],
            Self::MemoryLimit => &["KubeContainerOOMKilled", "KubePodCrashLooping"],
            Self::ReadinessPort | Self::Quota => &["KubeDeploymentReplicasMismatch", "KubeDeploymentRolloutStuck"],
            Self::NoEndpoints => &["HighErrorRate"],
        }
    }

    /// Rolls out the healthy workload, breaks it, and waits until an alert fires.
    pub async fn stage(self, cluster: &TestCluster, namespace: &Namespace) -> Result<Staged> {
        self.break_after_rollout(cluster, namespace).await?;
        let alert = cluster.alert(namespace.name(), self.alerts(), ALERT_WITHIN).await?;
        Ok(Staged { cause: self.cause(namespace.name()), alert })
    }

    /// Rolls out the healthy workload and breaks it, without waiting for what follows.
    pub async fn break_after_rollout(self, cluster: &TestCluster, namespace: &Namespace) -> Result<()> {
        namespace.apply(self.healthy()).await?;
        cluster.rolled_out(namespace.name(), HEALTHY_WITHIN).await?;
        namespace.apply(self.change()).await
    }
}
