//! Limit ranges that refuse pods.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, changed, line, workload};

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
    let ranges = context.scene.in_namespace("LimitRange", namespace).map(|(range, _)| range).collect::<Vec<_>>();
    let names = ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let range = if ranges.is_empty() { "A LimitRange of the namespace".to_owned() } else { names };
    let newer = ranges.iter().copied().filter(|range| changed::is_newer(context, range, None, &refusal.owner));
    let newest = newer.max_by_key(|range| changed::at(context, range, None));
    let since = newest.map(|newest| changed::told(context, "the range", newest, None)).unwrap_or_default();
    let draft = context
        .finding(&REFUSED, refusal.object, Category::Quota)
        .says(format!("{range} refuses the pods of {}: {}{since}", refusal.owner, line::cut(forbidden, 160)))
        .severity(Severity::Critical)
        .culprit(newest.unwrap_or(&refusal.owner));
    let draft = refusal.prove(draft);
    match newest {
        Some(newest) => draft.mend("Set the range back to what fits the pods", workload::edit(newest)),
        None => draft,
    }
    .mend("Bring its requests and limits into the range", workload::edit(&refusal.owner))
    .into(findings);
}
