//! What a log store has of pods whose own logs are gone, around an incident's start.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use marple_core::{EvidenceOrigin, ObjectRef, Unseen};

use super::{LogStore, Pods, Search, Selection, Wanted, report, step};
use crate::scene::{Graph, Scene, field};
use crate::view::{self, Limits, plain};
use crate::{EvidenceDraft, Redact};

/// How far before and after the start is looked, and how long all of it may take.
const BEFORE: Duration = Duration::from_mins(5);
const AFTER: Duration = Duration::from_mins(10);
const LONGEST: Duration = Duration::from_secs(5);

/// Objects that are asked for, and lines of each.
const OBJECTS: usize = 4;
const LINES: usize = 300;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Evidence, redacted; none of objects that the store has no lines of.
    pub drafts: Vec<EvidenceDraft>,
    /// What could not be asked.
    pub unseen: Option<Unseen>,
}

/// Reads the stored logs of those of these objects that were there when it began and are not any more. Takes at most 5 s in all.
pub async fn around(
    store: &LogStore,
    scene: &Scene,
    objects: &[ObjectRef],
    start: Timestamp,
    now: Timestamp,
    redact: &dyn Redact,
) -> Stored {
    let gone = gone(scene, objects, start);
    let asked = join_all(gone.iter().map(|(object, pods)| async move {
        let found = tokio::time::timeout(LONGEST, of(store, object, pods, start, now)).await;
        found.unwrap_or_else(|_| Err(format!("the log store gave no answer in {} s", LONGEST.as_secs())))
    }))
    .await;
    let clean = |text: &str| redact.redact(&plain(text));
    let mut stored = Stored::default();
    for ((object, _), found) in gone.iter().zip(asked) {
        match found {
            Ok(None) => {}
            Ok(Some(text)) => {
                let content = clean(&text);
                let shown = view::bounded(&content, Limits::default());
                stored.drafts.push(EvidenceDraft {
                    origin: EvidenceOrigin::Capture,
                    title: clean(&format!("stored logs of {object}, whose pods of that time are gone")),
                    object: Some(object.clone()),
                    taken_at: now,
                    view: (shown != content).then_some(shown),
                    content,
                });
            }
            // The same store would say the same of the others.
            Err(why) => {
                stored
                    .unseen
                    .get_or_insert_with(|| Unseen { what: format!("stored logs of {object}"), why: clean(&why) });
            }
        }
    }
    stored
}

async fn of(
    store: &LogStore,
    object: &ObjectRef,
    pods: &Pods,
    start: Timestamp,
    now: Timestamp,
) -> Result<Option<String>, String> {
    let from = start.checked_sub(BEFORE).unwrap_or(start);
    let to = start.checked_add(AFTER).unwrap_or(start).min(now).max(start);
    let selection = Selection { namespace: object.namespace.clone(), pods: Some(pods.clone()), ..Selection::default() };
    let search =
        Search { wanted: Wanted::Fitting(selection), from: step::aligned(from, step::of(from, to)), to, limit: LINES };
    let found = store.search(&search).await.map_err(|error| error.to_string())?;
    let some = !found.newest.is_empty();
    Ok(some.then(|| report::told(&found, &search, Some(start), store.language())))
}

/// The objects whose pods of the time of the start are not there any more: pods that are gone, and workloads all of
/// whose pods are younger, or that have none.
fn gone(scene: &Scene, objects: &[ObjectRef], start: Timestamp) -> Vec<(ObjectRef, Pods)> {
    if scene.unreached || scene.subjects.is_empty() {
        // Nothing is known of what is there now.
        return Vec::new();
    }
    let graph = Graph::of(scene);
    let is_gone = |object: &ObjectRef| {
        if !scene.lists("Pod", object.namespace.as_deref()) {
            return false;
        }
        // One that has its name by now may be another.
        let younger = |pod: &ObjectRef| scene.get(pod).and_then(field::created).is_none_or(|created| created > start);
        if object.is("Pod") {
            return younger(object);
        }
        graph.members(&graph.top_owner(object)).iter().filter(|member| member.is("Pod")).all(younger)
    };
    let pods = |object: &ObjectRef| Some((object.clone(), Pods::of(&object.kind, &object.name)?));
    objects
        .iter()
        .filter(|object| object.namespace.is_some())
        .filter(|object| is_gone(object))
        .filter_map(pods)
        .take(OBJECTS)
        .collect()
}

#[cfg(test)]
mod tests;
