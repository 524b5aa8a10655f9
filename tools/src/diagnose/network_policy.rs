//! Network policies that may deny a call. Only a possible cause: who enforces them, and how, isn't visible.

use marple_core::{Category, Finding, Labels, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::{Relation, field};

const MAY_DENY: Condition = Condition::context("network-policy-may-deny");
const NOTHING: Condition = Condition::context("network-policy-selects-nothing");

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[MAY_DENY, NOTHING], find };

/// The port of name servers.
const DNS: i64 = 53;

/// One end of a call: its labels and namespace.
struct Peer<'a> {
    labels: Labels,
    namespace: &'a str,
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    if context.scene.of_kind("NetworkPolicy").next().is_none() {
        return;
    }
    selects_nothing(context, findings);
    let calls = context.graph.all_edges().filter(|edge| edge.relation == Relation::TalksTo);
    for (caller, service) in calls.map(|edge| (&edge.from, &edge.to)) {
        let callee = context
            .graph
            .edges(service)
            .iter()
            .filter(|edge| edge.relation == Relation::Selects)
            .find_map(|edge| Some((&edge.to, context.scene.get(&edge.to)?)));
        let (Some((callee, to)), Some(from)) = (callee, context.scene.get(caller)) else { continue };
        let (Some(here), Some(there)) = (caller.namespace.as_deref(), callee.namespace.as_deref()) else { continue };
        let from = Peer { labels: field::pod_labels(from), namespace: here };
        let to = Peer { labels: field::pod_labels(to), namespace: there };
        let port = port(context, caller, service);
        for (direction, own, other) in [("Egress", &from, &to), ("Ingress", &to, &from)] {
            let policies = policies(context, direction, own);
            let allowed = policies.iter().any(|(_, policy)| allows(policy, direction, own, other, port));
            let Some((policy, _)) = policies.first().filter(|_| !allowed) else { continue };
            let verb = if direction == "Egress" { "calls out of" } else { "calls into" };
            context
                .finding(&MAY_DENY, policy, Category::Network)
                .says(format!(
                    "{policy} allows no {verb} its pods that fit the call from {caller} to {service}: it may deny it"
                ))
                .severity(Severity::Info)
                .culprit(policy)
                .words(marple_core::ProofSource::Object((*policy).clone()), direction)
                .check("See what the policy allows", workload::describe(policy))
                .into(findings);
        }
    }
}

/// Policies that limit no pod: their selector may be mistyped.
fn selects_nothing(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (policy, value) in context.scene.of_kind("NetworkPolicy") {
        let selects = context.graph.edges(policy).iter().any(|edge| edge.relation == Relation::Selects);
        let narrow = ["matchLabels", "matchExpressions"].iter().any(|part| {
            value.pointer(&format!("/spec/podSelector/{part}")).is_some_and(|terms| !matches!(terms, Value::Null))
        });
        if selects || !narrow || !context.scene.lists("Pod", policy.namespace.as_deref()) {
            continue;
        }
        context
            .finding(&NOTHING, policy, Category::Network)
            .says(format!("{policy} selects no pod"))
            .severity(Severity::Info)
            .words(marple_core::ProofSource::Object(policy.clone()), "podSelector")
            .check("See its selector", workload::describe(policy))
            .into(findings);
    }
}

/// The port at which a call meets the pod, where it is known: the Service's only target port that is a number, or
/// that of the port that the caller writes.
fn port(context: &Context<'_>, caller: &ObjectRef, service: &ObjectRef) -> Option<i64> {
    if service.name == "kube-dns" {
        return Some(DNS);
    }
    let value = context.scene.get(service)?;
    let ports = field::items(value, "/spec/ports");
    let written = context.graph.call(caller, service).and_then(|call| call.port).map(i64::from);
    let fits = |port: &&Value| written.is_none() || field::number(port, "/port") == written;
    let mut fitting = ports.iter().filter(fits);
    let (Some(only), None) = (fitting.next(), fitting.next()) else { return None };
    match only.get("targetPort") {
        Some(target) => target.as_i64(),
        None => field::number(only, "/port"),
    }
}

/// Whether the ports of a rule cover one; without ports, and by a name, they cover any.
fn covers(rule: &Value, port: Option<i64>) -> bool {
    let ports = field::items(rule, "/ports");
    let Some(wanted) = port.filter(|_| !ports.is_empty()) else { return true };
    ports.iter().any(|one| match (one.get("port").map(Value::as_i64), field::number(one, "/endPort")) {
        (Some(Some(first)), Some(last)) => (first..=last).contains(&wanted),
        (Some(Some(number)), None) => number == wanted,
        // A name, or all ports.
        (Some(None) | None, _) => true,
    })
}

/// Policies of a direction that select an end.
fn policies<'a>(context: &Context<'a>, direction: &str, own: &Peer<'_>) -> Vec<(&'a ObjectRef, &'a Value)> {
    let all =
        context.scene.of_kind("NetworkPolicy").filter(|(policy, _)| policy.namespace.as_deref() == Some(own.namespace));
    all.filter(|(_, value)| {
        let types = field::items(value, "/spec/policyTypes");
        // Without policyTypes a policy is for ingress, and for egress where it has egress rules (API reference).
        let covers = match types {
            [] => direction == "Ingress" || value.pointer("/spec/egress").is_some(),
            types => types.iter().any(|one| one.as_str() == Some(direction)),
        };
        covers && value.pointer("/spec/podSelector").is_none_or(|selector| field::selects(selector, &own.labels))
    })
    .collect()
}

/// Whether a rule of the policy fits the other end. What can't be judged (addresses, labels of namespaces) fits.
fn allows(policy: &Value, direction: &str, own: &Peer<'_>, other: &Peer<'_>, port: Option<i64>) -> bool {
    let (rules, peers) = if direction == "Egress" { ("/spec/egress", "/to") } else { ("/spec/ingress", "/from") };
    field::items(policy, rules).iter().any(|rule| {
        let peers = field::items(rule, peers);
        covers(rule, port)
            && (peers.is_empty()
                || peers.iter().any(|peer| {
                    let named = Labels::from_iter([("kubernetes.io/metadata.name", other.namespace)]);
                    let space = match peer.pointer("/namespaceSelector") {
                        None => peer.pointer("/ipBlock").is_some() || own.namespace == other.namespace,
                        Some(selector) if judged(selector) => field::selects(selector, &named),
                        Some(_) => true,
                    };
                    space && peer.pointer("/podSelector").is_none_or(|selector| field::selects(selector, &other.labels))
                }))
    })
}

/// Whether a namespace selector asks for nothing but the namespace's name, the one label that is known.
fn judged(selector: &Value) -> bool {
    field::items(selector, "/matchExpressions").is_empty()
        && field::pairs(selector, "/matchLabels").all(|(name, _)| name == "kubernetes.io/metadata.name")
}
