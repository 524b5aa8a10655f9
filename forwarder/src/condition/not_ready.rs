//! A pod of a workload that runs and is not ready.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::some_line;
use super::{Condition, Context, Sighting, Stage};
use crate::object::{Object, Pod, Status, controller, find};

/// A pod of a workload whose containers all run and that is not ready for longer than `hold`. It ends when it is ready,
/// or with the pod. Pods of Jobs serve nobody and don't count; containers that don't run are other conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NotReady {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `5m`. Default: `5m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for NotReady {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(5), rate_limit: Period::minutes(10) }
    }
}

impl Condition for NotReady {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Pod(pod) = object else { return Vec::new() };
        if pod.deleting() || pod.status.phase.as_deref() != Some("Running") || !of_workload(pod) {
            return Vec::new();
        }
        let Some(condition) = find(&pod.status.conditions, "Ready", Status::False) else { return Vec::new() };
        let all_run = pod.status.container_statuses.iter().all(|status| status.state.running.is_some());
        if !all_run || condition.reason.as_deref() == Some("PodCompleted") {
            return Vec::new();
        }
        let unready = pod.status.container_statuses.iter().filter(|status| !status.ready);
        let unready: Vec<&str> = unready.map(|status| status.name.as_str()).collect();
        let which = match unready.as_slice() {
            [] => condition.reason.clone().unwrap_or_else(|| "all its containers are".to_owned()),
            [one] => format!("container {one} is not"),
            more => format!("containers {} are not", more.join(", ")),
        };
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            since: condition.last_transition_time,
            reason: condition.reason.clone(),
            node: pod.spec.node_name.clone(),
            description: some_line(condition.message.as_deref()),
            ..Sighting::new("PodNotReady", Severity::Warning, format!("{} runs and is not ready: {which}", context.key))
        }]
    }
}

fn of_workload(pod: &Pod) -> bool {
    controller(&pod.metadata).is_some_and(|owner| &*owner.kind != "Job")
}
