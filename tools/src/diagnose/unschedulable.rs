//! Pods that fit no node.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
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
    let says = |words: &[&str]| words.iter().any(|word| reasons.contains(word));
    let namespace = pod.namespace.as_deref().unwrap_or("default");
    let claims = || {
        field::items(value, "/spec/volumes")
            .iter()
            .filter_map(|volume| field::text(volume, "/persistentVolumeClaim/claimName"))
            .map(|claim| ObjectRef::namespaced("PersistentVolumeClaim", namespace, claim))
            .collect::<Vec<_>>()
    };
    let told = line::cut(reasons, 170);
    let (condition, category, statement, culprit) = if says(&[
        "persistentvolumeclaim",
        "unbound immediate PersistentVolumeClaims",
        "volume node affinity",
        "persistent volumes to bind",
    ]) {
        let pending = claims().into_iter().find(|claim| {
            reasons.contains(&format!("\"{}\"", claim.name))
                || context.scene.get(claim).is_some_and(|claim| field::text(claim, "/status/phase") != Some("Bound"))
        });
        let culprit = pending.or_else(|| claims().into_iter().next());
        let named = culprit.as_ref().map_or_else(|| "a claim".to_owned(), ToString::to_string);
        (
            VOLUME,
            Category::Storage,
            format!("{pod} waits for {named}: {told}"),
            culprit.unwrap_or_else(|| owner.clone()),
        )
    } else if says(&["Insufficient "]) {
        (
            RESOURCES,
            Category::Resources,
            format!("{pod} fits no node: {told}{}", numbers(context, value, reasons)),
            owner.clone(),
        )
    } else if says(&["untolerated taint", "had taint"]) {
        let node = failed_node(context, reasons);
        let culprit = node.unwrap_or_else(|| owner.clone());
        (
            TAINT,
            if culprit.is("Node") { Category::Node } else { Category::Scheduling },
            format!("{pod} fits no node: {told}; it does not tolerate the taint"),
            culprit,
        )
    } else if says(&[
        "node affinity/selector",
        "didn't match Pod's node affinity",
        "anti-affinity",
        "pod affinity",
        "topology spread",
    ]) {
        (AFFINITY, Category::Scheduling, format!("{pod} fits no node: {told}{}", wanted(value)), owner.clone())
    } else if says(&["free ports"]) {
        (PORTS, Category::Scheduling, format!("{pod} fits no node: {told}; its host port is taken"), owner.clone())
    } else if says(&["were unschedulable"]) {
        let cordoned = context.scene.of_kind("Node").find(|(_, node)| field::flag(node, "/spec/unschedulable"));
        let culprit = cordoned.map_or_else(|| owner.clone(), |(node, _)| node.clone());
        (CORDONED, Category::Node, format!("{pod} fits no node: {told}; {culprit} is cordoned"), culprit)
    } else if says(&["Too many pods"]) {
        (FULL, Category::Node, format!("{pod} fits no node: {told}"), owner.clone())
    } else {
        (OTHER, Category::Scheduling, format!("{pod} can't be scheduled: {told}"), owner.clone())
    };
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
    draft
        .mend(
            match condition.word {
                "unschedulable-resources" => "Lower the requests to what a node offers, or add a node",
                "unschedulable-affinity" => "Correct the node selector or affinity, or label a node",
                "unschedulable-taint" => "Tolerate the taint, or take it from a node",
                _ => "Correct what keeps it from every node",
            },
            if condition == VOLUME { workload::describe(&culprit) } else { workload::edit(&owner) },
        )
        .into(findings);
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

/// The node that a taint of failure is on: not ready, unreachable or under pressure.
fn failed_node(context: &Context<'_>, reasons: &str) -> Option<ObjectRef> {
    let failing =
        ["not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "network-unavailable"];
    let taint = failing
        .iter()
        .map(|word| format!("node.kubernetes.io/{word}"))
        .find(|taint| reasons.contains(taint.as_str()))?;
    let mut nodes = context.scene.of_kind("Node");
    nodes.find_map(|(node, value)| {
        field::items(value, "/spec/taints")
            .iter()
            .any(|one| field::text(one, "/key") == Some(&taint))
            .then(|| node.clone())
    })
}
