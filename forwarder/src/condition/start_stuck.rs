//! A pod that has a node and does not start.

use jiff::Timestamp;
use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting, Stage};
use crate::object::{ContainerStatus, Object, Pod, Status, find};

/// A pod that has a node and whose containers are not made for longer than `hold`, or one of whose first containers runs
/// for longer. Where a container tells why it doesn't start, that is another condition. It ends when the pod starts, or
/// with the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StartStuck {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `10m`. Default: `10m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for StartStuck {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(10), rate_limit: Period::minutes(10) }
    }
}

/// Why a container waits that nothing is known to be wrong with.
const WAITING: [&str; 2] = ["ContainerCreating", "PodInitializing"];

impl Condition for StartStuck {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Pod(pod) = object else { return Vec::new() };
        let scheduled = find(&pod.status.conditions, "PodScheduled", Status::True);
        let Some(scheduled) = scheduled.filter(|_| pod.status.phase.as_deref() == Some("Pending") && !pod.deleting())
        else {
            return Vec::new();
        };
        if pod.statuses().any(tells_itself) {
            return Vec::new();
        }
        let (container, since, reason, how) = match running_first(pod) {
            Some((name, since)) => {
                let how = format!("its first container {name} has not ended");
                (Some(name.to_owned()), since, "FirstContainerRuns", how)
            }
            None => {
                (None, scheduled.last_transition_time, "ContainerCreating", "its containers are not made".to_owned())
            }
        };
        vec![Sighting {
            container,
            stage: Stage::Holds(self.hold.duration()),
            since,
            reason: Some(reason.to_owned()),
            node: pod.spec.node_name.clone(),
            ..Sighting::new("PodStartStuck", Severity::Warning, format!("{} does not start: {how}", context.key))
        }]
    }
}

/// Whether the container's state says why it doesn't start.
fn tells_itself(status: &ContainerStatus) -> bool {
    let waits = status.state.waiting.as_ref().and_then(|waiting| waiting.reason.as_deref());
    let failed = status.state.terminated.as_ref().is_some_and(|ended| ended.exit_code != 0);
    failed || waits.is_some_and(|reason| !WAITING.contains(&reason))
}

/// The first container that runs and that the others wait for.
fn running_first(pod: &Pod) -> Option<(&str, Option<Timestamp>)> {
    pod.status.init_container_statuses.iter().find_map(|status| {
        let running = status.state.running.as_ref()?;
        let beside = pod.container(&status.name).and_then(|container| container.restart_policy.as_deref());
        // One that runs beside the others is waited for only until it has started.
        (beside != Some("Always") || !status.ready).then_some((status.name.as_str(), running.started_at))
    })
}
