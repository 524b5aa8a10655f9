//! Admission webhooks that refuse pods or can't be called.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, changed, line, workload};
use crate::scene::field;

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
        match configuration(context, rest).or_else(|| service(rest)) {
            Some(culprit) => draft.culprit(&culprit).check("See what should answer it", workload::describe(&culprit)),
            None => draft
                .check("See the webhooks", "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"),
        }
    } else if let Some((_, rest)) = refusal.message.split_once("admission webhook ") {
        let newer = configuration(context, rest).filter(|one| changed::is_newer(context, one, Some("webhooks"), owner));
        let since = newer.as_ref().map(|one| changed::told(context, &one.to_string(), one, Some("webhooks")));
        context
            .finding(&DENIES, refusal.object, Category::Permission)
            .says(format!(
                "The admission webhook {} of {owner}{}",
                line::cut(&rest.replacen("denied the request", "denied the pods", 1), 180),
                since.unwrap_or_default()
            ))
            .severity(Severity::Critical)
            .culprit(newer.as_ref().unwrap_or(owner))
            .mend("Bring it in line with what the webhook asks", workload::edit(owner))
    } else {
        return;
    };
    refusal.prove(draft).into(findings);
}

/// The configuration that holds the webhook named at the beginning of `"policy.example.com": failed to call …`.
fn configuration(context: &Context<'_>, message: &str) -> Option<ObjectRef> {
    let name = message.split('"').nth(1)?;
    let kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
    let mut all = kinds.into_iter().flat_map(|kind| context.scene.of_kind(kind));
    let holds =
        |value| field::items(value, "/webhooks").iter().any(|webhook| field::text(webhook, "/name") == Some(name));
    all.find(|(_, value)| holds(value)).map(|(configuration, _)| configuration.clone())
}

/// The Service in `Post "https://name.namespace.svc:443/path": …`.
fn service(message: &str) -> Option<ObjectRef> {
    let host = message.split_once("://")?.1.split(['/', ':', '?']).next()?;
    let mut labels = host.split('.');
    let (name, namespace, svc) = (labels.next()?, labels.next()?, labels.next()?);
    (svc == "svc").then(|| ObjectRef::namespaced("Service", namespace, name))
}
