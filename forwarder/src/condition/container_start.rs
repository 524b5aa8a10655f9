//! A container that can't be made or started.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, some_line};
use super::{Condition, Context, Sighting, Stage};
use crate::object::{ContainerStatus, Object};

/// A container that can't be made or started: a ConfigMap, Secret or key that is missing, a command that isn't in the
/// image, a hook that fails. It ends when the container starts, or with the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContainerStart {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for ContainerStart {
    fn default() -> Self {
        Self { enabled: true, hold: Period::seconds(0), rate_limit: Period::minutes(10) }
    }
}

/// Why a container waits when it can't be made (`pkg/kubelet/container/sync_result.go`).
const WAITING: [&str; 7] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "PreCreateHookError",
    "PreStartHookError",
    "PostStartHookError",
    "RunContainerError",
    "StartError",
];

/// How a run ended that never began; the container then waits in `CrashLoopBackOff` as any other.
const TERMINATED: [&str; 2] = ["StartError", "ContainerCannotRun"];

impl Condition for ContainerStart {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Pod(pod) = object else { return Vec::new() };
        if pod.finished() {
            return Vec::new();
        }
        let failing = pod.statuses().filter_map(|status| {
            let (reason, message) = refusal(status)?;
            let summary = format!(
                "Container {} of {} can't be started: {reason}{}",
                status.name,
                context.key,
                after_colon(message)
            );
            Some(Sighting {
                container: Some(status.name.clone()),
                stage: Stage::Holds(self.hold.duration()),
                since: pod.waiting_since(),
                reason: Some(reason.to_owned()),
                node: pod.spec.node_name.clone(),
                description: some_line(message),
                ..Sighting::new("PodContainerStartFailing", Severity::Warning, summary)
            })
        });
        failing.collect()
    }
}

/// Why the container was not started, and what is said of it.
fn refusal(status: &ContainerStatus) -> Option<(&str, Option<&str>)> {
    if status.state.running.is_some() {
        return None;
    }
    let waiting = status.state.waiting.as_ref();
    if let Some(waiting) = waiting
        && let Some(reason) = waiting.reason.as_deref().filter(|reason| WAITING.contains(reason))
    {
        return Some((reason, waiting.message.as_deref()));
    }
    let ended = status.state.terminated.as_ref().or(status.last_state.terminated.as_ref())?;
    let reason = ended.reason.as_deref().filter(|reason| TERMINATED.contains(reason))?;
    Some((reason, ended.message.as_deref()))
}
