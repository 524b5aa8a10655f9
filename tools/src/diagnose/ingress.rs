//! Ingresses whose Service, port, class or certificate isn't there.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, changed, workload};
use crate::scene::{backends, field};

const SERVICE: Condition = Condition::cause("ingress-service-missing", 2);
const PORT: Condition = Condition::cause("ingress-port-unknown", 3);
const CERTIFICATE: Condition = Condition::cause("ingress-certificate-missing", 4);
const CLASS: Condition = Condition::cause("ingress-class-missing", 3);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[SERVICE, PORT, CERTIFICATE, CLASS], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (ingress, value) in context.scene.of_kind("Ingress") {
        let Some(namespace) = ingress.namespace.as_deref() else { continue };
        let class = field::text(value, "/spec/ingressClassName").map(|name| ObjectRef::cluster("IngressClass", name));
        if let Some(class) = class.filter(|class| context.scene.missing.contains(class)) {
            context
                .finding(&CLASS, ingress, Category::Network)
                .says(format!("{class}, which {ingress} asks for, does not exist: no controller serves it"))
                .severity(Severity::Critical)
                .culprit(&class)
                .field(ingress, "ingressClassName", &class.name)
                .check("See which classes there are", "kubectl get ingressclasses")
                .mend("Name a class that exists", workload::edit(ingress))
                .into(findings);
        }
        for (name, port, how) in backends(value) {
            let service = ObjectRef::namespaced("Service", namespace, name);
            match context.scene.get(&service) {
                None if context.scene.missing.contains(&service) => context
                    .finding(&SERVICE, ingress, Category::Network)
                    .says(format!("{ingress} sends {how} to {service}, which does not exist"))
                    .severity(Severity::Critical)
                    .culprit(&service)
                    .field(ingress, "name", name)
                    .mend("Name a Service that exists", workload::edit(ingress))
                    .into(findings),
                Some(found) if !has_port(found, &port) => context
                    .finding(&PORT, ingress, Category::Network)
                    .says(format!("{ingress} sends {how} to port {port} of {service}, which has {}", ports(found)))
                    .severity(Severity::Critical)
                    .culprit(if changed::was_altered(context, &service, "ports", ingress) { &service } else { ingress })
                    .field(ingress, "number", &port)
                    .field(ingress, "name", &port)
                    .mend("Name a port that the Service has", workload::edit(ingress))
                    .into(findings),
                _ => {}
            }
        }
        for name in field::items(value, "/spec/tls").iter().filter_map(|tls| field::text(tls, "/secretName")) {
            let secret = ObjectRef::namespaced("Secret", namespace, name);
            let broken = match context.scene.get(&secret) {
                None => context.scene.missing.contains(&secret).then_some("does not exist"),
                Some(found) => found.pointer("/data/tls.crt").is_none().then_some("has no key tls.crt"),
            };
            if let Some(broken) = broken {
                context
                    .finding(&CERTIFICATE, ingress, Category::Certificate)
                    .says(format!("{secret}, the certificate of {ingress}, {broken}"))
                    .culprit(&secret)
                    .field(ingress, "secretName", name)
                    .mend(
                        "Create it from the certificate and its key",
                        format!("kubectl create secret tls{} {name} --cert=FILE --key=FILE", workload::scope(&secret)),
                    )
                    .into(findings);
            }
        }
    }
}

fn has_port(service: &Value, wanted: &str) -> bool {
    wanted.is_empty()
        || field::items(service, "/spec/ports").iter().any(|port| {
            field::text(port, "/name") == Some(wanted)
                || field::number(port, "/port").is_some_and(|number| number.to_string() == wanted)
        })
}

fn ports(service: &Value) -> String {
    let ports = field::items(service, "/spec/ports").iter().filter_map(|port| field::number(port, "/port"));
    ports.map(|port| port.to_string()).collect::<Vec<_>>().join(", ")
}
