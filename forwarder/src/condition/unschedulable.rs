//! A pod that fits no node.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting};
use crate::object::{Object, Status, find};

/// A pod that fits no node for longer than `hold`. It ends when it has a node, or with the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Unschedulable {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `2m`: an autoscaler may bring a node. Default: `2m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for Unschedulable {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(2), rate_limit: Period::minutes(10) }
    }
}

impl Condition for Unschedulable {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Pod(pod) = object else { return Vec::new() };
        // Other reasons, as SchedulingGated, are somebody's wish.
        let unscheduled = find(&pod.status.conditions, "PodScheduled", Status::False)
            .filter(|condition| condition.reason.as_deref() == Some("Unschedulable"))
            .filter(|_| !pod.finished() && !pod.deleting());
        let Some(condition) = unscheduled else { return Vec::new() };
        let what = format!("{} fits no node", context.key);
        vec![Sighting::of_standing("PodUnschedulable", Severity::Warning, condition, &what, self.hold)]
    }
}
