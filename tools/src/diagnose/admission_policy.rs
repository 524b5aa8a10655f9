//! Admission policies (`ValidatingAdmissionPolicy`) that refuse pods.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::{Context, RECENT};
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, changed, line, workload};

const DENIES: Condition = Condition::cause("admission-policy-denies", 2);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[DENIES], find: |context, findings| each(context, findings, judge) };

fn judge<'a>(context: &Context<'a>, refusal: &Refusal<'a>, findings: &mut Vec<Finding>) {
    let Some(Denial { policy, binding, why }) = denial(refusal.message) else { return };
    let owner = &refusal.owner;
    let rules = [Some(&policy), binding.as_ref()];
    let newer = rules.into_iter().flatten().filter(|rule| changed::is_newer(context, rule, Some("spec"), owner));
    let newest = newer.max_by_key(|rule| changed::at(context, rule, Some("spec")));
    // Where nobody changed the workload lately, what refuses it is the newer, seen or not.
    let lately = changed::at(context, owner, None).is_some_and(|at| context.within(at, RECENT));
    let known = context.scene.get(&policy).is_some();
    let culprit = newest.or_else(|| Some(&policy).filter(|_| !lately && !known)).unwrap_or(owner);
    let since = newest.map(|rule| changed::told(context, &rule.to_string(), rule, Some("spec"))).unwrap_or_default();
    let by = binding.as_ref().map(|binding| format!(", bound by {binding},")).unwrap_or_default();
    let draft = context
        .finding(&DENIES, refusal.object, Category::Quota)
        .says(format!("{policy}{by} denies the pods of {owner}: {}{since}", line::cut(why, 160)))
        .severity(Severity::Critical)
        .culprit(culprit);
    refusal
        .prove(draft)
        .mend("Bring the pods in line with the policy", workload::edit(owner))
        .check("See what the policy asks", workload::describe(&policy))
        .into(findings);
}

/// What an admission policy says.
struct Denial<'a> {
    policy: ObjectRef,
    binding: Option<ObjectRef>,
    why: &'a str,
}

/// Reads `ValidatingAdmissionPolicy 'name' with binding 'name' denied request: why`.
fn denial(message: &str) -> Option<Denial<'_>> {
    let (_, rest) = message.split_once("ValidatingAdmissionPolicy '")?;
    let (name, rest) = rest.split_once('\'')?;
    let (between, why) = rest.split_once("denied request: ")?;
    let binding = between.split_once("with binding '").and_then(|(_, rest)| Some(rest.split_once('\'')?.0));
    Some(Denial {
        policy: ObjectRef::cluster("ValidatingAdmissionPolicy", name),
        binding: binding.map(|name| ObjectRef::cluster("ValidatingAdmissionPolicyBinding", name)),
        why,
    })
}
