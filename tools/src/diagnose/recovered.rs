//! Calls that failed while a pod behind the Service was replaced, and that fail no more.

use jiff::{SignedDuration, Timestamp};
use marple_core::{Finding, ObjectRef, ProofSource, Severity};

use super::context::{Context, RECENT};
use super::words::LATELY;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::spoken::trouble;
use crate::scene::{Relation, field};

pub(super) const RECOVERED: Condition = Condition::context("dependency-recovered");

/// Comes after those that find failed calls and what ails who is called: it looks at what they found.
pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[RECOVERED], find };

/// Calls that fail and that may be over.
const CALLS: [&str; 3] = ["dependency-refused", "dependency-timeout", "dependency-answers-errors"];

/// Silence that is so many times longer than it was between two errors, and at least this long, is no chance.
const TIMES: i32 = 8;
const SILENCE: SignedDuration = SignedDuration::from_secs(10);

/// Clocks differ.
const APART: SignedDuration = SignedDuration::from_secs(3);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let over = findings
        .iter()
        .enumerate()
        .filter_map(|(place, finding)| Some((place, recovered(context, finding, findings)?)));
    let over = over.collect::<Vec<_>>();
    let mut callers = Vec::new();
    for (place, Over { statement, at }) in over {
        let Some(finding) = findings.get_mut(place) else { continue };
        callers.push(context.graph.top_owner(&finding.object));
        RECOVERED.word.clone_into(&mut finding.condition);
        (finding.statement, finding.at) = (statement, Some(at));
        (finding.severity, finding.culprit) = (Severity::Info, None);
        finding.remedies.clear();
    }
    // Their errors are those that are over.
    findings.retain(|finding| {
        finding.condition != "errors-in-log" || !callers.contains(&context.graph.top_owner(&finding.object))
    });
}

/// That calls are over, in words, and when the last failed.
struct Over {
    statement: String,
    at: Timestamp,
}

fn recovered(context: &Context<'_>, finding: &Finding, findings: &[Finding]) -> Option<Over> {
    if !CALLS.contains(&finding.condition.as_str()) || finding.at.is_some() {
        return None;
    }
    let service = finding.culprit.as_ref()?;
    let caller = context.graph.top_owner(&finding.object);
    let behind = context.graph.workloads_behind(service);
    let ails = |unit: &ObjectRef| {
        findings.iter().any(|one| one.severity > Severity::Info && context.graph.top_owner(&one.object) == *unit)
    };
    let changed = |unit: &ObjectRef| context.scene.rollouts.get(unit).is_some_and(|it| context.within(it.at, RECENT));
    let well = |unit: &ObjectRef| workload::is_well(context.scene, unit) && !ails(unit) && !changed(unit);
    if behind.is_empty() || !behind.iter().all(well) || ails(service) {
        return None;
    }
    let (pod, ready) = replacement(context, service)?;
    let (last, line) = silent(context, finding)?;
    (last <= ready + APART).then(|| Over {
        statement: format!(
            "Calls of {caller} to {service} failed until {}, while {pod} replaced another pod; that is ready since {}, and none fails since. The last said: {}",
            context.clock(last),
            context.clock(ready),
            line::readable(line)
        ),
        at: last,
    })
}

/// The pod that got ready last behind a Service, where it was made lately, has not restarted, and all others are ready too.
fn replacement<'a>(context: &'a Context<'_>, service: &ObjectRef) -> Option<(&'a ObjectRef, Timestamp)> {
    let edges = context.graph.edges(service).iter();
    let pods = edges.filter(|edge| edge.relation == Relation::Selects && edge.to.is("Pod"));
    let pods = pods.filter_map(|edge| Some((&edge.to, context.scene.get(&edge.to)?))).collect::<Vec<_>>();
    let ready = |pod| {
        let condition = field::condition(pod, "Ready").filter(|ready| field::text(ready, "/status") == Some("True"))?;
        field::time(condition, "/lastTransitionTime")
    };
    let times = pods.iter().map(|(pod, value)| Some((*pod, *value, ready(value)?))).collect::<Option<Vec<_>>>()?;
    let (pod, value, at) = times.into_iter().max_by_key(|(.., at)| *at)?;
    let new = field::created(value).is_some_and(|made| context.within(made, LATELY));
    let restarts = field::items(value, "/status/containerStatuses");
    let steady = !restarts.iter().any(|one| field::number(one, "/restartCount").unwrap_or_default() > 0);
    (new && steady).then_some((pod, at))
}

/// When the last failed call was told in the log that proves a finding, and its line, where the silence since is long.
fn silent<'a>(context: &'a Context<'_>, finding: &Finding) -> Option<(Timestamp, &'a str)> {
    let ProofSource::Log { pod, container, previous: false } = &finding.proofs.first()?.source else { return None };
    let log = context.scene.log(pod, container, false)?;
    let failed = log.text.lines().filter(|line| trouble(line).is_some() || line::is_error(line));
    let failed =
        failed.map(|line| Some((line::said_at(line, context.scene.now)?, line))).collect::<Option<Vec<_>>>()?;
    let ((first, _), (last, line)) = (failed.first()?, failed.last()?);
    let between = i32::try_from(failed.len().saturating_sub(1)).ok().filter(|between| *between > 0)?;
    let mean = last.duration_since(*first) / between;
    let silence = context.scene.now.duration_since(*last);
    (silence >= SILENCE.max(mean * TIMES)).then_some((*last, *line))
}
