//! Configuration whose change broke the workload that takes it.

use jiff::{SignedDuration, Timestamp};
use marple_core::{Category, Finding, ObjectRef, ProofSource};
use serde_json::Value;

use super::change::{BEFORE, only_restarts, shortly};
use crate::diagnose::{Role, condition, workload};
use crate::scene::{Graph, MADE, Relation, Scene, field};

/// A program reads its settings when it begins, and clocks differ.
const BEGINS: SignedDuration = SignedDuration::from_secs(15);

/// Shorter values stand in a line by chance.
const TELLING: usize = 3;

/// The change of a ConfigMap or Secret that brought about what a workload shows by itself: its pods began after it, and
/// either what fails quotes the value, or nobody changed the workload since in another way.
pub(super) fn cause<'a>(
    scene: &Scene,
    graph: &Graph,
    object: &ObjectRef,
    root: &Finding,
    findings: &[&'a Finding],
    began: Option<Timestamp>,
) -> Option<&'a Finding> {
    let unit = graph.top_owner(&root.object);
    let points = condition(&root.condition).is_some_and(|known| known.role == Role::Pointer);
    if !(points || unit == *object) || !may_follow(root) {
        return None;
    }
    let began = began.unwrap_or(scene.now);
    // That an object was made is no change of what was there.
    let is_new = |object| scene.rollouts.get(object).is_none_or(|rollout| rollout.revision == MADE);
    let changes = findings.iter().copied().filter(|finding| {
        finding.condition == "recent-change" && shortly(finding, began, BEFORE) && !is_new(&finding.object)
    });
    let changed_itself = changes.clone().any(|change| change.object == unit && !only_restarts(scene, change));
    let fitting = changes
        .filter(|change| change.object.is("ConfigMap") || change.object.is("Secret"))
        .filter(|change| change.at.is_some_and(|at| takes(scene, graph, &unit, root, &change.object, at)));
    let (quoted, others): (Vec<&Finding>, Vec<&Finding>) = fitting.partition(|change| is_quoted(scene, root, change));
    let alone = !points && !changed_itself;
    let latest = |changes: Vec<&'a Finding>| changes.into_iter().max_by_key(|change| change.at);
    latest(quoted).or_else(|| latest(others).filter(|_| alone))
}

/// Whether settings may bring about such trouble.
fn may_follow(root: &Finding) -> bool {
    match root.category {
        Category::Application | Category::Configuration | Category::Probe | Category::Dependency => true,
        Category::Resources => root.condition.starts_with("container-oom"),
        _ => root.condition == "heap-exhausted",
    }
}

/// Whether a workload takes an object's values, and the pod that fails began after they were changed.
fn takes(scene: &Scene, graph: &Graph, unit: &ObjectRef, root: &Finding, source: &ObjectRef, at: Timestamp) -> bool {
    let members = graph.members(unit).iter().chain([unit]);
    let named = members
        .flat_map(|member| graph.edges(member))
        .any(|edge| edge.relation == Relation::Refers && edge.to == *source);
    let pod = scene.get(&root.object).filter(|_| root.object.is("Pod"));
    named && pod.is_none_or(|pod| begun(pod).is_none_or(|begun| begun.duration_since(at) > -BEGINS))
}

/// When a container of a pod last began, or else the pod was made.
fn begun(pod: &Value) -> Option<Timestamp> {
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let statuses = statuses.into_iter().flat_map(|list| field::items(pod, list));
    let times = statuses.flat_map(|status| {
        ["/state/running/startedAt", "/state/terminated/startedAt", "/lastState/terminated/startedAt"]
            .into_iter()
            .filter_map(|path| field::time(status, path))
    });
    times.max().max(field::created(pod))
}

/// Whether what the log or an event says of the trouble holds a value that the change set.
fn is_quoted(scene: &Scene, root: &Finding, change: &Finding) -> bool {
    let Some(rollout) = scene.rollouts.get(&change.object) else { return false };
    let said =
        root.proofs.iter().filter(|proof| matches!(proof.source, ProofSource::Log { .. } | ProofSource::Events(_)));
    let said: Vec<&str> = said.map(|proof| proof.quote.as_str()).collect();
    rollout.changes.iter().filter_map(|change| change.to.as_deref()).any(|value| {
        let value = value.trim().trim_matches(['"', '`', '\'']);
        // Of an address a line may tell the host and port alone.
        let host = value.split_once("://").map(|(_, rest)| rest.split(['/', '?']).next().unwrap_or(rest));
        [Some(value), host]
            .into_iter()
            .flatten()
            .any(|value| value.len() >= TELLING && said.iter().any(|said| said.contains(value)))
    })
}

/// The workload behind a Service that is changed, or its configuration, with which nothing else is wrong: what changed in it
/// is what its callers feel.
pub(super) fn behind<'a>(
    graph: &Graph,
    object: &ObjectRef,
    root: &Finding,
    change: Option<&'a Finding>,
) -> Option<&'a ObjectRef> {
    let points = condition(&root.condition).is_some_and(|known| known.role == Role::Pointer);
    let change = change.filter(|_| points && object.is("Service"))?;
    let behind = graph.workloads_behind(object);
    let is_workload = workload::undo(&change.object).is_some();
    let configures = || {
        let members = behind.iter().flat_map(|unit| graph.members(unit).iter().chain([unit]));
        let mut named = members.flat_map(|member| graph.edges(member)).filter(|edge| edge.relation == Relation::Refers);
        change.object.is("ConfigMap") && named.any(|edge| edge.to == change.object)
    };
    (is_workload && behind.contains(&change.object) || configures()).then_some(&change.object)
}

/// What kind of thing was changed, as far as its fields tell.
pub(super) fn category_of(change: &Finding) -> Option<Category> {
    let says = |words: &[&str]| words.iter().any(|word| change.statement.contains(word));
    match () {
        () if says(&[".resources."]) => Some(Category::Resources),
        () if says(&["replicas: "]) => Some(Category::Scaling),
        () if says(&["Probe"]) => Some(Category::Probe),
        () if change.object.is("ConfigMap") => Some(Category::Configuration),
        () => None,
    }
}
