//! A node short of something.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting};
use crate::object::{Object, Status, find};

/// A node short of memory, disk or processes, or without network, for longer than `hold`. It ends when the node says so,
/// or with the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NodePressure {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `0s`. Default: `0s`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for NodePressure {
    fn default() -> Self {
        Self { enabled: true, hold: Period::seconds(0), rate_limit: Period::minutes(10) }
    }
}

/// The node's condition, the signal's name, and what it is short of.
pub(super) const PRESSURES: [(&str, &str, &str); 4] = [
    ("MemoryPressure", "NodeMemoryPressure", "is short of memory"),
    ("DiskPressure", "NodeDiskPressure", "is short of disk"),
    ("PIDPressure", "NodePIDPressure", "is short of processes"),
    ("NetworkUnavailable", "NodeNetworkUnavailable", "has no network"),
];

impl Condition for NodePressure {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Node(node) = object else { return Vec::new() };
        let pressed = PRESSURES.into_iter().filter_map(|(type_, name, how)| {
            let condition = find(&node.status.conditions, type_, Status::True)?;
            let what = format!("{} {how}", context.key);
            let told = Sighting::of_standing(name, Severity::Warning, condition, &what, self.hold);
            Some(Sighting { node: Some(context.key.name.to_string()), ..told })
        });
        pressed.collect()
    }
}
