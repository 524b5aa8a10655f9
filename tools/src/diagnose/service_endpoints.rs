//! Services none of whose pods is ready.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::{Relation, field};

const NONE_READY: Condition = Condition::symptom("service-without-ready-endpoints", 60);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[NONE_READY], find };

/// Whether a Service that selects something has no ready pod, though its pods have had time.
pub(super) fn has_none_ready(context: &Context<'_>, service: &ObjectRef) -> bool {
    let selected = context.graph.edges(service).iter().filter(|edge| edge.relation == Relation::Selects);
    let selected = selected.filter_map(|edge| Some((&edge.to, context.scene.get(&edge.to)?))).collect::<Vec<_>>();
    let mut pods = selected.iter().filter(|(object, _)| object.is("Pod"));
    let ready = pods.clone().any(|(_, pod)| field::is_ready(pod));
    let settled = pods.all(|(_, pod)| context.settled(pod));
    let old = context.scene.get(service).is_some_and(|service| context.settled(service));
    let seen = context.scene.lists("Pod", service.namespace.as_deref());
    seen && !selected.is_empty() && !ready && settled && old
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (service, _) in context.scene.of_kind("Service") {
        if !has_none_ready(context, service) {
            continue;
        }
        let edges = context.graph.edges(service).iter().filter(|edge| edge.relation == Relation::Selects);
        let pods = edges.clone().filter(|edge| edge.to.is("Pod")).collect::<Vec<_>>();
        let behind = context.graph.workloads_behind(service);
        let names = behind.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let statement = match pods.len() {
            0 => format!("{service} has no endpoint: {names} has no pod"),
            1 => format!("{service} has no ready endpoint: the pod of {names} is not ready"),
            count => format!("{service} has no ready endpoint: none of the {count} pods of {names} is ready"),
        };
        let mut draft =
            context.finding(&NONE_READY, service, Category::Network).says(statement).severity(Severity::Critical);
        let slices = context.scene.in_namespace("EndpointSlice", service.namespace.as_deref());
        for (slice, value) in slices.filter(|(slice, _)| context.graph.top_owner(slice) == *service) {
            match field::items(value, "/endpoints") {
                [] => draft = draft.field(slice, "endpoints", "null").field(slice, "endpoints", "[]"),
                _ => draft = draft.field(slice, "ready", "false"),
            }
        }
        if let Some(pod) = pods.first() {
            let message = context
                .scene
                .get(&pod.to)
                .and_then(|pod| field::condition(pod, "Ready"))
                .and_then(|ready| field::text(ready, "/message"))
                .unwrap_or("type: Ready");
            draft = draft.field(&pod.to, "message", message).field(&pod.to, "phase", "Pending");
        }
        for owner in &behind {
            draft = draft.field(owner, "replicas", "0");
        }
        draft.check("See its endpoints", workload::describe(service)).into(findings);
    }
}
