//! Who holds the host port that a pod waits for.

use jiff::Timestamp;
use marple_core::ObjectRef;
use serde_json::Value;

use super::changed;
use super::context::Context;
use crate::scene::field;

/// The pod that holds a host port, and its top owner.
pub(super) struct Holder<'a> {
    pub(super) pod: &'a ObjectRef,
    pub(super) owner: ObjectRef,
    pub(super) port: i64,
    /// Whether it came after the workload that waits was last changed.
    pub(super) came_later: bool,
}

/// A pod on a node that has a host port which this pod asks for; of several the eldest.
pub(super) fn holder<'a>(context: &Context<'a>, waiting: &Value, unit: &ObjectRef) -> Option<Holder<'a>> {
    let asked = field::host_ports(waiting);
    let held = context.scene.of_kind("Pod").filter_map(|(pod, value)| {
        let owner = context.graph.top_owner(pod);
        let serves = field::text(value, "/spec/nodeName").is_some()
            && !matches!(field::text(value, "/status/phase"), Some("Succeeded" | "Failed"));
        let port = field::host_ports(value).into_iter().find(|port| asked.contains(port))?;
        (serves && owner != *unit).then_some((field::created(value), pod, owner, port))
    });
    let (created, pod, owner, (_, port)) = held.min_by_key(|(created, ..)| *created)?;
    let before = changed::at(context, unit, None);
    let later = |(created, before): (Timestamp, Timestamp)| created > before;
    Some(Holder { pod, owner, port, came_later: created.zip(before).is_some_and(later) })
}
