//! What is said where no finding explains the symptoms.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use marple_core::conclusion::SUMMARY_LIMIT;
use marple_core::{Cause, Conclusion, Confidence, Finding, Link, ObjectRef, Severity, Verdict};
use serde_json::Value;

use super::{ASKED, Symptom, change, limits};
use crate::diagnose::{line, workload};
use crate::scene::{Graph, Relation, Scene, field};

/// Alerts whose whole condition the health of an object tells again, without `Kube` or `Kubernetes` before them. Others
/// that are named after an object measure what no object shows: how full a volume is, how busy a node.
const OF_STATE: [&str; 33] = [
    "PodCrashLooping",
    "PodCrashLoop",
    "PodNotReady",
    "PodNotHealthy",
    "PodUnhealthy",
    "PodPending",
    "PodImagePullFailing",
    "PodContainerStartFailing",
    "PodProbeFailing",
    "PodSandboxFailing",
    "PodUnschedulable",
    "PodVolumeFailing",
    "ContainerWaiting",
    "DeploymentReplicasMismatch",
    "DeploymentReplicasUnavailable",
    "DeploymentRolloutStuck",
    "DeploymentUnavailable",
    "DeploymentNotReady",
    "StatefulSetReplicasMismatch",
    "StatefulSetNotReady",
    "StatefulSetDown",
    "DaemonSetRolloutStuck",
    "DaemonSetNotScheduled",
    "DaemonSetNotReady",
    "NodeNotReady",
    "NodeUnreachable",
    "NodeDiskPressure",
    "NodeMemoryPressure",
    "NodePIDPressure",
    "NodeNetworkUnavailable",
    "JobFailed",
    "PersistentVolumeClaimPending",
    "PersistentVolumeClaimLost",
];

/// A rollout whose last step is longer ago may be held up.
const GETS_ON: SignedDuration = SignedDuration::from_secs(75);

