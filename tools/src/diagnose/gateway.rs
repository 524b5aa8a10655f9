//! Gateways and routes of the Gateway API that are not accepted or lead nowhere.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::{field, gateway};

const NOT_PROGRAMMED: Condition = Condition::cause("gateway-not-programmed", 8);
const CLASS: Condition = Condition::cause("gateway-class-missing", 3);
const NOT_ACCEPTED: Condition = Condition::cause("route-not-accepted", 6);
const GATEWAY: Condition = Condition::cause("route-gateway-missing", 3);
const SERVICE: Condition = Condition::cause("route-service-missing", 2);
const PORT: Condition = Condition::cause("route-port-unknown", 3);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[NOT_PROGRAMMED, CLASS, NOT_ACCEPTED, GATEWAY, SERVICE, PORT], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, value) in context.scene.of_kind("Gateway").filter(|(_, value)| context.settled(value)) {
        class(context, object, value, findings);
    }
    for kind in ["HTTPRoute", "GRPCRoute"] {
        for (route, value) in context.scene.of_kind(kind) {
            if let Some(namespace) = route.namespace.as_deref() {
                backends(context, route, namespace, value, findings);
                parents(context, route, namespace, value, findings);
            }
        }
    }
}

fn class(context: &Context<'_>, object: &ObjectRef, value: &Value, findings: &mut Vec<Finding>) {
    let class = field::text(value, "/spec/gatewayClassName").map(|name| ObjectRef::cluster("GatewayClass", name));
    if let Some(class) = class.filter(|class| context.scene.missing.contains(class)) {
        context
            .finding(&CLASS, object, Category::Network)
            .says(format!("{class}, which {object} asks for, does not exist: nothing serves it"))
            .severity(Severity::Critical)
            .culprit(&class)
            .field(object, "gatewayClassName", &class.name)
            .check("See which classes there are", "kubectl get gatewayclasses")
            .into(findings);
        return;
    }
    let listeners = field::items(value, "/status/listeners").iter().flat_map(|one| field::items(one, "/conditions"));
    let own = field::items(value, "/status/conditions").iter();
    let unmet = own.chain(listeners).find(|condition| {
        matches!(field::text(condition, "/type"), Some("Accepted" | "Programmed" | "ResolvedRefs"))
            && field::text(condition, "/status") == Some("False")
    });
    let Some(unmet) = unmet else { return };
    let (message, what) =
        (field::text(unmet, "/message").unwrap_or_default(), field::text(unmet, "/type").unwrap_or_default());
    context
        .finding(&NOT_PROGRAMMED, object, Category::Network)
        .says(format!("{object} is not served as it is written ({what} is False): {}", line::cut(message, 180)))
        .severity(Severity::Critical)
        .culprit(object)
        .field(object, "message", message)
        .field(object, "reason", field::text(unmet, "/reason").unwrap_or_default())
        .mend("Correct what its condition names", workload::edit(object))
        .into(findings);
}

fn backends(context: &Context<'_>, route: &ObjectRef, namespace: &str, value: &Value, findings: &mut Vec<Finding>) {
    for backend in gateway::backends(namespace, value) {
        let service = &backend.service;
        match context.scene.get(service) {
            None if context.scene.missing.contains(service) => context
                .finding(&SERVICE, route, Category::Network)
                .says(format!("{route} sends {} to {service}, which does not exist", backend.how))
                .severity(Severity::Critical)
                .culprit(service)
                .field(route, "name", backend.name)
                .mend("Name a Service that exists", workload::edit(route))
                .into(findings),
            Some(found) => {
                let ports =
                    || field::items(found, "/spec/ports").iter().filter_map(|port| field::number(port, "/port"));
                let Some(port) = backend.port.filter(|port| !ports().any(|one| one == *port)) else { continue };
                let has = ports().map(|port| port.to_string()).collect::<Vec<_>>().join(", ");
                context
                    .finding(&PORT, route, Category::Network)
                    .says(format!("{route} sends {} to port {port} of {service}, which has {has}", backend.how))
                    .severity(Severity::Critical)
                    .culprit(route)
                    .field(route, "port", &port.to_string())
                    .mend("Name a port that the Service has", workload::edit(route))
                    .into(findings);
            }
            None => {}
        }
    }
}

fn parents(context: &Context<'_>, route: &ObjectRef, namespace: &str, value: &Value, findings: &mut Vec<Finding>) {
    for parent in field::items(value, "/spec/parentRefs") {
        let Some(name) = field::text(parent, "/name") else { continue };
        let gateway = ObjectRef::namespaced("Gateway", field::text(parent, "/namespace").unwrap_or(namespace), name);
        if context.scene.missing.contains(&gateway) {
            context
                .finding(&GATEWAY, route, Category::Network)
                .says(format!("{gateway}, on which {route} hangs, does not exist"))
                .severity(Severity::Critical)
                .culprit(&gateway)
                .field(route, "name", name)
                .mend("Name a Gateway that exists", workload::edit(route))
                .into(findings);
        }
    }
    for parent in field::items(value, "/status/parents") {
        let unmet = field::items(parent, "/conditions").iter().find(|condition| {
            let (kind, reason) = (field::text(condition, "/type"), field::text(condition, "/reason"));
            matches!(kind, Some("Accepted" | "ResolvedRefs"))
                && field::text(condition, "/status") == Some("False")
                // Of its own above, where the Service was looked for.
                && reason != Some("BackendNotFound")
        });
        let Some(unmet) = unmet else { continue };
        let (reason, message) =
            (field::text(unmet, "/reason").unwrap_or_default(), field::text(unmet, "/message").unwrap_or_default());
        context
            .finding(&NOT_ACCEPTED, route, Category::Network)
            .says(format!("{route} is not accepted by its gateway ({reason}): {}", line::cut(message, 160)))
            .severity(Severity::Critical)
            .culprit(route)
            .field(route, "reason", reason)
            .field(route, "message", message)
            .mend("Correct what its condition names", workload::edit(route))
            .into(findings);
    }
}
