//! Services that refuse calls, as their pods listen at another port or on loopback alone, by their own logs.

use std::collections::BTreeSet;

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::listens::listened;
use super::words::told;
use super::{Condition, Diagnoser, changed, line, workload};
use crate::scene::spoken::{Trouble, addresses, hosts, trouble};
use crate::scene::{Log, Relation, field};

const ELSEWHERE: Condition = Condition::cause("service-target-port-unserved", 5).likely();
const LOOPBACK: Condition = Condition::cause("listens-on-loopback-only", 5).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[ELSEWHERE, LOOPBACK], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for service in context.refusing() {
        judge(context, service, findings);
    }
}

/// Reads which Services refuse, by what programs say; see [`Context::refusing`].
pub(super) fn refusing(context: &Context<'_>) -> BTreeSet<ObjectRef> {
    let refused = told(context, |words| {
        let namespace = words.pod.namespace.as_deref()?;
        if trouble(words.line) != Some(Trouble::Refused) {
            return None;
        }
        let named = hosts(words.line).into_iter().map(|target| target.service(namespace));
        let service = named.into_iter().find(|service| context.scene.get(service).is_some());
        let at = || addresses(words.line).into_iter().find_map(|(ip, _)| context.graph.service_at(&ip).cloned());
        service.or_else(at)
    });
    refused.into_iter().map(|(service, ..)| service).collect()
}

fn judge(context: &Context<'_>, service: &ObjectRef, findings: &mut Vec<Finding>) {
    let Some(value) = context.scene.get(service) else { return };
    let [port] = field::items(value, "/spec/ports") else { return };
    let own = field::number(port, "/port");
    let Some(target) = port.get("targetPort").map_or(own, Value::as_i64) else { return };
    let selected = context.graph.edges(service).iter().filter(|edge| edge.relation == Relation::Selects);
    let pods = selected.map(|edge| &edge.to).filter(|pod| context.scene.get(pod).is_some_and(field::is_ready));
    let logs = pods.flat_map(|pod| context.scene.logs.iter().filter(move |log| log.pod == *pod && !log.previous));
    let lines = logs.flat_map(|log| log.text.lines().filter_map(move |line| Some((log, line, listened(line)?))));
    let lines = lines.collect::<Vec<(&Log, &str, i64)>>();
    let Some((log, line, listens)) = lines.iter().find(|(_, _, port)| *port == target).or(lines.first()) else {
        return;
    };
    let owner = context.graph.top_owner(&log.pod);
    let lower = line.to_ascii_lowercase();
    let loopback = ["127.0.0.1:", "localhost:", "[::1]:"].iter().any(|host| lower.contains(host));
    let draft = if *listens == target && loopback {
        context
            .finding(&LOOPBACK, &log.pod, Category::Configuration)
            .says(format!(
                "{owner} listens on loopback alone, where {service} does not reach it: {}",
                line::readable(line)
            ))
            .culprit(&owner)
            .mend("Let it listen on all addresses", workload::edit(&owner))
    } else if *listens != target {
        context
            .finding(&ELSEWHERE, service, Category::Network)
            .says(format!("{service} sends to port {target}, where {owner} does not listen: its log says that it listens on {listens}"))
            .culprit(if changed::was_altered(context, &owner, "containers[", service) { &owner } else { service })
            .field(service, "targetPort", &target.to_string())
            .mend("Let the Service send to the port that the pods listen on", workload::edit(service))
    } else {
        return;
    };
    draft.severity(Severity::Critical).log(&log.pod, &log.container, false, line).into(findings);
}
