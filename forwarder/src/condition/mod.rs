//! What can be wrong with an object: one file a condition, each a pure function of the object and what is known around
//! it. A condition that is added is one file and one line in the list below.

mod context;
mod registry;
mod sighting;
mod text;

mod claim_pending;
mod container_start;
mod crash_loop;
mod event_backstop;
mod eviction;
mod failed_job;
mod image_pull;
mod node_not_ready;
mod node_pressure;
mod not_ready;
mod oom_kill;
mod probe_failure;
mod replica_creation;
mod sandbox_failure;
mod stuck_rollout;
mod unschedulable;
mod volume_failure;

pub use claim_pending::ClaimPending;
pub use container_start::ContainerStart;
pub use context::{Context, Restarts};
pub use crash_loop::CrashLoop;
pub use event_backstop::EventBackstop;
pub use eviction::Eviction;
pub use failed_job::FailedJob;
pub use image_pull::ImagePull;
pub use node_not_ready::NodeNotReady;
pub use node_pressure::NodePressure;
pub use not_ready::NotReady;
pub use oom_kill::OomKill;
pub use probe_failure::ProbeFailure;
pub use registry::Condition;
pub use replica_creation::ReplicaCreation;
pub use sandbox_failure::SandboxFailure;
pub use sighting::{Sighting, Stage};
pub use stuck_rollout::StuckRollout;
pub use unschedulable::Unschedulable;
pub use volume_failure::VolumeFailure;

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
    /// A Job that failed: `JobFailed`.
    failed_job: FailedJob,
    /// A rollout that does not go on: `RolloutStuck`.
    stuck_rollout: StuckRollout,
    /// A workload whose pods are refused, by a quota or an admission rule: `ReplicaCreationFailing`.
    replica_creation: ReplicaCreation,
    /// A node that is not ready: `NodeNotReady`.
    node_not_ready: NodeNotReady,
    /// A node short of memory, disk or processes, or without network: `NodeMemoryPressure`, `NodeDiskPressure`,
    /// `NodePIDPressure`, `NodeNetworkUnavailable`.
    node_pressure: NodePressure,
    /// A claim that gets no volume, or has lost it: `PersistentVolumeClaimPending`, `PersistentVolumeClaimLost`.
    claim_pending: ClaimPending,
    /// A volume that can't be attached or mounted, from events: `PodVolumeFailing`.
    volume_failure: VolumeFailure,
    /// A probe that fails again and again, from events: `PodProbeFailing`.
    probe_failure: ProbeFailure,
    /// A pod whose sandbox, most often its network, can't be made, from events: `PodSandboxFailing`.
    sandbox_failure: SandboxFailure,
    /// What events tell of pods where the pods themselves can't be watched: `PodCrashLooping`, `PodImagePullFailing`,
    /// `PodUnschedulable`.
    event_backstop: EventBackstop,
}

#[cfg(test)]
mod tests;
