//! Pod Security Admission that refuses pods.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, changed, line, workload};

const REFUSED: Condition = Condition::cause("pod-security-refuses", 2);

/// The label of a namespace by which pods are refused (Pod Security Admission).
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[REFUSED], find: |context, findings| each(context, findings, judge) };

fn judge<'a>(context: &Context<'a>, refusal: &Refusal<'a>, findings: &mut Vec<Finding>) {
    let Some((_, rest)) = refusal.message.split_once("violates PodSecurity ") else { return };
    let space = refusal.object.namespace.as_deref().map(|space| ObjectRef::cluster("Namespace", space));
    let newer = space.filter(|space| changed::is_newer(context, space, Some(ENFORCE), &refusal.owner));
    let since = newer.as_ref().map(|space| changed::told(context, &space.to_string(), space, Some(ENFORCE)));
    let draft = context
        .finding(&REFUSED, refusal.object, Category::Quota)
        .says(format!(
            "The pods of {} violate the namespace's Pod Security level {}{}",
            refusal.owner,
            line::cut(rest, 180),
            since.unwrap_or_default()
        ))
        .severity(Severity::Critical)
        .culprit(newer.as_ref().unwrap_or(&refusal.owner));
    let draft = refusal.prove(draft);
    match &newer {
        Some(space) => {
            let level =
                context.scene.get(space).and_then(|value| value.pointer("/metadata/labels")?.get(ENFORCE)?.as_str());
            draft
                .field(space, ENFORCE, level.unwrap_or_default())
                .mend("Set the level back to the one that the pods fit", workload::edit(space))
        }
        None => draft,
    }
    .mend("Set the security context that the level asks for", workload::edit(&refusal.owner))
    .into(findings);
}
