//! Nodes that a DaemonSet leaves out for a taint that it does not tolerate.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, changed, workload};
use crate::scene::field;

const LEFT_OUT: Condition = Condition::cause("daemon-set-leaves-nodes-out", 60);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[LEFT_OUT], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // It may be meant so: worth a word where somebody asks about this DaemonSet.
    let asked =
        |object: &ObjectRef| context.scene.subjects.iter().any(|subject| context.graph.top_owner(subject) == *object);
    for (object, value) in context.scene.of_kind("DaemonSet").filter(|(object, _)| asked(object)) {
        let Some(spec) = field::pod_spec(value).filter(|spec| spec.get("affinity").is_none()) else { continue };
        let there = |node: &ObjectRef| {
            let mut pods = context.graph.members(object).iter().filter_map(|member| context.scene.get(member));
            pods.any(|pod| super::node::of_pod(pod).as_ref() == Some(node))
        };
        for (node, taint) in
            context.scene.of_kind("Node").filter_map(|(node, value)| Some((node, repelling(spec, value)?)))
        {
            if there(node) {
                continue;
            }
            let key = field::text(taint, "/key").unwrap_or_default();
            let newer = changed::is_newer(context, node, Some("taints"), object);
            let since = if newer { changed::told(context, "the node", node, Some("taints")) } else { String::new() };
            context
                .finding(&LEFT_OUT, object, Category::Scheduling)
                .says(format!("{object} has no pod on {node}: it does not tolerate the taint {key} there{since}"))
                .severity(Severity::Info)
                .culprit(if newer { node } else { object })
                .field(node, "key", key)
                .mend("Tolerate the taint, if it should run there", workload::edit(object))
                .into(findings);
        }
    }
}

/// The taint that keeps the pods of this specification from a node that they select; that of control planes is meant so.
fn repelling<'a>(spec: &Value, node: &'a Value) -> Option<&'a Value> {
    let labels = field::labels(node, "/metadata/labels");
    if !labels.matches(&field::labels(spec, "/nodeSelector")) {
        return None;
    }
    field::items(node, "/spec/taints").iter().find(|taint| {
        let text = |path| field::text(taint, path);
        matches!(text("/effect"), Some("NoSchedule" | "NoExecute"))
            // A DaemonSet's pods are given tolerations for what a node says of itself.
            && text("/key").is_some_and(|key| !key.starts_with("node.kubernetes.io/") && !key.ends_with("/control-plane"))
            && !field::items(spec, "/tolerations").iter().any(|toleration| tolerates(toleration, taint))
    })
}

/// Whether a toleration fits a taint (API reference: no key with Exists fits all, no effect fits each).
pub(super) fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let text = |value, path| field::text(value, path);
    let effect = text(toleration, "/effect").is_none_or(|effect| Some(effect) == text(taint, "/effect"));
    let key = text(toleration, "/key").is_none_or(|key| Some(key) == text(taint, "/key"));
    let exists = text(toleration, "/operator") == Some("Exists");
    effect && key && (exists || text(toleration, "/value") == text(taint, "/value"))
}
