//! What is said where all that went wrong were calls, and all is well since.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use marple_core::conclusion::SUMMARY_LIMIT;
use marple_core::{Conclusion, Confidence, Finding, Link, ObjectRef, Severity, Verdict};
use serde_json::Value;

use super::health::{health, told};
use super::{ASKED, Symptom, change, sentence};
use crate::diagnose::{Role, condition, line};
use crate::scene::{Graph, Scene, field};

/// Calls that failed.
const CALLS: [&str; 7] = [
    "dependency-recovered",
    "dependency-refused",
    "dependency-timeout",
    "dependency-unresolved",
    "dependency-answers-errors",
    "name-resolution-failing",
    "name-server-unanswered",
];

/// What shows that a container ended and runs again, and no more.
const RESTARTED: &str = "container-restarted";

/// A container that runs for less, or for less than so many times its run before, may end the same way again.
const STEADY: SignedDuration = SignedDuration::from_secs(10);
const LONGER: i32 = 5;

/// The conclusion that nothing is broken any more: all that suffers is well, has been for much longer than it ran before, and
/// nothing but calls went wrong, which are over; nor is anything wrong with who was called, or changed.
pub(super) fn conclusion(
    scene: &Scene,
    graph: &Graph,
    units: &BTreeMap<ObjectRef, usize>,
    symptoms: &[Symptom],
    findings: &[&Finding],
    began: Option<Timestamp>,
) -> Option<Conclusion> {
    if symptoms.is_empty() || symptoms.iter().any(|symptom| symptom.name == ASKED) {
        return None;
    }
    let well = units.keys().map(|unit| health(scene, graph, unit)).collect::<Option<Vec<_>>>()?;
    if well.is_empty()
        || well.iter().any(|well| well.rolling)
        || !units.keys().all(|unit| is_steady(scene, graph, unit))
    {
        return None;
    }
    let own = findings.iter().copied().filter(|finding| units.contains_key(&graph.top_owner(&finding.object)));
    let own = own.collect::<Vec<_>>();
    let is_call = |finding: &Finding| CALLS.contains(&finding.condition.as_str());
    let lasts = own.iter().any(|finding| {
        let harmless = finding.at.is_some() && (is_call(finding) || finding.condition == RESTARTED);
        finding.condition == "dependency-in-trouble" || finding.severity > Severity::Info && !harmless
    });
    let call = own.iter().copied().find(|finding| is_call(finding) && finding.at.is_some()).filter(|_| !lasts)?;
    let ails = |object: &ObjectRef| {
        findings.iter().any(|finding| {
            let tells = condition(&finding.condition).is_some_and(|known| known.role != Role::Context);
            let unit = graph.top_owner(&finding.object);
            tells
                && finding.severity > Severity::Info
                && (unit == *object || graph.workloads_behind(object).contains(&unit))
        })
    };
    if own.iter().filter_map(|finding| finding.culprit.as_ref()).any(ails) {
        return None;
    }
    let suffering = units.keys().cloned().collect::<BTreeSet<_>>();
    let began = began.unwrap_or(scene.now);
    if change::suspect(scene, graph, &suffering, findings, began).is_some() {
        return None;
    }
    let before = sentence(&call.statement);
    let summary = format!("{} now; nothing is wrong there any more. {before}", told(&well));
    let proven = call.citations.iter().any(|citation| citation.verified);
    Some(Conclusion {
        verdict: Verdict::NoFault,
        summary: line::cut(&summary, SUMMARY_LIMIT),
        cause: None,
        chain: vec![Link { object: call.object.clone(), statement: before, citations: call.citations.clone() }],
        impact: String::new(),
        confidence: if proven { Confidence::Medium } else { Confidence::Low },
        remedies: Vec::new(),
        ruled_out: Vec::new(),
        unseen: scene.unseen.clone(),
    })
}

/// Whether each container of a workload has run for a while, and for much longer than its run before.
fn is_steady(scene: &Scene, graph: &Graph, unit: &ObjectRef) -> bool {
    let pods = graph.members(unit).iter().filter(|member| member.is("Pod")).filter_map(|pod| scene.get(pod));
    let mut statuses = pods.flat_map(|pod| field::items(pod, "/status/containerStatuses"));
    statuses.all(|status: &Value| {
        let Some(began) = field::time(status, "/state/running/startedAt") else { return false };
        let before = field::time(status, "/lastState/terminated/startedAt")
            .zip(field::time(status, "/lastState/terminated/finishedAt"))
            .map(|(from, to)| to.duration_since(from));
        scene.now.duration_since(began) > (before.unwrap_or_default() * LONGER).max(STEADY)
    })
}
