//! The bounds of what an alert measures, where a specification sets them: how much is used, only a metric tells.

use std::collections::BTreeSet;

use marple_core::ObjectRef;

use crate::scene::{Graph, Scene, field};

/// The bounds that units have of what these alerts measure, as a sentence; nothing where they measure something else.
pub(super) fn sentence<'a>(
    scene: &Scene,
    graph: &Graph,
    units: impl Iterator<Item = &'a ObjectRef>,
    alerts: &BTreeSet<&str>,
) -> Option<String> {
    let names = alerts.iter().map(|name| name.to_ascii_lowercase()).collect::<Vec<_>>();
    let measures = |words: &[&str]| names.iter().any(|name| words.iter().any(|word| name.contains(word)));
    let resource = match () {
        () if measures(&["throttl", "cpu"]) => Some(("CPU", "/resources/limits/cpu")),
        () if measures(&["memory"]) => Some(("memory", "/resources/limits/memory")),
        () => None,
    };
    let volume = measures(&["volume", "disk", "storage"]);
    let mut told = BTreeSet::new();
    for unit in units {
        for (member, value) in graph.members(unit).iter().chain([unit]).filter_map(|one| Some((one, scene.get(one)?))) {
            if let (Some((what, path)), true) = (resource, member.is("Pod")) {
                let limited = field::items(value, "/spec/containers")
                    .iter()
                    .filter_map(|container| Some((field::text(container, "/name")?, field::text(container, path)?)));
                told.extend(limited.map(|(name, limit)| format!("container {name} is limited to {what} {limit}")));
            }
            if let (true, Some(size)) = (volume, field::text(value, "/status/capacity/storage")) {
                told.insert(format!("{member} has {size}"));
            }
        }
    }
    let told = told.into_iter().take(2).collect::<Vec<_>>().join(", ");
    (!told.is_empty()).then(|| format!(" By the specification {told}."))
}
