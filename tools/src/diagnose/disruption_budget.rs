//! Disruption budgets that allow no eviction by their own numbers.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::field;

const BLOCKS: Condition = Condition::cause("disruption-budget-blocks", 40);
const UNHEALTHY: Condition = Condition::symptom("disruption-budget-unhealthy", 80);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[BLOCKS, UNHEALTHY], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, value) in context.scene.of_kind("PodDisruptionBudget") {
        let number = |path| field::number(value, path);
        let (Some(0), Some(healthy), Some(wanted), Some(expected)) = (
            number("/status/disruptionsAllowed"),
            number("/status/currentHealthy"),
            number("/status/desiredHealthy"),
            number("/status/expectedPods"),
        ) else {
            continue;
        };
        if expected == 0 {
            continue;
        }
        let (condition, statement, culprit) = if wanted >= expected {
            (
                &BLOCKS,
                format!("{object} allows no eviction at all: it wants {wanted} of {expected} pods healthy"),
                Some(object),
            )
        } else if healthy < wanted {
            (
                &UNHEALTHY,
                format!("{object} allows no eviction now: {healthy} pods are healthy, {wanted} are wanted"),
                None,
            )
        } else {
            continue;
        };
        let draft = context
            .finding(condition, object, Category::Scaling)
            .says(statement)
            .severity(Severity::Info)
            .field(object, "disruptionsAllowed", "0")
            .field(object, "desiredHealthy", &wanted.to_string());
        match culprit {
            Some(culprit) => draft.culprit(culprit).mend("Let it allow one disruption", workload::edit(object)),
            None => draft,
        }
        .into(findings);
    }
}
