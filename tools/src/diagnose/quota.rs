//! Quotas that refuse pods.

use marple_core::{Category, Finding, ObjectRef, ProofSource, Severity};

use super::context::{Context, RECENT};
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, changed, line, workload};
use crate::kubernetes::quantity;
use crate::scene::field;

const EXCEEDED: Condition = Condition::cause("quota-exceeded", 1);
const UNSTATED: Condition = Condition::cause("quota-wants-resources-stated", 1);

const NEARLY_FULL: Condition = Condition::cause("quota-nearly-full", 30);

/// From this share on a quota is nearly full.
const NEARLY: f64 = 0.9;

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[EXCEEDED, UNSTATED, NEARLY_FULL], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    each(context, findings, judge);
    // A quota that is nearly full is as somebody wants it: it explains an alert on itself alone.
    let asked = |quota: &ObjectRef| context.scene.subjects.contains(quota);
    for (quota, value) in context.scene.of_kind("ResourceQuota").filter(|(quota, _)| asked(quota)) {
        let full = field::pairs(value, "/status/hard").find_map(|(resource, hard)| {
            let (_, used) = field::pairs(value, "/status/used").find(|(name, _)| *name == resource)?;
            let share = quantity::parse(used)? / quantity::parse(hard).filter(|hard| *hard > 0.0)?;
            (share >= NEARLY).then_some((resource, used, hard))
        });
        let Some((resource, used, hard)) = full else { continue };
        context
            .finding(&NEARLY_FULL, quota, Category::Quota)
            .says(format!("{quota} is nearly full: {used} of {hard} {resource} are used"))
            // Nothing is refused yet.
            .severity(Severity::Info)
            .culprit(quota)
            // Quantities that are numbers stand in quotes.
            .words(ProofSource::Object(quota.clone()), &format!("{resource}: \"{used}\""))
            .words(ProofSource::Object(quota.clone()), &format!("{resource}: {used}"))
            .check("See what uses it", workload::describe(quota))
            .mend("Raise the quota, or use less", workload::edit(quota))
            .into(findings);
    }
}

fn judge<'a>(context: &Context<'a>, refusal: &Refusal<'a>, findings: &mut Vec<Finding>) {
    let namespace = refusal.object.namespace.as_deref().unwrap_or("default");
    if let Some((_, rest)) = refusal.message.split_once("exceeded quota: ") {
        let (name, numbers) = rest.split_once(", ").unwrap_or((rest, ""));
        let quota = ObjectRef::namespaced("ResourceQuota", namespace, name);
        let owner = &refusal.owner;
        let grew = grew(context, owner, &quota);
        let changed = match (&grew, changed::is_newer(context, &quota, None, owner)) {
            (Some(grew), _) => format!("; what it asks for was changed after the quota: {grew}"),
            (None, true) => changed::told(context, "the quota", &quota, None),
            (None, false) => String::new(),
        };
        let draft = context
            .finding(&EXCEEDED, refusal.object, Category::Quota)
            .says(format!("{quota} refuses the pods of {owner}: {}{changed}", line::cut(numbers, 160)))
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
        if grew.is_some()
            && let Some(undo) = workload::undo(owner)
        {
            draft = draft.mend("Go back to the revision that asked for less", undo);
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

/// What a workload was lately changed to ask for, after its quota was last changed.
fn grew(context: &Context<'_>, owner: &ObjectRef, quota: &ObjectRef) -> Option<String> {
    let rollout = context.scene.rollouts.get(owner).filter(|rollout| context.within(rollout.at, RECENT))?;
    let later = changed::at(context, quota, None).is_none_or(|quota| rollout.at > quota);
    let mut changes = rollout.changes.iter();
    let asks = |field: &str| field.contains(".resources.") || field.ends_with(".resources") || field == "replicas";
    changes.find(|change| asks(&change.field)).filter(|_| later).map(ToString::to_string)
}
