//! Pods that were evicted, preempted or refused by their node.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, line, preemption, workload};
use crate::scene::field;

const OF_NODE: Condition = Condition::cause("pod-evicted-by-node-pressure", 10);
const OF_ITSELF: Condition = Condition::cause("pod-evicted-for-its-usage", 8);
const REFUSED: Condition = Condition::cause("pod-refused-by-node", 12);
const PREEMPTED: Condition = Condition::cause("pod-preempted", 12);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[OF_NODE, OF_ITSELF, REFUSED, PREEMPTED], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (owner, preempted) in preemption::each(context) {
        let culprit = preempted.by.as_ref().unwrap_or(&owner);
        context
            .finding(&PREEMPTED, &preempted.event.about, Category::Scheduling)
            .says(preempted.told.as_str())
            .at(Some(preempted.event.at))
            .culprit(culprit)
            .event(preempted.event)
            .check("See what priority it has", workload::describe(culprit))
            .into(findings);
    }
    for (pod, value) in context.scene.of_kind("Pod") {
        if field::text(value, "/status/phase") != Some("Failed") {
            continue;
        }
        let Some(reason) = field::text(value, "/status/reason") else { continue };
        let message = field::text(value, "/status/message").unwrap_or_default();
        let owner = context.graph.top_owner(pod);
        let node = field::text(value, "/spec/nodeName").map(|node| marple_core::ObjectRef::cluster("Node", node));
        let (condition, category, culprit) = match reason {
            "Evicted"
                if message.contains("exceeds the")
                    || message.contains("exceeded its local ephemeral storage limit")
                    || message.contains("Usage of EmptyDir") =>
            {
                (&OF_ITSELF, Category::Resources, Some(owner.clone()))
            }
            "Evicted" => (&OF_NODE, Category::Node, node),
            "Preempting" | "Preempted" => (&PREEMPTED, Category::Scheduling, Some(owner.clone())),
            "NodeAffinity"
            | "UnexpectedAdmissionError"
            | "OutOfcpu"
            | "OutOfmemory"
            | "OutOfpods"
            | "NodeShutdown"
            | "Terminated"
            | "NodeLost" => (&REFUSED, Category::Node, node),
            _ => continue,
        };
        let at = field::condition(value, "DisruptionTarget")
            .and_then(|one| field::time(one, "/lastTransitionTime"))
            .or_else(|| context.scene.events_of(pod).rfind(|event| event.warning).map(|event| event.at))
            .or_else(|| field::time(value, "/status/startTime"));
        let ago = at.map(|at| format!(" {} ago", context.ago(at))).unwrap_or_default();
        let word = match condition.word {
            "pod-preempted" => "was preempted",
            "pod-refused-by-node" => "was refused or ended by its node",
            _ => "was evicted",
        };
        let mut draft = context
            .finding(condition, pod, category)
            .says(format!("{pod} {word}{ago}: {}", line::cut(message, 180)))
            .at(at)
            .severity(Severity::Warning)
            .field(pod, "reason", reason)
            .field(pod, "message", message);
        if let Some(culprit) = &culprit {
            draft = draft.culprit(culprit).check("See what is short there", workload::describe(culprit));
        }
        draft.into(findings);
    }
}
