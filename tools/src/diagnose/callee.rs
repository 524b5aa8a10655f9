//! What the objects tell of a workload that gives no answer in time: whether it is ready, restarts, has little processor time,
//! was changed.

use marple_core::ObjectRef;
use serde_json::Value;

use super::context::Context;
use super::{changed, workload};
use crate::kubernetes::quantity;
use crate::scene::field;

/// A processor limit of at most so many cores is worth a word where answers are late.
const LITTLE: f64 = 0.25;

/// What is behind a Service, in parentheses; nothing where nothing of it is seen.
pub(super) fn told(context: &Context<'_>, service: &ObjectRef) -> String {
    let behind = context.graph.workloads_behind(service);
    let Some((unit, value)) = behind.iter().find_map(|unit| Some((unit, context.scene.get(unit)?))) else {
        return String::new();
    };
    let pods = context.graph.members(unit).iter().filter(|member| member.is("Pod"));
    let pods = pods.filter_map(|pod| context.scene.get(pod)).collect::<Vec<_>>();
    let statuses = pods.iter().flat_map(|pod| field::items(pod, "/status/containerStatuses"));
    let restarts = statuses.filter_map(|status| field::number(status, "/restartCount")).sum::<i64>();
    let ready = workload::replicas(unit, value).map(|(wanted, ready)| format!("{ready} of {wanted} replicas ready"));
    let changed = context.scene.rollouts.get(unit).filter(|it| context.within(it.at, changed::LATELY));
    let facts = [
        ready,
        (restarts > 0).then(|| format!("{restarts} restarts")),
        pods.first().and_then(|pod| limit(pod)),
        changed.map(|it| format!("changed at {}", context.clock(it.at))),
    ];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if facts.is_empty() { String::new() } else { format!(" (behind it {unit}: {facts})") }
}

/// A low processor limit of a container.
fn limit(pod: &Value) -> Option<String> {
    field::items(pod, "/spec/containers").iter().find_map(|container| {
        let limit = field::text(container, "/resources/limits/cpu")?;
        (quantity::parse(limit)? <= LITTLE).then(|| format!("CPU limit {limit}"))
    })
}
