//! Pods that are held unready by a readiness gate, which somebody outside has to open.

use jiff::SignedDuration;
use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const SHUT: Condition = Condition::cause("readiness-gate-shut", 12);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[SHUT], find };

/// How long after its containers are ready a gate may be shut.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (pod, value) in context.scene.of_kind("Pod") {
        let Some(ready) = field::condition(value, "ContainersReady") else { continue };
        let since = field::time(ready, "/lastTransitionTime").or_else(|| field::created(value));
        let late = since.is_some_and(|since| !context.within(since, PATIENCE));
        let containers = field::text(ready, "/status") == Some("True") && late;
        if !containers || field::is_ready(value) || value.pointer("/metadata/deletionTimestamp").is_some() {
            continue;
        }
        let gates = field::items(value, "/spec/readinessGates").iter();
        let mut shut = gates
            .filter_map(|gate| field::text(gate, "/conditionType"))
            .filter(|gate| field::condition(value, gate).is_none_or(|one| field::text(one, "/status") != Some("True")));
        let Some(gate) = shut.next() else { continue };
        let said = field::condition(value, gate).map(|one| {
            let text = |path| field::text(one, path).unwrap_or_default();
            format!("it is {}: {} {}", text("/status"), text("/reason"), text("/message"))
        });
        let said = said.map_or_else(|| "nobody has set it yet".to_owned(), |said| line::cut(&said, 140));
        let owner = context.graph.top_owner(pod);
        context
            .finding(&SHUT, pod, Category::Configuration)
            .says(format!(
                "{pod} is not ready though all its containers are: its readiness gate {gate} is not open, {said}"
            ))
            .severity(Severity::Critical)
            .culprit(&owner)
            .field(pod, "conditionType", gate)
            .field(pod, "reason", "ReadinessGatesNotReady")
            .check("See whether the controller that opens the gate runs", "kubectl get pods -A")
            .mend("Take the gate away, if nobody opens it", workload::edit(&owner))
            .into(findings);
    }
}
