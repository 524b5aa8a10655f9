//! Limit ranges that refuse pods.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, line, workload};

const REFUSED: Condition = Condition::cause("limit-range-refuses", 2);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[REFUSED], find: |context, findings| each(context, findings, judge) };

fn judge<'a>(context: &Context<'a>, refusal: &Refusal<'a>, findings: &mut Vec<Finding>) {
    let forbidden = refusal.message.split_once("is forbidden: ").map_or(refusal.message, |(_, rest)| rest);
    let bound = ["maximum ", "minimum "].iter().any(|word| forbidden.contains(word))
        && (forbidden.contains(" usage per ") || forbidden.contains("limit to request ratio per "));
    if !bound {
        return;
    }
    let namespace = refusal.object.namespace.as_deref();
    let ranges =
        context.scene.in_namespace("LimitRange", namespace).map(|(range, _)| range.to_string()).collect::<Vec<_>>();
    let range = if ranges.is_empty() { "A LimitRange of the namespace".to_owned() } else { ranges.join(" or ") };
    let draft = context
        .finding(&REFUSED, refusal.object, Category::Quota)
        .says(format!("{range} refuses the pods of {}: {}", refusal.owner, line::cut(forbidden, 160)))
        .severity(Severity::Critical)
        .culprit(&refusal.owner);
    refusal
        .prove(draft)
        .mend("Bring its requests and limits into the range", workload::edit(&refusal.owner))
        .into(findings);
}
