//! Nodes: what keeps pods away from them, and by what they are chosen.

use serde_json::Value;

use crate::change::trim::Trim;

/// Taints that the cluster sets and takes away by the node's conditions; `unschedulable` is told as a field.
const BY_CONDITION: &str = "node.kubernetes.io/";

/// Nodes.
pub(super) fn trim(trim: &mut Trim<'_>) {
    for taint in trim.part("/spec/taints").as_array().into_iter().flatten() {
        let text = |key: &str| taint.get(key).and_then(Value::as_str).unwrap_or_default();
        if !text("key").starts_with(BY_CONDITION) {
            let value = if text("value").is_empty() { "set" } else { text("value") };
            trim.field(format!("taints[{}:{}]", text("key"), text("effect")), value);
        }
    }
    trim.walk("unschedulable", trim.part("/spec/unschedulable"));
    trim.labels();
}
