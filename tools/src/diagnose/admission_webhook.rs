//! Admission webhooks that refuse pods or can't be called.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, line, workload};

const DENIES: Condition = Condition::cause("admission-webhook-denies", 2);
const FAILS: Condition = Condition::pointer("admission-webhook-fails", 2);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[DENIES, FAILS], find: |context, findings| each(context, findings, judge) };

fn judge<'a>(context: &Context<'a>, refusal: &Refusal<'a>, findings: &mut Vec<Finding>) {
    let owner = &refusal.owner;
    let draft = if let Some((_, rest)) = refusal.message.split_once("failed calling webhook ") {
        let draft = context
            .finding(&FAILS, refusal.object, Category::Dependency)
            .says(format!(
                "The pods of {owner} can't be created, as the admission webhook {} can't be called",
                line::cut(rest, 180)
            ))
            .severity(Severity::Critical);
        match service(rest) {
            Some(service) => {
                draft.culprit(&service).check("See the webhook's Service and its pods", workload::describe(&service))
            }
            None => draft
                .check("See the webhooks", "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"),
        }
    } else if let Some((_, rest)) = refusal.message.split_once("admission webhook ") {
        context
            .finding(&DENIES, refusal.object, Category::Permission)
            .says(format!(
                "The admission webhook {} of {owner}",
                line::cut(&rest.replacen("denied the request", "denied the pods", 1), 180)
            ))
            .severity(Severity::Critical)
            .culprit(owner)
            .mend("Bring it in line with what the webhook asks", workload::edit(owner))
    } else {
        return;
    };
    refusal.prove(draft).into(findings);
}

/// The Service in `Post "https://name.namespace.svc:443/path": …`.
fn service(message: &str) -> Option<ObjectRef> {
    let host = message.split_once("://")?.1.split(['/', ':', '?']).next()?;
    let mut labels = host.split('.');
    let (name, namespace, svc) = (labels.next()?, labels.next()?, labels.next()?);
    (svc == "svc").then(|| ObjectRef::namespaced("Service", namespace, name))
}