/// Whether the condition of an alert of this name is one of state, which was looked at.
fn is_of_state(name: &str) -> bool {
    let name = name.strip_prefix("Kubernetes").or_else(|| name.strip_prefix("Kube")).unwrap_or(name);
    OF_STATE.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// How a sentence names what is to be explained.
fn spoken_of(symptom: &Symptom) -> &str {
    if symptom.name == ASKED { "what was asked" } else { &symptom.name }
}

/// The conclusion without a cause: `no_fault` where everything is well and the alert is of the state, else
/// `inconclusive`, with what was looked at.
pub(super) fn without_cause(
    scene: &Scene,
    graph: &Graph,
    symptoms: &[Symptom],
    units: &BTreeMap<ObjectRef, usize>,
    findings: &[&Finding],
    began: Option<Timestamp>,
) -> Conclusion {
    let alerts = symptoms.iter().map(spoken_of).collect::<std::collections::BTreeSet<_>>();
    let named =
        if alerts.is_empty() { "it".to_owned() } else { alerts.iter().take(3).copied().collect::<Vec<_>>().join(", ") };
    let healths = units.keys().map(|unit| health(scene, graph, unit)).collect::<Option<Vec<_>>>();
    let troubled = findings
        .iter()
        .any(|finding| finding.severity > Severity::Info && units.contains_key(&graph.top_owner(&finding.object)));
    let well = healths.filter(|healths| !healths.is_empty() && !troubled);
    let of_state = !alerts.is_empty() && alerts.iter().all(|name| is_of_state(name));
    let looked = looked_at(scene);
    let bounds = limits::sentence(scene, graph, units.keys(), &alerts).unwrap_or_default();
    let suffering = units.keys().cloned().collect::<BTreeSet<_>>();
    let suspect = began.and_then(|began| change::suspect(scene, graph, &suffering, findings, began));
    let harmless = harmless(scene, well.as_deref(), &alerts, &bounds, suspect.is_some());
    let nothing_wrong = harmless.is_some() || well.is_some() && of_state && scene.unseen.is_empty();
    if let Some(suspect) = suspect.filter(|_| !nothing_wrong) {
        return suspected(scene, symptoms, suspect, &named, began);
    }
    let unexplained = |finding: &&&Finding| {
        finding.severity > Severity::Info && units.contains_key(&graph.top_owner(&finding.object))
    };
    let worst = findings.iter().find(unexplained).map(|finding| super::sentence(&finding.statement));
    let (verdict, confidence, summary) = match (harmless, &well) {
        (Some((confidence, summary)), _) => (Verdict::NoFault, confidence, summary),
        (None, Some(well)) if nothing_wrong => {
            let summary = if well.iter().any(|well| well.rolling) {
                format!("{}. {named} comes of that and should end with it; nothing else is wrong there.", told(well))
            } else {
                format!("{} now; nothing else is wrong there. {named} has passed without a lasting cause.", told(well))
            };
            (Verdict::NoFault, Confidence::Medium, summary)
        }
        (None, Some(well)) => (
            Verdict::Inconclusive,
            Confidence::Low,
            format!("The state of the cluster does not explain {named}: {}.{bounds} Looked at {looked}.", told(well)),
        ),
        (None, None) if worst.is_some() => (
            Verdict::Inconclusive,
            Confidence::Low,
            format!("{} Nothing that the rules know says why. Looked at {looked}.", worst.unwrap_or_default()),
        ),
        (None, None) => {
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

/// Alerts that fire always, to show that alerting works, in lower case.
const ALWAYS: [&str; 3] = ["watchdog", "deadmansswitch", "deadmanssnitch"];

/// What is said of alerts that tell of no trouble, and how surely: of those that always fire; and of a workload that is held
/// back by its processor limit, where it is well and nothing was changed.
fn harmless(
    scene: &Scene,
    well: Option<&[Well]>,
    alerts: &BTreeSet<&str>,
    bounds: &str,
    changed: bool,
) -> Option<(Confidence, String)> {
    let all =
        |is: &dyn Fn(&str) -> bool| !alerts.is_empty() && alerts.iter().all(|name| is(&name.to_ascii_lowercase()));
    if all(&|name| ALWAYS.contains(&name)) {
        let named = alerts.iter().copied().collect::<Vec<_>>().join(", ");
        return Some((
            Confidence::High,
            format!("{named} always fires, to show that alerts get through; nothing is wrong."),
        ));
    }
    let limited = !bounds.is_empty() && !changed && scene.unseen.is_empty();
    let well = well.filter(|_| limited && all(&|name| name.contains("throttl")))?;
    let why =
        format!("{}.{bounds} It is held back by that limit, and nothing that was looked at is broken.", told(well));
    Some((Confidence::Medium, why))
}

/// The conclusion where nothing is broken by the state of the objects, and a change came shortly before.
fn suspected(
    scene: &Scene,
    symptoms: &[Symptom],
    change: &Finding,
    named: &str,
    began: Option<Timestamp>,
) -> Conclusion {
    let before = change.at.zip(began).map(|(at, began)| began.duration_since(at).as_secs()).unwrap_or_default();
    let when = match before {
        ..120 => "just before".to_owned(),
        seconds => format!("{} min before", seconds / 60),
    };
    let statement = super::sentence(&change.statement);
    let chain = symptoms.iter().take(1).filter_map(|symptom| {
        let statement = format!("{} since {}", symptom.name, symptom.starts_at);
        Some(Link { object: symptom.object.clone()?, statement, citations: Vec::new() })
    });
    let link =
        Link { object: change.object.clone(), statement: statement.clone(), citations: change.citations.clone() };
    let summary = format!("{statement} That was {when} {named}, which nothing else in the cluster's state explains.");
    Conclusion {
        verdict: Verdict::Fault,
        summary: line::cut(&summary, SUMMARY_LIMIT),
        cause: Some(Cause {
            object: change.object.clone(),
            category: change.category,
            statement,
            citations: change.citations.clone(),
        }),
        chain: chain.chain([link]).collect(),
        impact: String::new(),
        confidence: Confidence::Low,
        remedies: change.remedies.clone(),
        ruled_out: Vec::new(),
        unseen: scene.unseen.clone(),
    }
}

/// Whether what hindered an object then is over: a Job that is complete, a `CronJob` of which a run has succeeded since.
pub(super) fn is_done(scene: &Scene, unit: &ObjectRef, at: Option<Timestamp>) -> bool {
    let Some(value) = scene.get(unit) else { return false };
    match unit.kind.as_str() {
        "Job" => field::condition(value, "Complete").is_some_and(|one| field::text(one, "/status") == Some("True")),
        "CronJob" => at.zip(field::time(value, "/status/lastSuccessfulTime")).is_some_and(|(at, done)| done > at),
        _ => false,
    }
}

/// That a Deployment is amid a rollout that gets on, in words: its controller says so, no pod of it that has had its time
/// is not ready, and some of the new ones are.
fn rolls_out(scene: &Scene, graph: &Graph, unit: &ObjectRef, value: &Value) -> Option<String> {
    let progressing = field::condition(value, "Progressing").filter(|_| unit.is("Deployment"))?;
    let gets_on = field::text(progressing, "/status") == Some("True")
        && field::text(progressing, "/reason") == Some("ReplicaSetUpdated")
        && field::time(progressing, "/lastUpdateTime").is_some_and(|at| scene.now.duration_since(at) < GETS_ON);
    let (wanted, ready) = workload::replicas(unit, value)?;
    let updated = field::number(value, "/status/updatedReplicas").unwrap_or_default();
    let pods: Vec<&Value> =
        graph.members(unit).iter().filter(|member| member.is("Pod")).filter_map(|pod| scene.get(pod)).collect();
    // That the pods of before still serve tells nothing of the new ones.
    let revision = |pod: &Value| field::text(pod, "/metadata/labels/pod-template-hash").map(str::to_owned);
    let newest = pods.iter().max_by_key(|pod| field::created(pod)).and_then(|pod| revision(pod))?;
    let new_serves = pods.iter().any(|pod| revision(pod).as_ref() == Some(&newest) && field::is_ready(pod));
    let held_up = pods.iter().any(|pod| {
        let restarts = field::items(pod, "/status/containerStatuses").iter().any(|one| {
            field::number(one, "/restartCount").unwrap_or_default() > 0
                || one.pointer("/state/waiting/message").is_some()
        });
        let age = field::created(pod).map(|made| scene.now.duration_since(made)).unwrap_or_default();
        !field::is_ready(pod) && (restarts || age > GETS_ON)
    });
    (gets_on && new_serves && !held_up && updated > 1).then(|| {
        format!("{unit} is being rolled out and gets on: {updated} of {wanted} replicas are new, {ready} are ready")
    })
}

/// A top owner that is well.
pub(super) struct Well {
    /// That it is, in words.
    told: String,
    /// Whether it is amid a rollout.
    pub(super) rolling: bool,
}

pub(super) fn told(well: &[Well]) -> String {
    well.iter().map(|well| well.told.as_str()).collect::<Vec<_>>().join("; ")
}

/// That a top owner is well; nothing where it isn't, or can't be judged.
pub(super) fn health(scene: &Scene, graph: &Graph, unit: &ObjectRef) -> Option<Well> {
    let value = scene.get(unit)?;
    let steady = |told: String| Well { told, rolling: false };
    if let Some((wanted, ready)) = workload::replicas(unit, value) {
        if let Some(told) = rolls_out(scene, graph, unit, value).filter(|_| ready < wanted) {
            return Some(Well { told, rolling: true });
        }
        return (wanted > 0 && ready >= wanted)
            .then(|| steady(format!("{unit} has {ready} of {wanted} replicas ready")));
    }
    let text = match unit.kind.as_str() {
        "Pod" => field::is_ready(value).then_some("is ready"),
        "Node" => field::condition(value, "Ready")
            .filter(|ready| field::text(ready, "/status") == Some("True"))
            .map(|_| "is ready"),
        "Job" => field::condition(value, "Complete")
            .filter(|complete| field::text(complete, "/status") == Some("True"))
            .map(|_| "is complete"),
        "CronJob" => field::time(value, "/status/lastSuccessfulTime")
            .zip(field::time(value, "/status/lastScheduleTime"))
            .filter(|(success, scheduled)| success >= scheduled)
            .map(|_| "has succeeded in its latest run"),
        "PersistentVolumeClaim" => (field::text(value, "/status/phase") == Some("Bound")).then_some("is bound"),
        "Service" => graph
            .edges(unit)
            .iter()
            .any(|edge| {
                edge.relation == Relation::Selects
                    && scene.get(&edge.to).is_some_and(|pod| edge.to.is("Pod") && field::is_ready(pod))
            })
            .then_some("has ready endpoints"),
        _ => None,
    };
    text.map(|text| steady(format!("{unit} {text}")))
}

fn looked_at(scene: &Scene) -> String {
    format!("{} objects, {} events and {} logs", scene.objects.len(), scene.events.len(), scene.logs.len())
}
