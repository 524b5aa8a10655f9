//! Dependencies that settings name and that have no ready endpoint, whether or not a log tells of it.

use marple_core::{Category, Finding, ProofSource, Severity};

use super::context::Context;
use super::service_endpoints::has_none_ready;
use super::{Condition, Diagnoser, workload};
use crate::scene::Relation;

const NO_ENDPOINT: Condition = Condition::pointer("dependency-without-endpoints", 30).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[NO_ENDPOINT], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (caller, service, call) in context.graph.calls() {
        let Some(value) = context.scene.get(service) else { continue };
        let selects = context.graph.edges(service).iter().any(|edge| edge.relation == Relation::Selects);
        let seen = context.scene.lists("Pod", service.namespace.as_deref());
        let empty = seen && !selects && value.pointer("/spec/selector").is_some() && context.settled(value);
        if !empty && !has_none_ready(context, service) {
            continue;
        }
        context
            .finding(&NO_ENDPOINT, caller, Category::Dependency)
            .says(format!("{caller} depends on {service} ({}), which has no ready endpoint", call.how))
            .severity(Severity::Warning)
            .culprit(service)
            .words(ProofSource::Object(call.written_in.clone()), &call.host)
            .check("See the Service's endpoints", workload::describe(service))
            .into(findings);
    }
}
