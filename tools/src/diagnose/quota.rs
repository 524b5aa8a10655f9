//! Quotas that refuse pods.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const EXCEEDED: Condition = Condition::cause("quota-exceeded", 1);
const UNSTATED: Condition = Condition::cause("quota-wants-resources-stated", 1);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[EXCEEDED, UNSTATED], find: |context, findings| each(context, findings, judge) };

fn judge<'a>(context: &Context<'a>, refusal: &Refusal<'a>, findings: &mut Vec<Finding>) {
    let namespace = refusal.object.namespace.as_deref().unwrap_or("default");
    if let Some((_, rest)) = refusal.message.split_once("exceeded quota: ") {
        let (name, numbers) = rest.split_once(", ").unwrap_or((rest, ""));
        let quota = ObjectRef::namespaced("ResourceQuota", namespace, name);
        let owner = &refusal.owner;
        let draft = context
            .finding(&EXCEEDED, refusal.object, Category::Quota)
            .says(format!("{quota} refuses the pods of {owner}: {}", line::cut(numbers, 160)))
            .severity(Severity::Critical)
            .culprit(&quota);
        let mut draft = refusal.prove(draft);
        if let Some(value) = context.scene.get(&quota) {
            let limited = numbers.split_once("limited: ").and_then(|(_, rest)| rest.split_once('='));
            if let Some((resource, limit)) = limited
                && field::pairs(value, "/status/hard").any(|(name, _)| name == resource)
            {
                draft = draft.field(&quota, resource, limit);
            }
        }
        draft
            .mend("Raise the quota", workload::edit(&quota))
            .check("See what uses it", format!("kubectl describe{} resourcequota/{name}", workload::scope(&quota)))
            .mend("Or ask for less", workload::edit(owner))
            .into(findings);
    } else if let Some((_, rest)) = refusal.message.split_once("failed quota: ") {
        let draft = context
            .finding(&UNSTATED, refusal.object, Category::Quota)
            .says(format!("ResourceQuota {namespace}/{}, which {} does not", line::cut(rest, 150), refusal.owner))
            .severity(Severity::Critical)
            .culprit(&refusal.owner);
        refusal.prove(draft).mend("State its requests and limits", workload::edit(&refusal.owner)).into(findings);
    }
}
