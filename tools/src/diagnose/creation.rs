//! Pods that can't be created for a missing account, or for a reason that no other diagnoser knows.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, line, workload};

const ACCOUNT: Condition = Condition::cause("service-account-missing", 1);
const CLASS: Condition = Condition::cause("pod-class-missing", 1);
const REFUSED: Condition = Condition::symptom("creation-refused", 9);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[ACCOUNT, CLASS, REFUSED], find: |context, findings| each(context, findings, judge) };

fn judge<'a>(context: &Context<'a>, refusal: &Refusal<'a>, findings: &mut Vec<Finding>) {
    let owner = &refusal.owner;
    if let Some((_, rest)) = refusal.message.split_once("error looking up service account ") {
        let Some((namespace, name)) = rest.split(':').next().and_then(|account| account.split_once('/')) else {
            return;
        };
        let account = ObjectRef::namespaced("ServiceAccount", namespace, name);
        let draft = context
            .finding(&ACCOUNT, refusal.object, Category::Permission)
            .says(format!("{account} does not exist; the pods of {owner} are to run as it and can't be created"))
            .severity(Severity::Critical)
            .culprit(&account);
        let create = format!("kubectl create serviceaccount{} {name}", workload::scope(&account));
        refusal.prove(draft).mend(format!("Create {account}"), create).into(findings);
        return;
    }
    if let Some(class) = missing_class(refusal.message) {
        let draft = context
            .finding(&CLASS, refusal.object, Category::Configuration)
            .says(format!("{class}, which the pods of {owner} name, does not exist, so that they can't be created"))
            .severity(Severity::Critical)
            .culprit(&class);
        refusal
            .prove(draft)
            .check("See which there are", format!("kubectl get {}es", class.kind.to_ascii_lowercase()))
            .mend("Name a class that exists", workload::edit(owner))
            .into(findings);
        return;
    }
    let known = [
        "exceeded quota",
        "failed quota",
        " usage per ",
        "limit to request ratio",
        "violates PodSecurity",
        "admission webhook",
        "failed calling webhook",
        "ValidatingAdmissionPolicy '",
        "because it is being terminated",
    ];
    if known.iter().any(|words| refusal.message.contains(words)) {
        return;
    }
    let draft = context
        .finding(&REFUSED, refusal.object, Category::Other)
        .says(format!("The pods of {owner} can't be created: {}", line::cut(refusal.message, 180)))
        .severity(Severity::Critical);
    refusal.prove(draft).check("See what it says", workload::describe(refusal.object)).into(findings);
}

/// The class in `no PriorityClass with name high was found` and `RuntimeClass "sandboxed" not found`.
fn missing_class(message: &str) -> Option<ObjectRef> {
    if let Some((_, rest)) = message.split_once("no PriorityClass with name ") {
        return rest.split_whitespace().next().map(|name| ObjectRef::cluster("PriorityClass", name.trim_matches('"')));
    }
    let (_, rest) = message.split_once("RuntimeClass \"")?;
    let (name, rest) = rest.split_once('"')?;
    rest.contains("not found").then(|| ObjectRef::cluster("RuntimeClass", name))
}
