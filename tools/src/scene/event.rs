//! Events, in the two forms that API servers keep them in.

use std::fmt;

use jiff::Timestamp;
use marple_core::ObjectRef;
use serde_json::Value;

use super::field;

/// What the cluster said about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The object.
    pub about: ObjectRef,
    /// Whether it is a warning.
    pub warning: bool,
    /// The machine's word, as `FailedScheduling`.
    pub reason: String,
    /// The words for people.
    pub message: String,
    /// How often it was said.
    pub count: i64,
    /// When it was last said.
    pub at: Timestamp,
    /// Who said it.
    pub by: String,
    /// The part of the object, as `spec.containers{app}`.
    pub part: String,
    /// Another object that had to do with it, as the pod for which this one had to go.
    pub related: Option<ObjectRef>,
}

impl Event {
    /// Reads an event of `v1` or `events.k8s.io/v1`; nothing where it doesn't name its object.
    pub fn of(value: &Value) -> Option<Self> {
        let about = value.get("involvedObject").or_else(|| value.get("regarding"))?;
        let at = ["/series/lastObservedTime", "/lastTimestamp", "/deprecatedLastTimestamp", "/eventTime"]
            .into_iter()
            .find_map(|path| field::time(value, path))
            .or_else(|| field::created(value))?;
        let first = |paths: &[&str]| paths.iter().find_map(|path| field::text(value, path)).unwrap_or_default();
        let reference = |at: &Value| {
            Some(ObjectRef {
                kind: field::text(at, "/kind")?.to_owned(),
                namespace: field::text(at, "/namespace").map(str::to_owned),
                name: field::text(at, "/name")?.to_owned(),
            })
        };
        Some(Self {
            about: reference(about)?,
            related: value.get("related").and_then(reference),
            warning: field::text(value, "/type") == Some("Warning"),
            reason: first(&["/reason"]).to_owned(),
            message: first(&["/message", "/note"]).trim().to_owned(),
            count: ["/series/count", "/count", "/deprecatedCount"]
                .into_iter()
                .find_map(|path| field::number(value, path))
                .unwrap_or(1),
            at,
            by: first(&[
                "/reportingComponent",
                "/reportingController",
                "/source/component",
                "/deprecatedSource/component",
            ])
            .to_owned(),
            part: field::text(about, "/fieldPath").unwrap_or_default().to_owned(),
        })
    }

    /// Whether the scheduler ended the pod that it is about to make room for another.
    pub(crate) fn is_preemption(&self) -> bool {
        self.reason == "Preempted" && self.about.is("Pod")
    }

    /// The container that it is about, where it is one.
    pub fn container(&self) -> Option<&str> {
        self.part.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}'))
    }
}

impl fmt::Display for Event {
    /// One line, as `2026-01-02T03:04:05Z Warning BackOff x12 kubelet: Back-off restarting failed container`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "Warning" } else { "Normal" };
        write!(formatter, "{} {kind} {} x{} {}: {}", self.at, self.reason, self.count, self.by, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_read_the_same() {
        let old = json!({"involvedObject": {"kind": "Pod", "namespace": "shop", "name": "cart-1", "fieldPath": "spec.containers{app}"},
            "type": "Warning", "reason": "BackOff", "message": "Back-off restarting", "count": 12,
            "lastTimestamp": "2026-01-02T03:04:05Z", "source": {"component": "kubelet"}});
        let new = json!({"regarding": {"kind": "Pod", "namespace": "shop", "name": "cart-1", "fieldPath": "spec.containers{app}"},
            "type": "Warning", "reason": "BackOff", "note": "Back-off restarting", "deprecatedCount": 12,
            "eventTime": "2026-01-02T03:04:05.000000Z", "reportingController": "kubelet"});
        let event = Event::of(&old).unwrap();
        assert_eq!(Event::of(&new).as_ref(), Some(&event));
        assert_eq!(event.container(), Some("app"));
        assert_eq!(event.to_string(), "2026-01-02T03:04:05Z Warning BackOff x12 kubelet: Back-off restarting");
    }
}
