//! Rollouts that make no progress, and workloads short of replicas.

use jiff::SignedDuration;
use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::field;

const STUCK: Condition = Condition::symptom("rollout-stuck", 70);
const UNAVAILABLE: Condition = Condition::symptom("replicas-unavailable", 80);
const ORDINAL: Condition = Condition::symptom("stateful-set-held-up", 75);
const PAUSED: Condition = Condition::cause("deployment-paused", 45);
const HEADLESS: Condition = Condition::cause("stateful-set-service-missing", 30).likely();

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[STUCK, UNAVAILABLE, ORDINAL, PAUSED, HEADLESS], find };

/// Short of replicas for less than this, a workload may only be rolling out.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    deployments(context, findings);
    replica_sets(context, findings);
    stateful_sets(context, findings);
    for (object, value) in context.scene.of_kind("DaemonSet") {
        let Some((wanted, ready)) = workload::replicas(object, value) else { continue };
        if ready < wanted && old_pod_unready(context, object) {
            context
                .finding(&UNAVAILABLE, object, Category::Application)
                .says(format!("{object} has {ready} of {wanted} pods ready"))
                .field(object, "desiredNumberScheduled", &wanted.to_string())
                .field(object, "numberReady", &ready.to_string())
                .check("See its pods", workload::describe(object))
                .into(findings);
        }
    }
}

fn deployments(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, value) in context.scene.of_kind("Deployment") {
        let Some((wanted, ready)) = workload::replicas(object, value) else { continue };
        paused(context, object, value, findings);
        let status = |kind| field::condition(value, kind).and_then(|one| Some((field::text(one, "/status")?, one)));
        if let Some(("False", progressing)) = status("Progressing")
            && field::text(progressing, "/reason") == Some("ProgressDeadlineExceeded")
        {
            let message = field::text(progressing, "/message").unwrap_or_default();
            let draft = context
                .finding(&STUCK, object, Category::Application)
                .says(format!(
                    "The rollout of {object} is stuck: its deadline passed with {ready} of {wanted} replicas ready"
                ))
                .severity(Severity::Critical)
                .field(object, "reason", "ProgressDeadlineExceeded")
                .field(object, "message", message);
            match workload::undo(object) {
                Some(undo) => draft.mend("Go back to the revision before", undo),
                None => draft,
            }
            .into(findings);
        }
        let since = status("Available")
            .filter(|(status, _)| *status == "False")
            .and_then(|(_, one)| field::time(one, "/lastTransitionTime"));
        if since.is_none() && ready < wanted && old_pod_unready(context, object) {
            in_part(context, object, (wanted, ready), findings);
        }
        if let Some(since) = since.filter(|since| ready < wanted && !context.within(*since, PATIENCE)) {
            context
                .finding(&UNAVAILABLE, object, Category::Application)
                .says(format!("{object} has {ready} of {wanted} replicas ready, for {}", context.ago(since)))
                .severity(if ready == 0 { Severity::Critical } else { Severity::Warning })
                .field(object, "reason", "MinimumReplicasUnavailable")
                .field(object, "message", "Deployment does not have minimum availability.")
                .check("See its pods", workload::describe(object))
                .into(findings);
        }
    }
}

/// A Deployment that somebody paused: what is changed in it makes no new pods until it is resumed.
fn paused(context: &Context<'_>, object: &ObjectRef, value: &Value, findings: &mut Vec<Finding>) {
    if !field::flag(value, "/spec/paused") {
        return;
    }
    let wanted = field::number(value, "/spec/replicas").unwrap_or(1);
    let updated = field::number(value, "/status/updatedReplicas").unwrap_or_default();
    let waits = if updated < wanted {
        format!(": {updated} of {wanted} replicas are of its present specification")
    } else {
        String::new()
    };
    context
        .finding(&PAUSED, object, Category::Configuration)
        .says(format!("{object} is paused, so that what is changed in it is not rolled out{waits}"))
        .severity(Severity::Info)
        .culprit(object)
        .field(object, "paused", "true")
        .mend("Resume it", format!("kubectl rollout resume{} {}", workload::scope(object), workload::target(object)))
        .into(findings);
}

