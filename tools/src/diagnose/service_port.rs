//! Services that send to a port at which their pods have no listener.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, changed, probe, workload};
use crate::scene::{Relation, field};

const NAMED: Condition = Condition::cause("service-target-port-unknown", 4);
const NUMBERED: Condition = Condition::cause("service-target-port-undeclared", 6).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[NAMED, NUMBERED], find };

/// Whether a finding is by declared ports alone, which are written for people: nobody was seen to be refused.
pub(super) fn is_by_declaration(finding: &Finding) -> bool {
    finding.condition == NUMBERED.word && finding.severity < Severity::Critical
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (service, value) in context.scene.of_kind("Service") {
        let refused = context.refusing().contains(service);
        let pod = context
            .graph
            .edges(service)
            .iter()
            .filter(|edge| edge.relation == Relation::Selects && edge.to.is("Pod"))
            .find_map(|edge| Some((&edge.to, context.scene.get(&edge.to)?)));
        if let Some((pod, selected)) = pod {
            for port in field::items(value, "/spec/ports") {
                judge(context, service, port, (pod, selected), refused, findings);
            }
        }
    }
}

fn judge(
    context: &Context<'_>,
    service: &ObjectRef,
    port: &Value,
    (pod, selected): (&ObjectRef, &Value),
    refused: bool,
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
            // Ports are declared for people: where one container leaves them out, it may listen anywhere.
            let open =
                field::items(selected, "/spec/containers").iter().any(|one| field::items(one, "/ports").is_empty());
            let listed = || declared.iter().any(|port| number(port).as_deref() == Some(&target));
            // A headless Service leads to the pods themselves, at whatever port.
            let headless =
                context.scene.get(service).is_some_and(|value| field::text(value, "/spec/clusterIP") == Some("None"));
            let known = headless || open || listed() || answers(selected, &target);
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
    let named = port.get("targetPort").is_some_and(Value::is_string);
    let mut draft = context
        .finding(condition, service, Category::Network)
        .says(format!(
            "Port {own} of {service} leads to target port {target}, which no container of {owner} has: they {offers}"
        ))
        .severity(if named || refused { Severity::Critical } else { Severity::Warning })
        .culprit(if changed::was_altered(context, &owner, "ports", service) { &owner } else { service })
        .field(service, "targetPort", &target);
    if let Some(number) = declared.first().and_then(number) {
        draft = draft.field(pod, "containerPort", &number);
    }
    // Which port is the right one, is only known where there is one, and only sure where the present one fails.
    let right = match declared.as_slice() {
        [only] if named || refused => number(only),
        _ => None,
    };
    let advice = "Let the Service send to the port that the pods listen on";
    match right {
        Some(right) => draft.mend(
            advice,
            format!(
                "kubectl patch{} {} -p '{{\"spec\":{{\"ports\":[{{\"port\":{own},\"targetPort\":{right}}}]}}}}'",
                workload::scope(service),
                workload::target(service)
            ),
        ),
        None => draft.mend(advice, workload::edit(service)),
    }
    .into(findings);
}

/// Whether the kubelet gets answers at a port: a pod that is ready passes its readiness probes.
fn answers(pod: &Value, target: &str) -> bool {
    let probed = |container: &Value| {
        let port = container.get("readinessProbe").and_then(|asked| probe::port(asked, container));
        port.is_some_and(|port| port.to_string() == target)
    };
    field::is_ready(pod) && field::items(pod, "/spec/containers").iter().any(probed)
}
