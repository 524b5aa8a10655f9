//! APIs that other servers answer, and that aren't answered.

use marple_core::{Category, Finding, ObjectRef};

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const UNAVAILABLE: Condition = Condition::pointer("api-service-unavailable", 5);
const MISSING: Condition = Condition::cause("metrics-api-missing", 5);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[UNAVAILABLE, MISSING], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (api, value) in context.scene.of_kind("APIService") {
        let Some(available) = field::condition(value, "Available") else { continue };
        if field::text(available, "/status") == Some("True") {
            continue;
        }
        let message = field::text(available, "/message").unwrap_or_default();
        let service = field::text(value, "/spec/service/namespace").zip(field::text(value, "/spec/service/name"));
        let service = service.map(|(namespace, name)| ObjectRef::namespaced("Service", namespace, name));
        context
            .finding(&UNAVAILABLE, api, Category::Dependency)
            .says(format!("{api} is not answered: {}", line::cut(message, 160)))
            .culprit(service.as_ref().unwrap_or(api))
            .field(api, "reason", field::text(available, "/reason").unwrap_or_default())
            .field(api, "message", message)
            .check("See the server behind it", workload::describe(service.as_ref().unwrap_or(api)))
            .into(findings);
    }
    missing(context, findings);
}

/// An autoscaler that finds no API of metrics, where there is none.
fn missing(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for api in context.scene.missing.iter().filter(|object| object.is("APIService")) {
        for user in context.graph.named_by(api) {
            let Some(active) = context.scene.get(user).and_then(|value| field::condition(value, "ScalingActive"))
            else {
                continue;
            };
            let message = field::text(active, "/message").unwrap_or_default();
            if !message.contains("resource") {
                continue;
            }
            context
                .finding(&MISSING, user, Category::Scaling)
                .says(format!("{api} does not exist: nothing in the cluster serves the metrics that {user} scales by"))
                .culprit(api)
                .field(user, "message", message)
                .check("See whether a metrics server is installed", "kubectl get apiservices")
                .into(findings);
        }
    }
}
