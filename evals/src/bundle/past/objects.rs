//! Objects, as far as they tell themselves what they were.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{age, events};
use crate::bundle::{KubernetesState, RecordedObject, RecordedResource};
use crate::json::text;

/// What a row says where it would be wrong.
const UNKNOWN: &str = "<unknown>";

/// The containers' states in a pod.
const STATUSES: [&str; 3] = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];

/// An object by its resource's place, namespace and name.
pub(super) type Key = (usize, String, String);

/// Takes away what came after `at`: objects, conditions, runs of containers. `altered` are those whose fields were put
/// back already.
pub(super) fn rewind(state: &mut KubernetesState, at: Timestamp, altered: &BTreeSet<Key>) {
    for (place, resource) in state.resources.iter_mut().enumerate() {
        resource.objects.retain(|object| {
            text(&object.object, "/metadata/creationTimestamp").parse::<Timestamp>().is_ok_and(|made| made <= at)
                || text(&object.object, "/metadata/creationTimestamp").is_empty()
        });
        if events::is(&resource.group_version, &resource.resource) {
            resource.objects.retain_mut(|event| events::rewound(&mut event.object, at));
        }
        let columns: Vec<String> = resource.columns.iter().map(|column| text(column, "/name").to_owned()).collect();
        let mut objects = std::mem::take(&mut resource.objects);
        for object in &mut objects {
            let key = (place, object.namespace().to_owned(), object.name().to_owned());
            let differs = forget_deletion(&mut object.object, at)
                | earlier_conditions(&mut object.object, at)
                | (resource.is_pods() && earlier_containers(&mut object.object, at))
                | altered.contains(&key);
            row(object, &columns, resource, at, differs);
        }
        resource.objects = objects;
    }
}

/// The row of an object as of `at`: its ages told from there; where the object differs from the recorded one, all else is
/// unknown.
fn row(object: &mut RecordedObject, columns: &[String], resource: &RecordedResource, at: Timestamp, differs: bool) {
    let made = text(&object.object, "/metadata/creationTimestamp").parse::<Timestamp>().ok();
    let is_event = events::is(&resource.group_version, &resource.resource);
    let seen = events::last_seen(&object.object);
    for (cell, column) in object.cells.iter_mut().zip(columns) {
        match (column.as_str(), made, seen) {
            ("Age", Some(made), _) => *cell = age::age(made, at).into(),
            ("Last Seen", _, Some(seen)) if is_event => *cell = age::age(seen, at).into(),
            ("Name", ..) => {}
            _ if differs => *cell = UNKNOWN.into(),
            _ => {}
        }
    }
}

/// Takes away a deletion that was asked for later.
fn forget_deletion(object: &mut Value, at: Timestamp) -> bool {
    let later = text(object, "/metadata/deletionTimestamp").parse::<Timestamp>().is_ok_and(|asked| asked > at);
    if later && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("deletionTimestamp");
        metadata.remove("deletionGracePeriodSeconds");
    }
    later
}

/// Takes away the conditions that turned later: what they said before isn't known.
fn earlier_conditions(object: &mut Value, at: Timestamp) -> bool {
    let Some(conditions) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else { return false };
    let before = conditions.len();
    conditions.retain(|condition| {
        text(condition, "/lastTransitionTime").parse::<Timestamp>().is_ok_and(|turned| turned <= at)
            || text(condition, "/lastTransitionTime").is_empty()
    });
    conditions.len() < before
}

/// Puts back the runs of a pod's containers that were under way.
fn earlier_containers(pod: &mut Value, at: Timestamp) -> bool {
    let mut differs = false;
    let Some(status) = pod.get_mut("status") else { return false };
    for field in STATUSES {
        for container in status.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                differs |= earlier_run(container, at);
            }
        }
    }
    differs
}

fn earlier_run(container: &mut Map<String, Value>, at: Timestamp) -> bool {
    let time = |value: &Value, pointer: &str| text(value, pointer).parse::<Timestamp>().ok();
    let state = container.get("state").cloned().unwrap_or_default();
    let last = container.get("lastState").cloned().unwrap_or_default();
    let begun = time(&state, "/running/startedAt").or_else(|| time(&state, "/terminated/startedAt"));
    if let Some(ended) = time(&state, "/terminated/finishedAt")
        && ended > at
        && begun.is_some_and(|begun| begun <= at)
    {
        container
            .insert("state".to_owned(), json!({ "running": { "startedAt": state.pointer("/terminated/startedAt") } }));
        return true;
    }
    let last_ended = time(&last, "/terminated/finishedAt");
    // It runs since before, or waits and nothing tells since when: both are as they were.
    let is_later = begun.is_some_and(|begun| begun > at) || last_ended.is_some_and(|ended| ended > at);
    if !is_later {
        return false;
    }
    let ran = time(&last, "/terminated/startedAt").is_some_and(|start| start <= at);
    let state = match last_ended {
        Some(ended) if ended <= at => json!({ "terminated": last.get("terminated") }),
        Some(_) if ran => json!({ "running": { "startedAt": last.pointer("/terminated/startedAt") } }),
        // Before its first run, or between runs that nothing tells of.
        _ => json!({ "waiting": {} }),
    };
    container.insert("state".to_owned(), state);
    container.insert("lastState".to_owned(), json!({}));
    if let Some(count) = container.get_mut("restartCount") {
        *count = json!(count.as_u64().unwrap_or_default().saturating_sub(1));
    }
    true
}
