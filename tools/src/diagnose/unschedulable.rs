//! Pods that fit no node.

use marple_core::{Category, Finding, ObjectRef, ProofSource, Severity};
use serde_json::Value;

use super::context::Context;
use super::node_changed::Altered;
use super::{Condition, Diagnoser, claim, host_port, line, node_changed, preemption, workload};
use crate::scene::field;

const RESOURCES: Condition = Condition::cause("unschedulable-resources", 5);
const TAINT: Condition = Condition::cause("unschedulable-taint", 5);
const AFFINITY: Condition = Condition::cause("unschedulable-affinity", 5);
const VOLUME: Condition = Condition::cause("unschedulable-volume", 4);
const PORTS: Condition = Condition::cause("unschedulable-host-port", 5);
const CORDONED: Condition = Condition::cause("unschedulable-cordoned", 6);
const FULL: Condition = Condition::cause("unschedulable-too-many-pods", 6);
const GATED: Condition = Condition::cause("scheduling-gated", 7);
const OTHER: Condition = Condition::symptom("unschedulable", 8);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[RESOURCES, TAINT, AFFINITY, VOLUME, PORTS, CORDONED, FULL, GATED, OTHER], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (pod, value) in context.scene.of_kind("Pod") {
        let Some(scheduled) = field::condition(value, "PodScheduled") else { continue };
        let waits = field::text(scheduled, "/status") == Some("False") && context.settled(value);
        if !waits || value.pointer("/metadata/deletionTimestamp").is_some() {
            continue;
        }
        let message = field::text(scheduled, "/message").unwrap_or_default();
        match field::text(scheduled, "/reason") {
            Some("SchedulingGated") => gated(context, pod, value, message, findings),
            Some("Unschedulable") => judge(context, pod, value, message, findings),
            _ => {}
        }
    }
}

fn gated(context: &Context<'_>, pod: &ObjectRef, value: &Value, message: &str, findings: &mut Vec<Finding>) {
    let gates = field::items(value, "/spec/schedulingGates").iter().filter_map(|gate| field::text(gate, "/name"));
    context
        .finding(&GATED, pod, Category::Scheduling)
        .says(format!("{pod} is held back by its scheduling gate {}", gates.collect::<Vec<_>>().join(", ")))
        .culprit(&context.graph.top_owner(pod))
        .field(pod, "reason", "SchedulingGated")
        .field(pod, "message", message)
        .check("See who should open the gate", workload::describe(pod))
        .into(findings);
}

fn judge(context: &Context<'_>, pod: &ObjectRef, value: &Value, message: &str, findings: &mut Vec<Finding>) {
    let owner = context.graph.top_owner(pod);
    // What the scheduler tried beyond the first look is behind `preemption:`.
    let reasons = message.split(" preemption:").next().unwrap_or(message);
    let hindrance = hindrance(reasons);
    let altered = match hindrance {
        Hindrance::Taint => node_changed::tainted(context, value, &owner),
        Hindrance::Affinity => node_changed::relabelled(context, value, &owner),
        _ => None,
    };
    let (condition, category, statement, culprit) =
        explained(context, (pod, value), reasons, hindrance, altered.as_ref(), &owner);
    let mut draft = context
        .finding(&condition, pod, category)
        .says(statement)
        .severity(Severity::Critical)
        .field(pod, "message", message)
        .field(pod, "reason", "Unschedulable");
    if condition != OTHER {
        draft = draft.culprit(&culprit);
    }
    if condition == CORDONED && culprit.is("Node") {
        draft = draft
            .field(&culprit, "unschedulable", "true")
            .mend("Let the node take pods again", format!("kubectl uncordon {}", culprit.name));
    }
    if let Some(altered) = &altered {
        let recorded = ProofSource::Rollout(altered.node.clone());
        draft = draft
            .field(altered.node, "key", &altered.key)
            .words(recorded, &altered.key)
            .mend("Take back what was changed in the node", altered.undo.as_str());
    }
    draft
        .mend(
            match hindrance {
                Hindrance::Resources => "Lower the requests to what a node offers, or add a node",
                Hindrance::Affinity => "Correct the node selector or affinity, or label a node",
                Hindrance::Taint => "Tolerate the taint, or take it from a node",
                Hindrance::Failing => "Mend the node, or replace it",
                _ => "Correct what keeps it from every node",
            },
            if condition == VOLUME || culprit.is("Node") {
                workload::describe(&culprit)
            } else {
                workload::edit(&owner)
            },
        )
        .into(findings);
}

