//! The words of a conclusion.

use std::collections::BTreeSet;

use marple_core::conclusion::SUMMARY_LIMIT;
use marple_core::{Finding, ObjectRef};

use super::explain::Way;
use super::sentence;
use crate::diagnose::{line, workload};
use crate::scene::{Graph, Relation, Scene};

/// The cause, what changed before it and who suffers, in at most 300 characters.
pub(super) fn summary(
    way: &Way<'_>,
    explained: &[&ObjectRef],
    cause: &ObjectRef,
    graph: &Graph,
    change: Option<(&Finding, Option<String>)>,
) -> String {
    let root = way.root();
    let statement = sentence(&root.statement);
    let suffers = suffering(way, explained, cause, graph);
    let changed = change.and_then(|(change, what)| {
        let at = change.at?.strftime("%H:%M UTC");
        Some((format!(" {} was changed at {at}", change.object), what))
    });
    let (short, long) = match changed {
        Some((changed, Some(what))) => (format!("{changed}.{suffers}"), format!("{changed}: {what}.{suffers}")),
        Some((changed, None)) => (format!("{changed}.{suffers}"), format!("{changed}.{suffers}")),
        None => (suffers.clone(), suffers),
    };
    let fits = statement.chars().count() + long.chars().count() <= SUMMARY_LIMIT;
    let tail = if fits { long } else { short };
    let left = SUMMARY_LIMIT.saturating_sub(tail.chars().count());
    format!("{}{tail}", line::cut(&statement, left))
}

/// Who fails by it, beside the object that shows the cause.
fn suffering(way: &Way<'_>, explained: &[&ObjectRef], cause: &ObjectRef, graph: &Graph) -> String {
    let shows = graph.top_owner(&way.root().object);
    let others = explained.iter().filter(|unit| **unit != cause && **unit != &shows && **unit != &way.from).count();
    let far = *cause != way.from && shows != way.from;
    let how = match way.from.kind.as_str() {
        "Service" | "Ingress" => "does not serve because of it",
        _ => "fails because of it",
    };
    match (far, others) {
        (false, 0) => String::new(),
        (false, 1) => " One more workload suffers from it.".to_owned(),
        (false, more) => format!(" {more} more workloads suffer from it."),
        (true, 0) => format!(" {} {how}.", way.from),
        (true, 1) => format!(" {} {how}, and one more workload.", way.from),
        (true, more) => format!(" {} {how}, and {more} more workloads.", way.from),
    }
}

/// Who suffers, with how many replicas are left where some are not ready.
pub(super) fn impact(scene: &Scene, graph: &Graph, explained: &[&ObjectRef]) -> String {
    let told = explained.iter().take(5).map(|unit| {
        let counted = scene.get(unit).and_then(|value| workload::replicas(unit, value));
        match counted {
            Some((wanted, ready)) if ready < wanted => format!("{unit} ({ready} of {wanted} replicas ready)"),
            _ => unit.to_string(),
        }
    });
    let mut told = told.collect::<Vec<_>>().join(", ");
    if explained.len() > 5 {
        told = format!("{told} and {} more", explained.len() - 5);
    }
    let callers = callers(graph, explained);
    let called = if callers.is_empty() {
        String::new()
    } else {
        let names = callers.iter().take(4).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        format!(" Called by {names}.")
    };
    format!("{told}.{called}")
}

/// Workloads that call what suffers, and do not suffer themselves.
fn callers(graph: &Graph, explained: &[&ObjectRef]) -> BTreeSet<ObjectRef> {
    let calls = graph.all_edges().filter(|edge| edge.relation == Relation::TalksTo);
    calls
        .filter(|edge| {
            explained.contains(&&edge.to)
                || graph.workloads_behind(&edge.to).iter().any(|unit| explained.contains(&unit))
        })
        .map(|edge| edge.from.clone())
        .filter(|caller| !explained.contains(&caller))
        .collect()
}
