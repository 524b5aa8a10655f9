//! How an object hung together with others that is gone, or can't be read now.

use marple_core::{ObjectRef, Tie};

use super::clock::Clock;
use super::describe::Page;
use crate::topology::Remembered;

/// The most objects that are listed under one heading.
const LISTED: usize = 20;

/// Tells what is remembered of an object that is not there.
pub(super) fn remembered(one: &Remembered, clock: Clock) -> String {
    let mut page = Page::default();
    let since = one.gone_at.map(|at| format!(" since {} ({at:.0})", clock.when(at))).unwrap_or_default();
    page.field(0, "state", format!("gone{since}; this is what was known of it"));
    let owners: Vec<String> = one.owners.iter().map(|owner| format!("{} {}", owner.kind, owner.name)).collect();
    page.field(0, "owned by", if owners.is_empty() { "nothing".to_owned() } else { owners.join(" ← ") });
    let named =
        |objects: Vec<&ObjectRef>| objects.into_iter().map(|one| format!("{} {}", one.kind, one.name)).collect();
    let all = one.links.all(one.object.namespace.as_deref());
    let of = |wanted: Tie| named(all.iter().filter(|(_, tie)| *tie == wanted).map(|(object, _)| object).collect());
    for (heading, tie) in
        [("ran on", Tie::RunsOn), ("needed", Tie::Needs), ("scaled", Tie::Scales), ("delivered by", Tie::Delivered)]
    {
        let lines: Vec<String> = of(tie);
        page.section(heading, &lines, LISTED, None);
    }
    let selecting: Vec<String> = named(one.selected_by.iter().collect());
    page.section("what selects such pods", &selecting, LISTED, None);
    let hanging: Vec<String> = one
        .dependents
        .iter()
        .map(|one| {
            let gone = one.gone_at.map(|at| format!(", gone since {}", clock.when(at))).unwrap_or_default();
            format!("{} {} {} it{gone}", one.object.kind, one.object.name, one.tie)
        })
        .collect();
    page.section("what hung on it", &hanging, LISTED, None);
    page.into_text()
}