/// What the scheduler says of a pod: which condition that is, in words, and in what it lies.
fn explained(
    context: &Context<'_>,
    (pod, value): (&ObjectRef, &Value),
    reasons: &str,
    hindrance: Hindrance,
    altered: Option<&Altered<'_>>,
    owner: &ObjectRef,
) -> (Condition, Category, String, ObjectRef) {
    let told = line::cut(reasons, 170);
    let lately = altered.map(|it| format!("; {}", it.what)).unwrap_or_default();
    let changed = || altered.map_or_else(|| owner.clone(), |it| it.node.clone());
    match hindrance {
        Hindrance::Volume => {
            let culprit = waited_for(context, pod, value, reasons);
            let named = culprit.as_ref().map_or_else(|| "a claim".to_owned(), ToString::to_string);
            let claim = culprit.as_ref().and_then(|claim| context.scene.get(claim));
            let small = claim.and_then(|claim| claim::too_small(context, claim)).map(|why| format!(". {why}"));
            let statement = format!("{pod} waits for {named}: {told}{}", small.unwrap_or_default());
            (VOLUME, Category::Storage, statement, culprit.unwrap_or_else(|| owner.clone()))
        }
        Hindrance::Failing => {
            let culprit = failed_node(context, reasons).unwrap_or_else(|| owner.clone());
            let category = if culprit.is("Node") { Category::Node } else { Category::Scheduling };
            let why = if culprit.is("Node") {
                format!("; {culprit} has a taint of failure, and the others don't take it")
            } else {
                "; nodes have a taint of failure".to_owned()
            };
            (TAINT, category, format!("{pod} fits no node: {told}{why}"), culprit)
        }
        Hindrance::Cordoned => {
            let cordoned = context.scene.of_kind("Node").find(|(_, node)| field::flag(node, "/spec/unschedulable"));
            let culprit = cordoned.map_or_else(|| owner.clone(), |(node, _)| node.clone());
            (CORDONED, Category::Node, format!("{pod} fits no node: {told}; {culprit} is cordoned"), culprit)
        }
        Hindrance::Resources => {
            let preempted = preemption::each(context).into_iter().find(|(unit, _)| unit == owner).map(|(_, it)| it);
            let why = preempted.as_ref().map(|it| format!("; {}", it.told)).unwrap_or_default();
            let statement = format!("{pod} fits no node: {told}{}{why}", numbers(context, value, reasons));
            let culprit = preempted.and_then(|it| it.by).unwrap_or_else(|| owner.clone());
            (RESOURCES, Category::Resources, statement, culprit)
        }
        Hindrance::Taint => {
            let statement = format!("{pod} fits no node: {told}; it does not tolerate the taint{lately}");
            (TAINT, Category::Scheduling, statement, changed())
        }
        Hindrance::Affinity => {
            let statement = format!("{pod} fits no node: {told}{}{lately}", wanted(value));
            (AFFINITY, Category::Scheduling, statement, changed())
        }
        Hindrance::Ports => {
            let holder = host_port::holder(context, value, owner);
            let by = holder.as_ref().map_or_else(
                || "its host port is taken".to_owned(),
                |it| format!("its host port {} is taken by {} of {}", it.port, it.pod, it.owner),
            );
            let culprit = holder.filter(|it| it.came_later).map_or_else(|| owner.clone(), |it| it.owner);
            (PORTS, Category::Scheduling, format!("{pod} fits no node: {told}; {by}"), culprit)
        }
        Hindrance::Full => (FULL, Category::Node, format!("{pod} fits no node: {told}"), owner.clone()),
        Hindrance::Other => (OTHER, Category::Scheduling, format!("{pod} can't be scheduled: {told}"), owner.clone()),
    }
}

/// What keeps a pod from nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hindrance {
    Volume,
    /// A taint by which a node that fails keeps pods away.
    Failing,
    Cordoned,
    Resources,
    Taint,
    Affinity,
    Ports,
    Full,
    Other,
}

