//! The words of a conclusion.

use std::collections::BTreeSet;

use jiff::Timestamp;
use marple_core::conclusion::SUMMARY_LIMIT;
use marple_core::{Finding, ObjectRef};

use super::explain::Way;
use super::sentence;
use crate::diagnose::{line, workload};
use crate::scene::{Graph, Relation, Scene};

/// What suffers and why, in at most 300 characters.
pub(super) fn summary(
    way: &Way<'_>,
    explained: &[&ObjectRef],
    cause: &ObjectRef,
    graph: &Graph,
    change: Option<&Finding>,
) -> String {
    let root = way.root();
    let near = *cause == way.from || graph.top_owner(&root.object) == way.from;
    let statement = sentence(&root.statement);
    let mut others = explained.iter().filter(|unit| ***unit != way.from).count();
    let lead = if near {
        String::new()
    } else {
        others = others.saturating_sub(usize::from(explained.contains(&&graph.top_owner(&root.object))));
        let how = match way.from.kind.as_str() {
            "Service" | "Ingress" => "does not serve",
            _ => "fails through a dependency",
        };
        format!("{} {how}. ", way.from)
    };
    let tail = match change {
        Some(change) => change.at.map(|at| format!(" {} was changed at {}.", change.object, at.strftime("%H:%M UTC"))),
        None => None,
    };
    let also = match others {
        0 => String::new(),
        1 => " One more workload suffers from it.".to_owned(),
        more => format!(" {more} more workloads suffer from it."),
    };
    let tail = format!("{}{also}", tail.unwrap_or_default());
    let left = SUMMARY_LIMIT.saturating_sub(lead.chars().count() + tail.chars().count());
    format!("{lead}{}{tail}", line::cut(&statement, left))
}

/// Who suffers and since when.
pub(super) fn impact(scene: &Scene, graph: &Graph, explained: &[&ObjectRef], began: Option<Timestamp>) -> String {
    let since = began.map(|at| format!(" since {}", at.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
    let told = explained.iter().take(5).map(|unit| {
        let counted = scene.get(unit).and_then(|value| workload::replicas(unit, value));
        match counted {
            Some((wanted, ready)) => format!("{unit} ({ready} of {wanted} replicas ready)"),
            None => unit.to_string(),
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
    format!("{told}{since}.{called}")
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
