//! A node of which a condition of others than the kubelet tells a fault.

use std::collections::BTreeSet;

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::node_pressure::PRESSURES;
use super::{Condition, Context, Sighting};
use crate::object::{Object, Standing, Status};

/// A fault that a condition of a node tells, as the node-problem-detector and agents of clouds write them: `KernelDeadlock`
/// or `ReadonlyFilesystem` that is `True`, `NetworkingReady` that is `False`. Each is a condition of its own. It ends when
/// the node says so, or with the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NodeProblem {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// Conditions that tell no fault whatever they say. Default: `[EtcdIsVoter]`.
    pub ignore: BTreeSet<String>,
    /// How long it must last, as `1m`. Default: `1m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for NodeProblem {
    fn default() -> Self {
        Self {
            enabled: true,
            ignore: ["EtcdIsVoter".to_owned()].into(),
            hold: Period::minutes(1),
            rate_limit: Period::minutes(10),
        }
    }
}

/// How conditions end that say that all is well. All others name a fault.
const GOOD: [&str; 5] = ["Ready", "Healthy", "Available", "Synced", "Ok"];

impl Condition for NodeProblem {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Node(node) = object else { return Vec::new() };
        let told = node.status.conditions.iter().filter(|condition| self.is_fault(condition)).map(|condition| {
            let how = if condition.status == Status::True { "has" } else { "is without" };
            let what = format!("{} {how} {}", context.key, condition.type_);
            let told = Sighting::of_standing("NodeProblem", Severity::Warning, condition, &what, self.hold);
            Sighting { condition: Some(condition.type_.clone()), node: Some(context.key.name.to_string()), ..told }
        });
        told.collect()
    }
}

impl NodeProblem {
    fn is_fault(&self, condition: &Standing) -> bool {
        let type_ = condition.type_.as_str();
        let elsewhere = type_ == "Ready" || PRESSURES.iter().any(|(known, ..)| *known == type_);
        let good = GOOD.iter().any(|end| type_.strip_suffix(end).is_some_and(|before| !before.ends_with("Not")));
        let bad = if good { Status::False } else { Status::True };
        !elsewhere && !type_.is_empty() && !self.ignore.contains(type_) && condition.status == bad
    }
}