/// Words of the scheduler for each hindrance.
const SAID: [(Hindrance, &[&str]); 7] = [
    (
        Hindrance::Volume,
        &["persistentvolumeclaim", "PersistentVolumeClaims", "volume node affinity", "persistent volumes to bind"],
    ),
    (Hindrance::Cordoned, &["were unschedulable"]),
    (Hindrance::Resources, &["Insufficient "]),
    (Hindrance::Taint, &["untolerated taint", "had taint"]),
    (Hindrance::Affinity, &["node affinity/selector", "Pod's node affinity", "affinity rules", "topology spread"]),
    (Hindrance::Ports, &["free ports"]),
    (Hindrance::Full, &["Too many pods"]),
];

/// Taints of nodes that fail, as Kubernetes sets them.
const FAILURES: [&str; 6] =
    ["not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "network-unavailable"];

/// What explains best that no node takes the pod: a claim it waits for, nodes that fail or are cordoned, else what most
/// nodes say. That the control plane takes no pods is so in most clusters, and explains only where it is all there is.
fn hindrance(reasons: &str) -> Hindrance {
    let clauses = clauses(reasons).map(|(nodes, clause)| (nodes, of_clause(clause), clause)).collect::<Vec<_>>();
    for first in [Hindrance::Volume, Hindrance::Failing, Hindrance::Cordoned] {
        if clauses.iter().any(|(_, hindrance, _)| *hindrance == first) {
            return first;
        }
    }
    let reserved = |clause: &str| {
        ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master", "node-role.kubernetes.io/etcd"]
            .iter()
            .any(|taint| clause.contains(taint))
    };
    let known = clauses.iter().filter(|(_, hindrance, _)| *hindrance != Hindrance::Other);
    let open = known.clone().filter(|(_, _, clause)| !reserved(clause));
    // Of as many nodes the first: it is the one that the scheduler tells first.
    let most = |best: Option<(u64, Hindrance)>, (nodes, hindrance, _): &(u64, Hindrance, &str)| match best {
        Some(best) if best.0 >= *nodes => Some(best),
        _ => Some((*nodes, *hindrance)),
    };
    let of_open = open.fold(None, most);
    of_open.or_else(|| known.fold(None, most)).map_or(Hindrance::Other, |(_, hindrance)| hindrance)
}

fn of_clause(clause: &str) -> Hindrance {
    let found = SAID.iter().find(|(_, words)| words.iter().any(|word| clause.contains(word)));
    match found.map(|(hindrance, _)| *hindrance) {
        Some(Hindrance::Taint) if failure(clause).is_some() => Hindrance::Failing,
        // A drain and the scheduler's own taint say the same.
        Some(Hindrance::Taint) if clause.contains("node.kubernetes.io/unschedulable") => Hindrance::Cordoned,
        Some(hindrance) => hindrance,
        None => Hindrance::Other,
    }
}

/// The parts of `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.`, each with how many nodes it
/// is of. A comma within a part is followed by no number of nodes.
fn clauses(reasons: &str) -> impl Iterator<Item = (u64, &str)> {
    let rest = reasons.split_once("nodes are available: ").map_or(reasons, |(_, rest)| rest);
    let mut parts: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    for part in rest.split_inclusive(", ") {
        let counts = part.split(' ').next().is_some_and(|word| word.parse::<u64>().is_ok());
        match parts.last_mut() {
            Some(last) if !counts => last.1 = from + part.len(),
            _ => parts.push((from, from + part.len())),
        }
        from += part.len();
    }
    parts.into_iter().filter_map(move |(from, to)| {
        let clause = rest.get(from..to)?.trim_end_matches([',', ' ', '.']);
        Some((clause.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(1), clause))
    })
}

/// The claim that the pod waits for: the one that is named or not bound, else its first.
fn waited_for(context: &Context<'_>, pod: &ObjectRef, value: &Value, reasons: &str) -> Option<ObjectRef> {
    let namespace = pod.namespace.as_deref().unwrap_or("default");
    let claims = field::items(value, "/spec/volumes")
        .iter()
        .filter_map(|volume| field::text(volume, "/persistentVolumeClaim/claimName"))
        .map(|claim| ObjectRef::namespaced("PersistentVolumeClaim", namespace, claim))
        .collect::<Vec<_>>();
    let waits = |claim: &&ObjectRef| {
        reasons.contains(&format!("\"{}\"", claim.name))
            || context.scene.get(claim).is_some_and(|claim| field::text(claim, "/status/phase") != Some("Bound"))
    };
    claims.iter().find(waits).or(claims.first()).cloned()
}

/// What the pod asks for of the short resource, and the most that a node offers.
fn numbers(context: &Context<'_>, pod: &Value, reasons: &str) -> String {
    let Some(resource) = reasons.split_once("Insufficient ").map(|(_, rest)| rest) else { return String::new() };
    let resource = resource.split([',', ' ']).next().unwrap_or_default().trim_end_matches('.');
    let asked = field::items(pod, "/spec/containers")
        .iter()
        .filter_map(|container| container.pointer("/resources/requests")?.get(resource)?.as_str())
        .collect::<Vec<_>>();
    let offered = context
        .scene
        .of_kind("Node")
        .filter_map(|(_, node)| node.pointer("/status/allocatable")?.get(resource)?.as_str())
        .max_by(|one, other| amount(one).total_cmp(&amount(other)));
    match (asked.as_slice(), offered) {
        ([], _) => String::new(),
        (asked, Some(offered)) => {
            format!("; it asks for {resource} {}, the largest node has {offered} in all", asked.join(" + "))
        }
        (asked, None) => format!("; it asks for {resource} {}", asked.join(" + ")),
    }
}

/// A quantity as a number, to compare.
fn amount(quantity: &str) -> f64 {
    let end = quantity.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at_checked(end).unwrap_or((quantity, ""));
    let factor = match unit {
        "m" => 1e-3,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        _ => 1.0,
    };
    number.parse::<f64>().unwrap_or_default() * factor
}

/// The node selector that the pod asks for.
fn wanted(pod: &Value) -> String {
    let selector =
        field::pairs(pod, "/spec/nodeSelector").map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    if selector.is_empty() { String::new() } else { format!("; it asks for nodes with {}", selector.join(", ")) }
}

/// The key of the taint of failure that a text names.
fn failure(text: &str) -> Option<String> {
    FAILURES.iter().map(|word| format!("node.kubernetes.io/{word}")).find(|taint| text.contains(taint.as_str()))
}

/// The node that a taint of failure is on: not ready, unreachable or under pressure.
fn failed_node(context: &Context<'_>, reasons: &str) -> Option<ObjectRef> {
    let taint = failure(reasons)?;
    let mut nodes = context.scene.of_kind("Node");
    nodes.find_map(|(node, value)| {
        field::items(value, "/spec/taints")
            .iter()
            .any(|one| field::text(one, "/key") == Some(&taint))
            .then(|| node.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_nodes_say_is_weighed_and_not_the_order_of_the_words() {
        let of = |reasons: &str| hindrance(&format!("0/3 nodes are available: {reasons}."));
        let plane = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }";
        assert_eq!(of(plane), Hindrance::Taint);
        for (reason, expected) in [
            ("2 node(s) didn't match Pod's node affinity/selector", Hindrance::Affinity),
            ("2 node(s) didn't match pod anti-affinity rules", Hindrance::Affinity),
            ("2 node(s) were unschedulable", Hindrance::Cordoned),
            ("2 node(s) didn't have free ports for the requested pod ports", Hindrance::Ports),
            ("2 Too many pods", Hindrance::Full),
            ("2 Insufficient cpu", Hindrance::Resources),
            ("2 node(s) had untolerated taint {dedicated: gpu}", Hindrance::Taint),
            ("2 node(s) had untolerated taint {node.kubernetes.io/unreachable: }", Hindrance::Failing),
            ("2 node(s) had volume node affinity conflict", Hindrance::Volume),
        ] {
            assert_eq!(of(&format!("{plane}, {reason}")), expected, "{reason}");
        }
        assert_eq!(
            of("1 Insufficient memory, 2 node(s) had untolerated taint {node.kubernetes.io/not-ready: }"),
            Hindrance::Failing
        );
        assert_eq!(of("2 Insufficient cpu, 1 node(s) were unschedulable"), Hindrance::Cordoned);
        assert_eq!(of("1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector"), Hindrance::Affinity);
        assert_eq!(of("2 Insufficient cpu, 1 node(s) had untolerated taint {dedicated: gpu}"), Hindrance::Resources);
        assert_eq!(of("3 node(s) said what nobody knows"), Hindrance::Other);
    }
}
