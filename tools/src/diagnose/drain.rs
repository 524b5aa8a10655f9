//! Drains of nodes, and other evictions, that a disruption budget holds up.

use std::collections::BTreeSet;

use marple_core::{Category, Finding};
use serde_json::Value;

use super::context::Context;
use super::words::lines;
use super::{Condition, Diagnoser, workload};
use crate::scene::{Relation, evictions, field};

const BLOCKED: Condition = Condition::cause("drain-held-by-budget", 12).likely();
const REFUSED: Condition = Condition::cause("eviction-held-by-budget", 12);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[BLOCKED, REFUSED], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    drains(context, findings);
    evictions(context, findings);
}

/// Evictions that a program asks for and is refused, by its log.
fn evictions(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let (mut read, mut told) = (BTreeSet::new(), BTreeSet::new());
    for words in lines(context).into_iter().filter(|words| evictions::is_refused(words.line)) {
        // The latest line of a log tells for all of it.
        if !read.insert((words.pod, words.container, words.previous)) {
            continue;
        }
        let Some(log) = context.scene.log(words.pod, words.container, words.previous) else { continue };
        for (budget, pod) in evictions::meant(context.scene, &context.graph, &log.text) {
            let Some(value) = context.scene.get(&budget) else { continue };
            if !told.insert((words.owner.clone(), budget.clone())) {
                continue;
            }
            let whom = pod.map_or_else(|| "a pod".to_owned(), |pod| pod.to_string());
            let draft = context
                .finding(&REFUSED, words.pod, Category::Scaling)
                .says(format!("{} can't evict {whom}: {budget} allows no eviction, as {}", words.owner, counted(value)))
                .culprit(&budget)
                .field(&budget, "disruptionsAllowed", "0");
            words
                .prove(draft)
                .mend("Add a replica, or let the budget allow one disruption", workload::edit(&budget))
                .check("Read its log", words.logs_command())
                .into(findings);
        }
    }
}

/// As `2 of its 2 pods are healthy and 2 have to be`.
fn counted(budget: &Value) -> String {
    let number = |path| field::number(budget, path).unwrap_or_default();
    format!(
        "{} of its {} pods are healthy and {} have to be",
        number("/status/currentHealthy"),
        number("/status/expectedPods"),
        number("/status/desiredHealthy")
    )
}

fn drains(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (budget, value) in context.scene.of_kind("PodDisruptionBudget") {
        if !evictions::allows_none(value) {
            continue;
        }
        let selected = context.graph.edges(budget).iter().filter(|edge| edge.relation == Relation::Selects);
        let on = selected.filter_map(|edge| {
            let node = super::node::of_pod(context.scene.get(&edge.to)?)?;
            let cordoned = context.scene.get(&node).is_some_and(|node| field::flag(node, "/spec/unschedulable"));
            cordoned.then_some((&edge.to, node))
        });
        // A pod on a cordoned node is one that a drain has to evict.
        let Some((pod, node)) = on.into_iter().next() else { continue };
        context
            .finding(&BLOCKED, &node, Category::Scaling)
            .says(format!("{node} can't be drained: {budget} allows no eviction of {pod}, as {}", counted(value)))
            .culprit(budget)
            .field(budget, "disruptionsAllowed", "0")
            .field(&node, "unschedulable", "true")
            .mend("Let the budget allow one disruption, or add a replica", workload::edit(budget))
            .into(findings);
    }
}
