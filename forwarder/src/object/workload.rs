//! Workloads: what keeps a number of pods.

use k8s_openapi::api::apps::v1;
use kube::core::ObjectMeta;

use super::Standing;
use super::reference::PodTemplate;
use super::resource::resource;
use super::view::view;

/// Declares a kind with the given fields of `spec` and `status`.
macro_rules! workload {
    ($(#[$doc:meta])* $name:ident, $spec:ident { $($wanted:tt)* }, $status:ident { $($is:tt)* }) => {
        view! {
            $(#[$doc])*
            pub struct $name {
                /// What names it.
                pub metadata: ObjectMeta,
                /// What is wanted.
                pub spec: $spec,
                /// What is.
                pub status: $status,
            }

            /// What is wanted.
            pub struct $spec { $($wanted)* }

            /// What is.
            pub struct $status { $($is)* }
        }

        resource!($name, v1::$name);
    };
}

workload! {
    /// A Deployment.
    Deployment,
    DeploymentSpec {
        /// How many pods; one where it doesn't say.
        pub replicas: Option<u32>,
        /// How long a rollout may stand still before it says so, in seconds; 600 where it doesn't say.
        pub progress_deadline_seconds: Option<u32>,
        /// From what its pods are made.
        pub template: PodTemplate,
    },
    DeploymentStatus {
        /// The generation that the counts are of.
        pub observed_generation: i64,
        /// How many pods have the template of now.
        pub updated_replicas: u32,
        /// How many pods are available.
        pub available_replicas: u32,
        /// Its conditions.
        pub conditions: Vec<Standing>,
    }
}

workload! {
    /// A StatefulSet.
    StatefulSet,
    StatefulSetSpec {
        /// How many pods; one where it doesn't say.
        pub replicas: Option<u32>,
        /// How pods are replaced.
        pub update_strategy: UpdateStrategy,
        /// From what its pods are made.
        pub template: PodTemplate,
        /// The Service by which its pods have names.
        pub service_name: Option<String>,
    },
    StatefulSetStatus {
        /// The generation that the counts are of.
        pub observed_generation: i64,
        /// How many pods there are.
        pub replicas: u32,
        /// How many are ready.
        pub ready_replicas: u32,
        /// How many have the template of now.
        pub updated_replicas: u32,
    }
}

workload! {
    /// A DaemonSet.
    DaemonSet,
    DaemonSetSpec {
        /// How pods are replaced.
        pub update_strategy: UpdateStrategy,
        /// From what its pods are made.
        pub template: PodTemplate,
    },
    DaemonSetStatus {
        /// The generation that the counts are of.
        pub observed_generation: i64,
        /// How many nodes should run a pod.
        pub desired_number_scheduled: u32,
        /// How many of them do.
        pub current_number_scheduled: u32,
        /// How many are ready.
        pub number_ready: u32,
        /// How many have the template of now.
        pub updated_number_scheduled: u32,
    }
}

workload! {
    /// A ReplicaSet.
    ReplicaSet,
    ReplicaSetSpec {
        /// How many pods; one where it doesn't say.
        pub replicas: Option<u32>,
    },
    ReplicaSetStatus {
        /// How many pods there are.
        pub replicas: u32,
        /// Its conditions.
        pub conditions: Vec<Standing>,
    }
}

view! {
    /// How pods are replaced.
    pub struct UpdateStrategy {
        /// `RollingUpdate` or `OnDelete`.
        #[serde(rename = "type")]
        pub type_: Option<String>,
        /// For a StatefulSet: how far.
        pub rolling_update: Option<RollingUpdate>,
    }

    /// How far a StatefulSet's pods are replaced.
    pub struct RollingUpdate {
        /// Pods below this ordinal stay as they are.
        pub partition: Option<u32>,
    }
}

impl UpdateStrategy {
    /// Whether pods stay as they are until a person deletes them.
    pub fn on_delete(&self) -> bool {
        self.type_.as_deref() == Some("OnDelete")
    }

    /// The ordinal below which pods stay as they are.
    pub fn partition(&self) -> u32 {
        self.rolling_update.as_ref().and_then(|rolling| rolling.partition).unwrap_or(0)
    }
}
