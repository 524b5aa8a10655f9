//! A node that is not ready.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting};
use crate::object::{Object, Status};

/// A node that is not ready, or whose kubelet has gone silent, for longer than `hold`. It ends when the node is ready, or
/// with the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NodeNotReady {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `1m`: a node that joins takes as long. Default: `1m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for NodeNotReady {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(1), rate_limit: Period::minutes(10) }
    }
}

impl Condition for NodeNotReady {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Node(node) = object else { return Vec::new() };
        let conditions = &node.status.conditions;
        let unready =
            conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status != Status::True);
        let Some(condition) = unready else { return Vec::new() };
        let how = if condition.status == Status::Unknown { "is not heard of" } else { "is not ready" };
        let what = format!("{} {how}", context.key);
        let told = Sighting::of_standing("NodeNotReady", Severity::Critical, condition, &what, self.hold);
        vec![Sighting { node: Some(context.key.name.to_string()), ..told }]
    }
}
