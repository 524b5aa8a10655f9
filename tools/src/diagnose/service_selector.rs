//! Services whose selector fits no pod and no workload.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, changed, workload};
use crate::scene::{Relation, field};

const NOTHING: Condition = Condition::cause("service-selects-nothing", 2);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[NOTHING], find };

/// The workload that a selector nearly fits: how many of its pairs differ, those pairs, and the workload.
type Near<'a> = (usize, Vec<(&'a str, &'a str, Option<&'a str>)>, &'a ObjectRef);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (service, value) in context.scene.of_kind("Service") {
        let selector = field::labels(value, "/spec/selector");
        let external = field::text(value, "/spec/type") == Some("ExternalName");
        let selects = context.graph.edges(service).iter().any(|edge| edge.relation == Relation::Selects);
        // Without all pods and workloads of the namespace seen, one that fits may be there.
        let seen = ["Pod", "Deployment", "StatefulSet", "DaemonSet"]
            .into_iter()
            .all(|kind| context.scene.lists(kind, service.namespace.as_deref()));
        if !seen || selector.is_empty() || external || selects || !context.settled(value) {
            continue;
        }
        let mut near: Option<Near<'_>> = None;
        let made = ["Deployment", "StatefulSet", "DaemonSet"]
            .into_iter()
            .flat_map(|kind| context.scene.in_namespace(kind, service.namespace.as_deref()))
            .map(|(workload, made)| (workload, field::pod_labels(made)))
            .collect::<Vec<_>>();
        for (workload, labels) in &made {
            let differing = selector.iter().filter(|(name, value)| labels.get(name) != Some(*value));
            let differing = differing.map(|(name, value)| (name, value, labels.get(name))).collect::<Vec<_>>();
            let fits = selector.len() - differing.len();
            let related = fits > 0 || workload.name == service.name;
            if related && near.as_ref().is_none_or(|(fewest, _, _)| differing.len() < *fewest) {
                near = Some((differing.len(), differing, workload));
            }
        }
        let pairs = selector.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ");
        let meant = near.as_ref().is_some_and(|(_, differing, workload)| {
            differing.iter().all(|(.., had)| had.is_none()) && workload::is_well(context.scene, workload)
        });
        // Labels that no template has are given to pods as they take on a role; while nobody misses it, it is meant so.
        let severity = if meant && !context.refusing().contains(service) && !is_missed(context, service) {
            Severity::Info
        } else {
            Severity::Critical
        };
        let relabelled = near.as_ref().map(|(.., workload)| *workload);
        let relabelled = relabelled.filter(|workload| changed::was_altered(context, workload, "labels", service));
        let culprit = relabelled.unwrap_or(service);
        let mut draft = context.finding(&NOTHING, service, Category::Network).severity(severity).culprit(culprit);
        for (name, value) in selector.iter() {
            draft = draft.field(service, name, value);
        }
        draft = match near {
            Some((_, differing, workload)) => {
                let told = differing.iter().map(|(name, wanted, had)| match had {
                    Some(had) => format!("{name} is {had}, not {wanted}"),
                    None => format!("there is no label {name}"),
                });
                let told = told.collect::<Vec<_>>().join(" and ");
                for (name, _, had) in &differing {
                    if let Some(had) = had {
                        draft = draft.field(workload, name, had);
                    }
                }
                let patch = differing.iter().map(|(name, _, had)| had.map(|had| format!("\"{name}\":\"{had}\"")));
                let patch = patch.collect::<Option<Vec<_>>>().map(|patch| patch.join(","));
                let command = match patch {
                    Some(patch) => format!(
                        "kubectl patch{} {} -p '{{\"spec\":{{\"selector\":{{{patch}}}}}}}'",
                        workload::scope(service),
                        workload::target(service)
                    ),
                    // Without the label it would send to pods that it was to leave out.
                    None => workload::edit(service),
                };
                draft
                    .says(format!("{service} selects no pod ({pairs}); {workload} is nearest, but on its pods {told}"))
                    .mend(format!("Let the selector fit {workload}"), command)
            }
            None => draft
                .says(format!("{service} selects no pod: nothing in its namespace has the labels {pairs}"))
                .mend("Correct the selector, or deploy what it should select", workload::edit(service)),
        };
        draft.into(findings);
    }
}

/// Whether a workload whose settings name the Service is not well.
fn is_missed(context: &Context<'_>, service: &ObjectRef) -> bool {
    context.graph.calls().any(|(caller, called, _)| called == service && !workload::is_well(context.scene, caller))
}
