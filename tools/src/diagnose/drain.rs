//! Drains of nodes that a disruption budget holds up.

use marple_core::{Category, Finding};

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::{Relation, field};

const BLOCKED: Condition = Condition::cause("drain-held-by-budget", 12).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[BLOCKED], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (budget, value) in context.scene.of_kind("PodDisruptionBudget") {
        if field::number(value, "/status/disruptionsAllowed") != Some(0) {
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
        let number = |path| field::number(value, path).unwrap_or_default();
        context
            .finding(&BLOCKED, &node, Category::Scaling)
            .says(format!(
                "{node} can't be drained: {budget} allows no eviction of {pod}, as {} of its {} pods are healthy and {} have to be",
                number("/status/currentHealthy"),
                number("/status/expectedPods"),
                number("/status/desiredHealthy")
            ))
            .culprit(budget)
            .field(budget, "disruptionsAllowed", "0")
            .field(&node, "unschedulable", "true")
            .mend("Let the budget allow one disruption, or add a replica", workload::edit(budget))
            .into(findings);
    }
}
