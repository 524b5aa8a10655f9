//! Events, as far as they had happened.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::json::text;

/// Whether an object is an event, of either group.
pub(super) fn is(group_version: &str, resource: &str) -> bool {
    resource == "events" && (group_version == "v1" || group_version.starts_with("events.k8s.io/"))
}

/// The event as it was at `at`; nothing where it had not happened. One that happened again later is told as having
/// happened once: how often it had until then isn't known.
pub(super) fn rewound(event: &mut Value, at: Timestamp) -> bool {
    let read = |event: &Value, pointer: &str| text(event, pointer).parse::<Timestamp>().ok();
    let firsts = ["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    let first = firsts.iter().find_map(|pointer| read(event, pointer));
    if first.is_some_and(|first| first > at) {
        return false;
    }
    let lasts = ["/series/lastObservedTime", "/lastTimestamp", "/deprecatedLastTimestamp"];
    if lasts.iter().find_map(|pointer| read(event, pointer)).is_none_or(|last| last <= at) {
        return true;
    }
    let Some(fields) = event.as_object_mut() else { return true };
    fields.remove("series");
    for (first, last, count) in [
        ("firstTimestamp", "lastTimestamp", "count"),
        ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedCount"),
    ] {
        if let Some(first) = fields.get(first).cloned()
            && let Some(last) = fields.get_mut(last)
        {
            *last = first;
        }
        if let Some(count) = fields.get_mut(count) {
            *count = json!(1);
        }
    }
    true
}

/// When an event was seen last, as a table tells it.
pub(super) fn last_seen(event: &Value) -> Option<Timestamp> {
    let pointers = ["/series/lastObservedTime", "/lastTimestamp", "/deprecatedLastTimestamp", "/eventTime"];
    pointers.iter().find_map(|pointer| text(event, pointer).parse().ok())
}