/// A ReplicaSet that no Deployment owns.
fn replica_sets(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, value) in context.scene.of_kind("ReplicaSet") {
        let Some((wanted, ready)) = workload::replicas(object, value) else { continue };
        if context.graph.top_owner(object) == *object && ready < wanted && old_pod_unready(context, object) {
            in_part(context, object, (wanted, ready), findings);
        }
    }
}

/// A workload some of whose pods are not ready, though enough are for its controller to call it available.
fn in_part(context: &Context<'_>, object: &ObjectRef, (wanted, ready): (i64, i64), findings: &mut Vec<Finding>) {
    context
        .finding(&UNAVAILABLE, object, Category::Application)
        .says(format!("{object} has {ready} of {wanted} replicas ready"))
        .severity(if ready == 0 { Severity::Critical } else { Severity::Warning })
        .field(object, "replicas", &wanted.to_string())
        .field(object, "readyReplicas", &ready.to_string())
        .check("See its pods", workload::describe(object))
        .into(findings);
}

fn stateful_sets(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, value) in context.scene.of_kind("StatefulSet") {
        let Some((wanted, ready)) = workload::replicas(object, value) else { continue };
        let mut pods = context
            .graph
            .members(object)
            .iter()
            .filter(|member| member.is("Pod"))
            .filter_map(|pod| Some((pod.name.rsplit('-').next()?.parse::<u32>().ok()?, pod, context.scene.get(pod)?)))
            .collect::<Vec<_>>();
        pods.sort_by_key(|(ordinal, _, _)| *ordinal);
        let held = pods.iter().find(|(_, _, pod)| !field::is_ready(pod)).filter(|(_, _, pod)| context.settled(pod));
        if let Some((_, pod, found)) = held.filter(|_| ready < wanted) {
            let of_before = is_of_before(value, found);
            let waits = if of_before {
                ". That one is of an earlier revision, and is not replaced by itself as long as it is not ready"
            } else {
                ""
            };
            let draft = context
                .finding(&ORDINAL, object, Category::Application)
                .says(format!("{object} has {ready} of {wanted} replicas ready; {pod} is the first that is not{waits}"))
                .severity(if ready == 0 { Severity::Critical } else { Severity::Warning })
                .field(object, "replicas", &wanted.to_string());
            if of_before {
                let delete = format!("kubectl delete{} pod/{}", workload::scope(pod), pod.name);
                draft.mend("Delete the pod, so that it is made of the present revision", delete)
            } else {
                draft
            }
            .check("See the pod", workload::describe(pod))
            .into(findings);
        }
        let service = field::text(value, "/spec/serviceName").zip(object.namespace.as_deref());
        let service = service.map(|(name, namespace)| ObjectRef::namespaced("Service", namespace, name));
        if let Some(service) = service.filter(|service| context.scene.missing.contains(service)) {
            context
                .finding(&HEADLESS, object, Category::Network)
                .says(format!("{service}, which gives the pods of {object} their names, does not exist"))
                .culprit(&service)
                .field(object, "serviceName", &service.name)
                .check("See which Services there are", format!("kubectl get services{}", workload::scope(object)))
                .into(findings);
        }
    }
}

/// Whether a pod that is not ready is of an earlier revision than the one that its StatefulSet makes in order: the controller
/// waits for it to get ready before it replaces it ("Forced rollback" of the StatefulSet documentation).
fn is_of_before(set: &Value, pod: &Value) -> bool {
    let parallel = field::text(set, "/spec/podManagementPolicy") == Some("Parallel");
    let own = field::text(pod, "/metadata/labels/controller-revision-hash");
    let wanted = field::text(set, "/status/updateRevision");
    !parallel && own.zip(wanted).is_some_and(|(own, wanted)| own != wanted)
}

/// Whether a pod of the workload that has had its time is not ready.
fn old_pod_unready(context: &Context<'_>, unit: &ObjectRef) -> bool {
    let mut pods =
        context.graph.members(unit).iter().filter(|member| member.is("Pod")).filter_map(|pod| context.scene.get(pod));
    pods.any(|pod| {
        !field::is_ready(pod) && field::created(pod).is_some_and(|created| !context.within(created, PATIENCE))
    })
}
