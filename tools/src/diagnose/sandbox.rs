//! Pods whose sandbox or network the node can't make, and pods that don't go away.

use jiff::{SignedDuration, Timestamp};
use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const SANDBOX: Condition = Condition::cause("pod-sandbox-failed", 10).likely();
const STUCK: Condition = Condition::symptom("deletion-stuck", 50);
const SLOW: Condition = Condition::cause("pod-slow-to-end", 48).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[SANDBOX, STUCK, SLOW], find };

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
        if let Some(ends) = deleted.filter(|at| !held && *at > context.scene.now) {
            slow(context, pod, value, ends, findings);
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

/// How long a pod may take to end before it is worth a word, though its grace period is longer.
const SLOWLY: SignedDuration = SignedDuration::from_mins(2);

/// A pod that was to end and still runs, within a long grace period: its program does not heed the request to end. The time of
/// its deletion is that at which the grace period ends (API reference of `deletionTimestamp`).
fn slow(context: &Context<'_>, pod: &ObjectRef, value: &Value, ends: Timestamp, findings: &mut Vec<Finding>) {
    let Some(grace) = field::number(value, "/metadata/deletionGracePeriodSeconds") else { return };
    let asked = ends - SignedDuration::from_secs(grace);
    let statuses = field::items(value, "/status/containerStatuses").iter();
    let mut running = statuses.filter(|status| status.pointer("/state/running").is_some());
    let Some(name) = running.next().and_then(|status| field::text(status, "/name")) else { return };
    if context.within(asked, SLOWLY) {
        return;
    }
    let hook = field::items(value, "/spec/containers").iter().any(|one| one.pointer("/lifecycle/preStop").is_some());
    let why = if hook { "; its preStop hook comes first" } else { "; it does not end when it is asked to (SIGTERM)" };
    let owner = context.graph.top_owner(pod);
    context
        .finding(&SLOW, pod, Category::Application)
        .says(format!(
            "{pod} was to end {} ago, and container {name} still runs{why}. It is killed only when its grace period of {grace} s is over",
            context.ago(asked)
        ))
        .culprit(&owner)
        .field(pod, "deletionGracePeriodSeconds", &grace.to_string())
        .mend("Let the program end on SIGTERM, or shorten terminationGracePeriodSeconds", workload::edit(&owner))
        .into(findings);
}
