//! Pod Security Admission that refuses pods.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::refusal::{Refusal, each};
use super::{Condition, Diagnoser, line, workload};

const REFUSED: Condition = Condition::cause("pod-security-refuses", 2);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[REFUSED], find: |context, findings| each(context, findings, judge) };

fn judge<'a>(context: &Context<'a>, refusal: &Refusal<'a>, findings: &mut Vec<Finding>) {
    let Some((_, rest)) = refusal.message.split_once("violates PodSecurity ") else { return };
    let draft = context
        .finding(&REFUSED, refusal.object, Category::Quota)
        .says(format!(
            "The pods of {} violate the namespace's Pod Security level {}",
            refusal.owner,
            line::cut(rest, 180)
        ))
        .severity(Severity::Critical)
        .culprit(&refusal.owner);
    refusal
        .prove(draft)
        .mend("Set the security context that the level asks for", workload::edit(&refusal.owner))
        .into(findings);
}
