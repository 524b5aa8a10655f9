//! Admission webhooks whose Service isn't there, by their configuration.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::{Relation, field};

const MISSING: Condition = Condition::cause("webhook-service-missing", 3);
const EMPTY: Condition = Condition::pointer("webhook-service-without-endpoints", 4);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[MISSING, EMPTY], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
        for (configuration, value) in context.scene.of_kind(kind) {
            for webhook in field::items(value, "/webhooks") {
                judge(context, configuration, webhook, findings);
            }
        }
    }
}

fn judge(context: &Context<'_>, configuration: &ObjectRef, webhook: &Value, findings: &mut Vec<Finding>) {
    let text = |path| field::text(webhook, path).unwrap_or_default();
    let (Some(namespace), Some(name)) =
        (field::text(webhook, "/clientConfig/service/namespace"), field::text(webhook, "/clientConfig/service/name"))
    else {
        return;
    };
    let service = ObjectRef::namespaced("Service", namespace, name);
    let selects = context.graph.edges(&service).iter().any(|edge| edge.relation == Relation::Selects);
    let seen = context.scene.lists("Pod", Some(namespace));
    let empty = context
        .scene
        .get(&service)
        .is_some_and(|value| seen && !selects && value.pointer("/spec/selector").is_some() && context.settled(value));
    let draft = if context.scene.missing.contains(&service) {
        context
            .finding(&MISSING, configuration, Category::Network)
            .says(format!("{service}, which is to answer webhook {} of {configuration}, does not exist", text("/name")))
            .culprit(configuration)
    } else if empty || super::service_endpoints::has_none_ready(context, &service) {
        context
            .finding(&EMPTY, configuration, Category::Dependency)
            .says(format!(
                "{service}, which is to answer webhook {} of {configuration}, has no ready endpoint",
                text("/name")
            ))
            .culprit(&service)
    } else {
        return;
    };
    // A webhook that is passed over when it fails blocks nothing.
    let blocks = text("/failurePolicy") != "Ignore";
    draft
        .severity(if blocks { Severity::Critical } else { Severity::Info })
        .field(configuration, "name", name)
        .field(configuration, "failurePolicy", text("/failurePolicy"))
        .check("See what it is asked about", workload::describe(configuration))
        .mend("Bring its Service back, or take the webhook away if it is not needed", workload::edit(configuration))
        .into(findings);
}
