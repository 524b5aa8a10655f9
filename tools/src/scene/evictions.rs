//! Evictions that a log tells were refused, and the budgets that refuse them.

use marple_core::ObjectRef;

use super::{Graph, Relation, Scene, field};

/// Whether a text tells of an eviction that a disruption budget does not allow, in the API server's words.
pub(crate) fn is_refused(text: &str) -> bool {
    text.contains("violate the pod's disruption budget")
}

/// Whether a budget allows no eviction now.
pub(crate) fn allows_none(budget: &serde_json::Value) -> bool {
    field::number(budget, "/status/disruptionsAllowed") == Some(0)
        && field::number(budget, "/status/expectedPods").is_none_or(|pods| pods > 0)
}

/// The budgets that a log which tells of refused evictions means, each with the pod that it names: those whose pod is named
/// there, or the only one that allows none.
pub(crate) fn meant(scene: &Scene, graph: &Graph, log: &str) -> Vec<(ObjectRef, Option<ObjectRef>)> {
    let none = scene.of_kind("PodDisruptionBudget").filter(|(_, value)| allows_none(value)).map(|(budget, _)| budget);
    let none = none.collect::<Vec<_>>();
    let is_word = |text: &str, name: &str| {
        text.match_indices(name).any(|(at, _)| {
            let inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            let (before, after) = (text.get(..at), text.get(at + name.len()..));
            !before.unwrap_or_default().ends_with(inside) && !after.unwrap_or_default().starts_with(inside)
        })
    };
    let named = |budget: &ObjectRef| {
        let selected =
            graph.edges(budget).iter().filter(|edge| edge.relation == Relation::Selects && edge.to.is("Pod"));
        let named = selected.map(|edge| &edge.to).find(|pod| is_word(log, &pod.name))?.clone();
        Some((budget.clone(), Some(named)))
    };
    let by_name = none.iter().filter_map(|budget| named(budget)).collect::<Vec<_>>();
    match none.as_slice() {
        [only] if by_name.is_empty() => vec![((*only).clone(), None)],
        _ => by_name,
    }
}

/// The same of all logs.
pub(super) fn told(scene: &Scene, graph: &Graph) -> Vec<(ObjectRef, Option<ObjectRef>)> {
    let told = scene.logs.iter().filter(|log| is_refused(&log.text));
    told.flat_map(|log| meant(scene, graph, &log.text)).collect()
}
