//! What can be wrong with an object: one file a condition, each a pure function of the object and what is known around
//! it. A condition that is added is one file and one line in the list below.

mod context;
mod registry;
mod sighting;
mod text;

mod api_unavailable;
mod autoscaler_failing;
mod autoscaler_limit;
mod claim_pending;
mod container_start;
mod crash_loop;
mod cron_job_failing;
mod cron_job_missed;
mod custom_failing;
mod event_backstop;
mod eviction;
mod failed_job;
mod helm_release;
mod helm_workload;
mod image_pull;
mod load_balancer;
mod namespace_terminating;
mod node_not_ready;
mod node_pressure;
mod node_problem;
mod not_ready;
mod oom_kill;
mod probe_failure;
mod replica_creation;
mod sandbox_failure;
mod start_stuck;
mod stuck_rollout;
mod stuck_terminating;
mod unschedulable;
mod volume_failed;
mod volume_failure;
mod warning_event;

pub use api_unavailable::ApiUnavailable;
pub use autoscaler_failing::AutoscalerFailing;
pub use autoscaler_limit::AutoscalerLimit;
pub use claim_pending::ClaimPending;
pub use container_start::ContainerStart;
pub use context::{Context, Restarts};
pub use crash_loop::CrashLoop;
pub use cron_job_failing::CronJobFailing;
pub use cron_job_missed::CronJobMissed;
pub use custom_failing::CustomFailing;
pub use event_backstop::EventBackstop;
pub use eviction::Eviction;
pub use failed_job::FailedJob;
pub use helm_release::HelmRelease;
pub use helm_workload::HelmWorkload;
pub use image_pull::ImagePull;
pub use load_balancer::LoadBalancerPending;
pub use namespace_terminating::NamespaceTerminating;
pub use node_not_ready::NodeNotReady;
pub use node_pressure::NodePressure;
pub use node_problem::NodeProblem;
pub use not_ready::NotReady;
pub use oom_kill::OomKill;
pub use probe_failure::ProbeFailure;
pub use registry::Condition;
pub use replica_creation::ReplicaCreation;
pub use sandbox_failure::SandboxFailure;
pub use sighting::{Sighting, Stage};
pub use start_stuck::StartStuck;
pub use stuck_rollout::StuckRollout;
pub use stuck_terminating::StuckTerminating;
pub use unschedulable::Unschedulable;
pub use volume_failed::VolumeFailed;
pub use volume_failure::VolumeFailure;
pub use warning_event::WarningEvent;

registry::conditions! {
    /// A container that restarts again and again: `PodCrashLooping`.
    crash_loop: CrashLoop,
    /// An image that can't be pulled: `PodImagePullFailing`.
    image_pull: ImagePull,
    /// A container that can't be made or started: `PodContainerStartFailing`.
    container_start: ContainerStart,
    /// A container that was ended for its memory: `PodOOMKilled`.
    oom_kill: OomKill,
    /// A pod that a node under pressure has ended: `PodEvicted`.
    eviction: Eviction,
    /// A pod that fits no node: `PodUnschedulable`.
    unschedulable: Unschedulable,
    /// A pod of a workload that runs and is not ready: `PodNotReady`.
    not_ready: NotReady,
    /// A pod that has a node and does not start: `PodStartStuck`.
    start_stuck: StartStuck,
    /// A pod that should be gone and isn't: `PodStuckTerminating`.
    stuck_terminating: StuckTerminating,
    /// A Job that failed: `JobFailed`.
    failed_job: FailedJob,
    /// A CronJob whose last Job did not succeed: `CronJobFailing`.
    cron_job_failing: CronJobFailing,
    /// A CronJob that doesn't begin its Jobs, from events: `CronJobNotScheduled`.
    cron_job_missed: CronJobMissed,
    /// A rollout that does not go on: `RolloutStuck`.
    stuck_rollout: StuckRollout,
    /// A workload whose pods are refused, by a quota or an admission rule: `ReplicaCreationFailing`.
    replica_creation: ReplicaCreation,
    /// A node that is not ready: `NodeNotReady`.
    node_not_ready: NodeNotReady,
    /// A node short of memory, disk or processes, or without network: `NodeMemoryPressure`, `NodeDiskPressure`,
    /// `NodePIDPressure`, `NodeNetworkUnavailable`.
    node_pressure: NodePressure,
    /// A fault that another condition of a node tells: `NodeProblem`.
    node_problem: NodeProblem,
    /// A claim that gets no volume, or has lost it: `PersistentVolumeClaimPending`, `PersistentVolumeClaimLost`.
    claim_pending: ClaimPending,
    /// A volume that could not be reclaimed: `PersistentVolumeFailed`.
    volume_failed: VolumeFailed,
    /// A namespace that should be gone and isn't: `NamespaceStuckTerminating`.
    namespace_terminating: NamespaceTerminating,
    /// A Service that gets no address from a load balancer: `ServiceLoadBalancerPending`.
    load_balancer: LoadBalancerPending,
    /// An autoscaler at its maximum that wants more: `HorizontalPodAutoscalerMaxedOut`.
    autoscaler_limit: AutoscalerLimit,
    /// An autoscaler that can't scale: `HorizontalPodAutoscalerFailing`.
    autoscaler_failing: AutoscalerFailing,
    /// A Helm release that failed or hangs: `HelmReleaseFailed`, `HelmReleasePending`.
    helm_release: HelmRelease,
    /// A workload of a Helm release that is not ready: `HelmReleaseUnhealthy`.
    helm_workload: HelmWorkload,
    /// An API that the API server can't hand on: `APIServiceUnavailable`.
    api_unavailable: ApiUnavailable,
    /// A custom resource that tells of a fault: `CustomResourceFailing`.
    custom_failing: CustomFailing,
    /// A volume that can't be attached or mounted, from events: `PodVolumeFailing`.
    volume_failure: VolumeFailure,
    /// A probe that fails again and again, from events: `PodProbeFailing`.
    probe_failure: ProbeFailure,
    /// A pod whose sandbox, most often its network, can't be made, from events: `PodSandboxFailing`.
    sandbox_failure: SandboxFailure,
    /// What events tell of pods where the pods themselves can't be watched: `PodCrashLooping`, `PodImagePullFailing`,
    /// `PodUnschedulable`.
    event_backstop: EventBackstop,
    /// A warning event of any kind: `KubernetesWarningEvent`.
    warning_event: WarningEvent,
}

#[cfg(test)]
mod tests;
