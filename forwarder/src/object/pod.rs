//! Pods.

use jiff::Timestamp;
use k8s_openapi::api::core::v1;
use kube::core::ObjectMeta;

use super::reference::{Named, Variable, VariableSource, VolumeSource};
use super::resource::resource;
use super::view::view;
use super::{Standing, Status, find};

view! {
    /// A pod.
    pub struct Pod {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: PodSpec,
        /// What is.
        pub status: PodStatus,
    }
}

resource!(Pod, v1::Pod);

view! {
    /// What is wanted of a pod.
    pub struct PodSpec {
        /// Its node, once it has one.
        pub node_name: Option<String>,
        /// `Always`, `OnFailure` or `Never`.
        pub restart_policy: Option<String>,
        /// Its containers that run one after another first.
        pub init_containers: Vec<Container>,
        /// Its containers.
        pub containers: Vec<Container>,
        /// Its volumes.
        pub volumes: Vec<VolumeSource>,
        /// With which secrets images are pulled.
        pub image_pull_secrets: Vec<Named>,
        /// As whom it runs.
        pub service_account_name: Option<String>,
    }

    /// A container as it is wanted.
    pub struct Container {
        /// Its name.
        pub name: String,
        /// Its image.
        pub image: Option<String>,
        /// `Always` for one that runs beside the others though it is begun before them.
        pub restart_policy: Option<String>,
        /// What it may use.
        pub resources: Resources,
        /// Its variables.
        pub env: Vec<Variable>,
        /// Where more of them come from.
        pub env_from: Vec<VariableSource>,
    }

    /// What a container may use.
    pub struct Resources {
        /// At most.
        pub limits: Limits,
    }

    /// What a container may use at most.
    pub struct Limits {
        /// Memory, as `128Mi`.
        pub memory: Option<String>,
    }

    /// What a pod is.
    pub struct PodStatus {
        /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
        pub phase: Option<String>,
        /// Why, in one word.
        pub reason: Option<String>,
        /// Why, for people.
        pub message: Option<String>,
        /// When the kubelet took it.
        pub start_time: Option<Timestamp>,
        /// Its conditions.
        pub conditions: Vec<Standing>,
        /// How its first containers are.
        pub init_container_statuses: Vec<ContainerStatus>,
        /// How its containers are.
        pub container_statuses: Vec<ContainerStatus>,
    }

    /// How a container is.
    pub struct ContainerStatus {
        /// Its name.
        pub name: String,
        /// Whether it is ready.
        pub ready: bool,
        /// How often it was started again.
        pub restart_count: u32,
        /// Now.
        pub state: ContainerState,
        /// In its previous run.
        pub last_state: ContainerState,
    }

    /// The state of a container; one of these is there.
    pub struct ContainerState {
        /// It waits.
        pub waiting: Option<Waiting>,
        /// It runs.
        pub running: Option<Running>,
        /// It has ended.
        pub terminated: Option<Terminated>,
    }

    /// A container waits.
    pub struct Waiting {
        /// Why, in one word.
        pub reason: Option<String>,
        /// Why, for people.
        pub message: Option<String>,
    }

    /// A container runs.
    pub struct Running {
        /// Since when.
        pub started_at: Option<Timestamp>,
    }

    /// A container has ended.
    pub struct Terminated {
        /// Its exit code.
        pub exit_code: i32,
        /// Why, in one word, as `OOMKilled`.
        pub reason: Option<String>,
        /// Its termination message, or the runtime's.
        pub message: Option<String>,
        /// When.
        pub finished_at: Option<Timestamp>,
    }
}

impl Pod {
    /// Whether it has ended for good.
    pub fn finished(&self) -> bool {
        matches!(self.status.phase.as_deref(), Some("Succeeded" | "Failed"))
    }

    /// Whether it is being deleted.
    pub fn deleting(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Its containers that run one after another first, then the others, as they are.
    pub fn statuses(&self) -> impl Iterator<Item = &ContainerStatus> {
        self.status.init_container_statuses.iter().chain(&self.status.container_statuses)
    }

    /// A container as it is wanted.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.spec.init_containers.iter().chain(&self.spec.containers).find(|container| container.name == name)
    }

    /// Whether this container is one of those that run first.
    pub fn initial(&self, name: &str) -> bool {
        self.spec.init_containers.iter().any(|container| container.name == name)
    }

    /// Since when its containers are not all ready; else when it was made. A container that waits has no time of its own.
    pub fn waiting_since(&self) -> Option<Timestamp> {
        find(&self.status.conditions, "ContainersReady", Status::False)
            .and_then(|condition| condition.last_transition_time)
            .or_else(|| super::meta::created(&self.metadata))
    }

    /// Since when it is ready.
    pub fn ready_since(&self) -> Option<Timestamp> {
        find(&self.status.conditions, "Ready", Status::True).and_then(|condition| condition.last_transition_time)
    }
}
