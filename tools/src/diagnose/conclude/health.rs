//! What is said where no finding explains the symptoms.

use std::collections::BTreeMap;

use marple_core::conclusion::SUMMARY_LIMIT;
use marple_core::{Conclusion, Confidence, Finding, Link, ObjectRef, Severity, Verdict};

use super::Symptom;
use crate::diagnose::{line, workload};
use crate::scene::{Graph, Relation, Scene, field};

/// Beginnings of the names of alerts whose condition is the state of objects, which was looked at. An alert on rates or
/// latencies may fire while every object is well.
const OF_STATE: [&str; 14] = [
    "KubePod",
    "KubeDeployment",
    "KubeStatefulSet",
    "KubeDaemonSet",
    "KubeJob",
    "KubeNode",
    "KubeContainer",
    "KubeHpa",
    "KubePersistentVolume",
    "Pod",
    "Node",
    "Job",
    "Container",
    "Deployment",
];

/// The conclusion without a cause: `no_fault` where everything is well and the alert is of the state, else
/// `inconclusive`, with what was looked at.
pub(super) fn without_cause(
    scene: &Scene,
    graph: &Graph,
    symptoms: &[Symptom],
    units: &BTreeMap<ObjectRef, usize>,
    findings: &[&Finding],
) -> Conclusion {
    let alerts = symptoms.iter().map(|symptom| symptom.name.as_str()).collect::<std::collections::BTreeSet<_>>();
    let named =
        if alerts.is_empty() { "it".to_owned() } else { alerts.iter().take(3).copied().collect::<Vec<_>>().join(", ") };
    let healths = units.keys().map(|unit| health(scene, graph, unit)).collect::<Option<Vec<_>>>();
    let troubled = findings
        .iter()
        .any(|finding| finding.severity > Severity::Info && units.contains_key(&graph.top_owner(&finding.object)));
    let well = healths.filter(|healths| !healths.is_empty() && !troubled);
    let of_state = !alerts.is_empty() && alerts.iter().all(|name| OF_STATE.iter().any(|start| name.starts_with(start)));
    let looked = looked_at(scene);
    let (verdict, confidence, summary) = match &well {
        Some(well) if of_state && scene.unseen.is_empty() => (
            Verdict::NoFault,
            Confidence::Medium,
            format!(
                "{} now; nothing else is wrong there. {named} has passed without a lasting cause.",
                well.join("; ")
            ),
        ),
        Some(well) => (
            Verdict::Inconclusive,
            Confidence::Low,
            format!("The state of the cluster does not explain {named}: {}. Looked at {looked}.", well.join("; ")),
        ),
        None => {
            let on = units.keys().take(2).map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let on = if on.is_empty() { String::new() } else { format!(" on {on}") };
            let unseen = match scene.unseen.len() {
                0 => String::new(),
                1 => " One thing could not be seen.".to_owned(),
                more => format!(" {more} things could not be seen."),
            };
            (
                Verdict::Inconclusive,
                Confidence::Low,
                format!("Nothing that the rules know explains {named}{on}. Looked at {looked}.{unseen}"),
            )
        }
    };
    let unexplained = |finding: &&&Finding| {
        finding.severity > Severity::Info && units.contains_key(&graph.top_owner(&finding.object))
    };
    let chain = findings.iter().filter(unexplained).take(5).map(|finding| Link {
        object: finding.object.clone(),
        statement: finding.statement.clone(),
        citations: finding.citations.clone(),
    });
    Conclusion {
        verdict,
        summary: line::cut(&summary, SUMMARY_LIMIT),
        cause: None,
        chain: chain.collect(),
        impact: String::new(),
        confidence,
        remedies: Vec::new(),
        ruled_out: Vec::new(),
        unseen: scene.unseen.clone(),
    }
}

/// That a top owner is well, in words; nothing where it isn't, or can't be judged.
fn health(scene: &Scene, graph: &Graph, unit: &ObjectRef) -> Option<String> {
    let value = scene.get(unit)?;
    if let Some((wanted, ready)) = workload::replicas(unit, value) {
        return (wanted > 0 && ready >= wanted).then(|| format!("{unit} has {ready} of {wanted} replicas ready"));
    }
    let text = match unit.kind.as_str() {
        "Pod" => workload::pod_ready(value).then_some("is ready"),
        "Node" => field::condition(value, "Ready")
            .filter(|ready| field::text(ready, "/status") == Some("True"))
            .map(|_| "is ready"),
        "Job" => field::condition(value, "Complete")
            .filter(|complete| field::text(complete, "/status") == Some("True"))
            .map(|_| "is complete"),
        "PersistentVolumeClaim" => (field::text(value, "/status/phase") == Some("Bound")).then_some("is bound"),
        "Service" => graph
            .edges(unit)
            .iter()
            .any(|edge| {
                edge.relation == Relation::Selects
                    && scene.get(&edge.to).is_some_and(|pod| edge.to.is("Pod") && workload::pod_ready(pod))
            })
            .then_some("has ready endpoints"),
        _ => None,
    };
    text.map(|text| format!("{unit} {text}"))
}

fn looked_at(scene: &Scene) -> String {
    format!("{} objects, {} events and {} logs", scene.objects.len(), scene.events.len(), scene.logs.len())
}
