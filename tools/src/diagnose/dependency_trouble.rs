//! Calls, by settings alone, that lead to a workload in which a cause was found: what a caller's errors may come from
//! where neither its state nor its log tells of them.

use std::collections::BTreeSet;

use marple_core::{Category, Finding, ObjectRef, ProofSource, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, Role, condition, workload};
use crate::scene::field;

const IN_TROUBLE: Condition = Condition::pointer("dependency-in-trouble", 40).likely();

/// Comes after those that find causes: it looks at what they found.
pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[IN_TROUBLE], find };

/// Whether a finding is one of these. They explain only alerts on what a workload answers.
pub(super) fn is(finding: &Finding) -> bool {
    finding.condition == IN_TROUBLE.word
}

/// Whether a cause lies in a pod to which nothing is sent, of a workload that has all the ready ones that it wants: those of
/// a stuck rollout, that callers don't meet.
fn is_held_out(context: &Context<'_>, finding: &Finding) -> bool {
    let pod = context.scene.get(&finding.object).filter(|_| finding.object.is("Pod"));
    pod.is_some_and(|pod| !field::is_ready(pod))
        && workload::is_well(context.scene, &context.graph.top_owner(&finding.object))
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut troubled: BTreeSet<ObjectRef> = findings
        .iter()
        .filter(|finding| finding.at.is_none() && finding.severity > Severity::Info)
        .filter(|finding| condition(&finding.condition).is_some_and(|known| known.role == Role::Cause))
        .filter(|finding| !is_held_out(context, finding))
        .map(|finding| context.graph.top_owner(&finding.object))
        .collect();
    let leads = |service: &ObjectRef, troubled: &BTreeSet<ObjectRef>| {
        troubled.contains(service) || context.graph.workloads_behind(service).iter().any(|unit| troubled.contains(unit))
    };
    // A caller of a caller is led on, until nothing is added.
    loop {
        let callers = context.graph.calls().filter(|(_, service, _)| leads(service, &troubled));
        let added: Vec<ObjectRef> =
            callers.map(|(caller, ..)| caller.clone()).filter(|caller| !troubled.contains(caller)).collect();
        if added.is_empty() {
            break;
        }
        troubled.extend(added);
    }
    for (caller, service, call) in context.graph.calls().filter(|(_, service, _)| leads(service, &troubled)) {
        let told = |finding: &Finding| {
            context.graph.top_owner(&finding.object) == *caller && finding.culprit.as_ref() == Some(service)
        };
        if findings.iter().any(told) {
            continue;
        }
        context
            .finding(&IN_TROUBLE, caller, Category::Dependency)
            .says(format!("{caller} calls {service} ({})", call.how))
            .severity(Severity::Info)
            .culprit(service)
            .words(ProofSource::Object(call.written_in.clone()), &call.host)
            .check("See the Service's endpoints", workload::describe(service))
            .into(findings);
    }
}
