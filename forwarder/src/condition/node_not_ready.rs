//! A node that is not ready.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, some_line};
use super::{Condition, Context, Sighting, Stage};
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
    fn enabled(&self) -> bool {
        self.enabled
    }

    fn rate_limit(&self) -> Period {
        self.rate_limit
    }

    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Node(node) = object else { return Vec::new() };
        let conditions = &node.status.conditions;
        let unready =
            conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status != Status::True);
        let Some(condition) = unready else { return Vec::new() };
        let message = condition.message.as_deref();
        let how = if condition.status == Status::Unknown { "is not heard of" } else { "is not ready" };
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            since: condition.last_transition_time,
            reason: condition.reason.clone(),
            node: Some(context.key.name.to_string()),
            description: some_line(message),
            ..Sighting::new(
                "NodeNotReady",
                Severity::Critical,
                format!("{} {how}{}", context.key, after_colon(message)),
            )
        }]
    }
}
