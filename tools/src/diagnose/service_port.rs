//! Services that send to a port at which their pods have no listener.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::{Relation, field};

const NAMED: Condition = Condition::cause("service-target-port-unknown", 4);
const NUMBERED: Condition = Condition::cause("service-target-port-undeclared", 6).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[NAMED, NUMBERED], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (service, value) in context.scene.of_kind("Service") {
        let pod = context
            .graph
            .edges(service)
            .iter()
            .filter(|edge| edge.relation == Relation::Selects && edge.to.is("Pod"))
            .find_map(|edge| Some((&edge.to, context.scene.get(&edge.to)?)));
        if let Some((pod, selected)) = pod {
            for port in field::items(value, "/spec/ports") {
                judge(context, service, port, pod, selected, findings);
            }
        }
    }
}

fn judge(
    context: &Context<'_>,
    service: &ObjectRef,
    port: &Value,
    pod: &ObjectRef,
    selected: &Value,
    findings: &mut Vec<Finding>,
) {
    let declared = field::items(selected, "/spec/containers")
        .iter()
        .chain(field::items(selected, "/spec/initContainers"))
        .flat_map(|container| field::items(container, "/ports"))
        .collect::<Vec<_>>();
    let number = |port: &&Value| field::number(port, "/containerPort").map(|number| number.to_string());
    let own = field::number(port, "/port").unwrap_or_default();
    let target = port.get("targetPort").cloned().unwrap_or_else(|| own.into());
    let (condition, target, known) = match &target {
        Value::String(name) => {
            let known = declared.iter().any(|port| field::text(port, "/name") == Some(name));
            (&NAMED, name.clone(), known)
        }
        other => {
            let target = other.to_string();
            // Ports are declared for people: without any, nothing can be told of where it listens.
            let known = declared.is_empty() || declared.iter().any(|port| number(port).as_deref() == Some(&target));
            (&NUMBERED, target, known)
        }
    };
    if known {
        return;
    }
    let owner = context.graph.top_owner(pod);
    let ports = declared
        .iter()
        .filter_map(|port| {
            let number = number(port)?;
            Some(field::text(port, "/name").map_or_else(|| number.clone(), |name| format!("{name} ({number})")))
        })
        .collect::<Vec<_>>();
    let offers = if ports.is_empty() { "declare no port".to_owned() } else { format!("declare {}", ports.join(", ")) };
    let right = declared.first().and_then(number).unwrap_or_else(|| "PORT".to_owned());
    let mut draft = context
        .finding(condition, service, Category::Network)
        .says(format!(
            "Port {own} of {service} leads to target port {target}, which no container of {owner} has: they {offers}"
        ))
        .severity(Severity::Critical)
        .culprit(service)
        .field(service, "targetPort", &target);
    if let Some(number) = declared.first().and_then(number) {
        draft = draft.field(pod, "containerPort", &number);
    }
    draft
        .mend(
            "Let the Service send to the port that the pods listen on",
            format!(
                "kubectl patch{} {} -p '{{\"spec\":{{\"ports\":[{{\"port\":{own},\"targetPort\":{right}}}]}}}}'",
                workload::scope(service),
                workload::target(service)
            ),
        )
        .into(findings);
}
