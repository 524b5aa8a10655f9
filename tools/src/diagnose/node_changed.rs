//! Nodes that were changed lately so that they take pods no more which they took before.

use std::collections::BTreeSet;

use marple_core::ObjectRef;
use serde_json::Value;

use super::changed;
use super::context::Context;
use super::daemon_set_nodes::tolerates;
use crate::scene::{Change, field};

/// A node with what was changed in it, in words.
pub(super) struct Altered<'a> {
    pub(super) node: &'a ObjectRef,
    pub(super) what: String,
    /// The key of the taint or label.
    pub(super) key: String,
    /// The command that takes it back.
    pub(super) undo: String,
}

/// A node with a taint that the pod does not tolerate, set after its workload was last changed.
pub(super) fn tainted<'a>(context: &Context<'a>, pod: &Value, owner: &ObjectRef) -> Option<Altered<'a>> {
    let tolerations = field::items(pod, "/spec/tolerations");
    let repels = |taint: &&Value| {
        let own = field::text(taint, "/key").is_some_and(|key| !key.contains("kubernetes.io/"));
        let keeps = matches!(field::text(taint, "/effect"), Some("NoSchedule" | "NoExecute"));
        own && keeps && !tolerations.iter().any(|toleration| tolerates(toleration, taint))
    };
    context.scene.of_kind("Node").find_map(|(node, value)| {
        let taint = field::items(value, "/spec/taints").iter().find(repels)?;
        let key = field::text(taint, "/key")?.to_owned();
        // A recorded change of the node may be of something else.
        let of_taints = |change: &Change| change.field.starts_with("taints[");
        let other = context.scene.rollouts.get(node).is_some_and(|it| !it.changes.iter().any(of_taints));
        let newer = field::time(taint, "/timeAdded").map_or_else(
            || !other && changed::is_newer(context, node, Some("taints"), owner),
            |added| changed::at(context, owner, None).is_some_and(|at| added > at),
        );
        let since = changed::told(context, "it", node, Some("taints"));
        let undo = format!("kubectl taint nodes {} {key}-", node.name);
        newer.then(|| Altered { node, what: format!("{node} has the taint {key}{since}"), key, undo })
    })
}

/// A node that had a label which the pod's node selector or affinity asks for, taken away or changed after its workload was
/// last changed.
pub(super) fn relabelled<'a>(context: &Context<'a>, pod: &Value, owner: &ObjectRef) -> Option<Altered<'a>> {
    let asked = asked(pod);
    context.scene.of_kind("Node").find_map(|(node, _)| {
        let rollout = context.scene.rollouts.get(node)?;
        let change = rollout.changes.iter().find(|change| {
            change.from.is_some() && change.field.strip_prefix("labels.").is_some_and(|label| asked.contains(label))
        })?;
        let key = change.field.trim_start_matches("labels.").to_owned();
        let what = format!("{node} was changed at {}: {change}", context.clock(rollout.at));
        let undo = format!("kubectl label node {} {key}={} --overwrite", node.name, change.from.as_deref()?);
        changed::is_newer(context, node, None, owner).then_some(Altered { node, what, key, undo })
    })
}

/// The labels that a pod asks of its node.
fn asked(pod: &Value) -> BTreeSet<&str> {
    let terms = field::items(
        pod,
        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms",
    );
    let expressions = terms.iter().flat_map(|term| field::items(term, "/matchExpressions"));
    let by_affinity = expressions.filter_map(|expression| field::text(expression, "/key"));
    field::pairs(pod, "/spec/nodeSelector").map(|(key, _)| key).chain(by_affinity).collect()
}
