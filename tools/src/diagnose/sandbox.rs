//! Pods whose sandbox or network the node can't make, and pods that don't go away.

use jiff::SignedDuration;
use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const SANDBOX: Condition = Condition::cause("pod-sandbox-failed", 10).likely();
const STUCK: Condition = Condition::symptom("deletion-stuck", 50);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[SANDBOX, STUCK], find };

/// How long past its grace period a pod may take to go.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (pod, value) in context.scene.of_kind("Pod") {
        let node = field::text(value, "/spec/nodeName").map(|node| ObjectRef::cluster("Node", node));
        let deleted = field::time(value, "/metadata/deletionTimestamp");
        // What a finalizer holds has a diagnoser of its own.
        let held = !field::items(value, "/metadata/finalizers").is_empty();
        if let Some(deleted) = deleted.filter(|at| !held && !context.within(*at, PATIENCE)) {
            let why = match &node {
                Some(node) => format!("{node} has not confirmed that it ended"),
                None => "nothing confirms that it ended".to_owned(),
            };
            context
                .finding(&STUCK, pod, Category::Node)
                .says(format!("{pod} was to be deleted {} ago: {why}", context.ago(deleted)))
                .field(pod, "deletionTimestamp", field::text(value, "/metadata/deletionTimestamp").unwrap_or_default())
                .check("See the pod and its node", workload::describe(pod))
                .into(findings);
        }
        let waits = field::text(value, "/status/phase") == Some("Pending") && !workload::pod_begun(value);
        if !waits || !context.settled(value) || deleted.is_some() {
            continue;
        }
        let event = context.warning(pod, |event| event.reason == "FailedCreatePodSandBox");
        if let Some(event) = event {
            let draft = context
                .finding(&SANDBOX, pod, Category::Node)
                .says(format!("The node can't make the sandbox of {pod}: {}", line::cut(&event.message, 180)))
                .severity(Severity::Critical)
                .event(event);
            match &node {
                Some(node) => draft.culprit(node).check("See the node", workload::describe(node)),
                None => draft,
            }
            .into(findings);
        }
    }
}
