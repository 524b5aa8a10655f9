//! The change that came before the symptoms.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use marple_core::{Category, Finding, ObjectRef};

use crate::diagnose::{Role, condition};
use crate::scene::{Change, Graph, Relation, Scene};

/// A change longer before the symptoms than this is not told of with them.
pub(super) const BEFORE: SignedDuration = SignedDuration::from_hours(2);

/// A change longer before the symptoms than this is not suspected of them without more.
const SHORTLY: SignedDuration = SignedDuration::from_mins(30);

/// Clocks differ, and an alert's start is that of its rule's window.
const AFTER: SignedDuration = SignedDuration::from_mins(5);

/// The last change, shortly before the symptoms, of the object that caused them, its workload, or the configuration
/// that the workload names, where it fits the cause.
pub(super) fn before<'a>(
    scene: &Scene,
    graph: &Graph,
    cause: &ObjectRef,
    root: &Finding,
    findings: &[&'a Finding],
    began: Option<Timestamp>,
) -> Option<&'a Finding> {
    let began = began.unwrap_or(scene.now);
    let units = blamed(graph, root);
    let named = named(graph, &units);
    let changes = findings.iter().copied().filter(|finding| finding.condition == "recent-change");
    changes
        .filter(|change| change.object == *cause || units.contains(&change.object) || named.contains(&change.object))
        .filter(|change| relevant(change, root))
        .filter(|change| shortly(change, began, BEFORE))
        .max_by_key(|change| (!only_restarts(scene, change), change.at))
}

/// The change that may have brought about symptoms which nothing else explains: of the objects that suffer or their
/// configuration, else of what they call. A restart that somebody asked for is none.
pub(super) fn suspect<'a>(
    scene: &Scene,
    graph: &Graph,
    units: &BTreeSet<ObjectRef>,
    findings: &[&'a Finding],
    began: Timestamp,
) -> Option<&'a Finding> {
    let own = units.union(&named(graph, units)).cloned().collect::<BTreeSet<_>>();
    let calls = units.iter().flat_map(|unit| graph.dependencies(unit)).map(|edge| edge.to).collect::<BTreeSet<_>>();
    let called = calls.union(&named(graph, &calls)).cloned().collect::<BTreeSet<_>>();
    [own, called].iter().find_map(|objects| {
        let changes = findings.iter().copied().filter(|finding| finding.condition == "recent-change");
        changes
            .filter(|change| objects.contains(&change.object) && !only_restarts(scene, change))
            .filter(|change| shortly(change, began, SHORTLY))
            .max_by_key(|change| change.at)
    })
}

/// Whether it was no longer before the symptoms than this, and not after they began.
pub(super) fn shortly(change: &Finding, began: Timestamp, before: SignedDuration) -> bool {
    change.at.is_some_and(|at| began.duration_since(at) <= before && at.duration_since(began) <= AFTER)
}

/// Whether an object was changed in the two hours before the symptoms.
pub(super) fn lately(findings: &[&Finding], object: &ObjectRef, began: Option<Timestamp>) -> bool {
    findings.iter().any(|finding| {
        finding.condition == "recent-change"
            && finding.object == *object
            && finding.at.zip(began).is_some_and(|(at, began)| began.duration_since(at) <= BEFORE)
    })
}

/// Configuration that workloads name, and what sends to them or limits them.
fn named(graph: &Graph, units: &BTreeSet<ObjectRef>) -> BTreeSet<ObjectRef> {
    let members = units.iter().flat_map(|unit| graph.members(unit).iter().chain([unit]));
    let named = members
        .flat_map(|member| graph.edges(member))
        .filter(|edge| edge.relation == Relation::Refers && (edge.to.is("ConfigMap") || edge.to.is("Secret")))
        .map(|edge| edge.to.clone());
    let around = graph.all_edges().filter(|edge| {
        edge.relation == Relation::Selects
            && ["Service", "NetworkPolicy"].contains(&edge.from.kind.as_str())
            && units.contains(&graph.top_owner(&edge.to))
    });
    named.chain(around.map(|edge| edge.from.clone())).collect()
}

/// The workloads whose change may have brought it about. Where a caller tells of what it calls, that is who stands behind
/// the Service: what changed in the caller explains no error of another.
fn blamed(graph: &Graph, root: &Finding) -> BTreeSet<ObjectRef> {
    let points = condition(&root.condition).is_some_and(|condition| condition.role == Role::Pointer);
    let behind = root.culprit.iter().filter(|_| points).flat_map(|culprit| graph.workloads_behind(culprit));
    let behind: BTreeSet<ObjectRef> = behind.collect();
    if behind.is_empty() { BTreeSet::from([graph.top_owner(&root.object)]) } else { behind }
}

/// Whether the change is a restart that somebody asked for, which takes up what was changed elsewhere.
pub(super) fn only_restarts(scene: &Scene, change: &Finding) -> bool {
    let changes = scene.rollouts.get(&change.object).map(|rollout| rollout.changes.as_slice()).unwrap_or_default();
    !changes.is_empty() && changes.iter().all(Change::is_restart)
}

/// Whether the fields that changed have to do with the cause. A crash may follow from any.
fn relevant(change: &Finding, root: &Finding) -> bool {
    let says = |words: &[&str]| words.iter().any(|word| change.statement.contains(word));
    match root.category {
        Category::Image => says(&[".image"]),
        Category::Resources | Category::Quota => says(&["resources", "replicas", "initContainers[", "containers["]),
        Category::Probe => says(&["Probe", "ports", ".env", ".args", ".command", ".image"]),
        Category::Scheduling => says(&["nodeSelector", "affinity", "tolerations", "resources", "volumes"]),
        Category::Node | Category::Certificate => false,
        _ => true,
    }
}
