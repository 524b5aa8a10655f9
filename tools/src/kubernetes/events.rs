//! Events: what the cluster's components said about objects.

use jiff::Timestamp;
use marple_core::ObjectRef;
use serde_json::Value;

use super::clock::{Clock, length};
use super::field::text;
use super::{Cluster, LookError, reference};

/// The most events that are read of one object, and of one namespace.
const OF_OBJECT: usize = 500;
const IN_NAMESPACE: usize = 2_000;

/// When an event was last seen. Its API has had three ways to say so.
pub fn last_seen(event: &Value) -> Option<Timestamp> {
    ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp", "/metadata/creationTimestamp"]
        .iter()
        .find_map(|path| event.pointer(path)?.as_str()?.parse().ok())
}

/// When it was first seen.
pub fn first_seen(event: &Value) -> Option<Timestamp> {
    ["/firstTimestamp", "/eventTime", "/metadata/creationTimestamp"]
        .iter()
        .find_map(|path| event.pointer(path)?.as_str()?.parse().ok())
}

/// How often it was seen.
pub fn count(event: &Value) -> u64 {
    let counts = ["/series/count", "/count"].iter().filter_map(|path| event.pointer(path)?.as_u64());
    counts.max().unwrap_or(1).max(1)
}

impl Cluster {
    /// The events about an object, by its kind, namespace and name, the last seen last. They are kept for an hour by
    /// default, so that there may be none.
    pub async fn events_of(&self, object: &ObjectRef) -> Result<Vec<Value>, LookError> {
        // A kind that is no longer served may still have events.
        let kind = match self.kind(&object.kind).await {
            Ok(kind) => kind.kind,
            Err(LookError::UnknownKind { kind, .. }) => kind,
            Err(error) => return Err(error),
        };
        let fields = format!("involvedObject.kind={kind},involvedObject.name={}", object.name);
        // Events about a cluster-scoped object live in a namespace of their writer's choice.
        let events = self.list("v1/Event", object.namespace.as_deref(), None, Some(&fields), OF_OBJECT).await?;
        Ok(sorted(events))
    }

    /// The events about an object that was read. Those about an earlier object of its name say so: a StatefulSet's pod
    /// has its name again and again.
    pub(crate) async fn events_about(&self, object: &Value) -> Result<Vec<Value>, LookError> {
        let Some(reference) = reference(object) else { return Ok(vec![]) };
        let mut events = self.events_of(&reference).await?;
        if let Some(uid) = text(object, "/metadata/uid") {
            for event in &mut events {
                mark_earlier(event, uid);
            }
        }
        Ok(events)
    }

    /// The events about the object of an identifier, also where it is gone.
    pub(crate) async fn events_of_uid(&self, uid: &str, namespace: Option<&str>) -> Result<Vec<Value>, LookError> {
        let fields = format!("involvedObject.uid={uid}");
        Ok(sorted(self.list("v1/Event", namespace, None, Some(&fields), OF_OBJECT).await?))
    }

    /// The events in a namespace, the last seen last.
    pub async fn events_in(&self, namespace: &str) -> Result<Vec<Value>, LookError> {
        Ok(sorted(self.list("v1/Event", Some(namespace), None, None, IN_NAMESPACE).await?))
    }
}

/// Says of an event that it is about an earlier object of the name, where its identifier is another. A kubelet writes
/// the node's name for its identifier.
fn mark_earlier(event: &mut Value, uid: &str) {
    let about = |field: &str| text(event, &format!("/involvedObject/{field}")).map(str::to_owned);
    let (Some(other), Some(name)) = (about("uid"), about("name")) else { return };
    if other != uid
        && other != name
        && let Some(Value::Object(about)) = event.get_mut("involvedObject")
    {
        about.insert("name".to_owned(), format!("{name} (an earlier one of this name)").into());
    }
}

fn sorted(mut events: Vec<Value>) -> Vec<Value> {
    events.sort_by_key(last_seen);
    events
}

/// Events of one kind about one object, told as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) last: Option<Timestamp>,
    first: Option<Timestamp>,
    warning: bool,
    reason: String,
    object: String,
    pub(super) message: String,
    count: u64,
}

/// The events, those of one object, reason and message as one, the last seen last.
pub(crate) fn told(events: &[Value]) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for event in events {
        let about = event.get("involvedObject").or_else(|| event.get("regarding"));
        let part = |pointer: &str| about.and_then(|about| text(about, pointer)).map(str::to_owned);
        let object = ObjectRef {
            kind: part("/kind").unwrap_or_default(),
            namespace: part("/namespace"),
            name: part("/name").unwrap_or_default(),
        };
        let next = Told {
            last: last_seen(event),
            first: first_seen(event),
            warning: text(event, "/type") == Some("Warning"),
            reason: text(event, "/reason").unwrap_or_default().to_owned(),
            object: object.to_string(),
            message: text(event, "/message").or_else(|| text(event, "/note")).unwrap_or_default().trim().to_owned(),
            count: count(event),
        };
        match all
            .iter_mut()
            .find(|told| (&told.object, &told.reason, &told.message) == (&next.object, &next.reason, &next.message))
        {
            Some(known) => {
                known.count += next.count;
                known.first = known.first.min(next.first);
                known.last = known.last.max(next.last);
            }
            None => all.push(next),
        }
    }
    all.sort_by_key(|told| told.last);
    all
}

/// One line for each event: when it was last seen, how often, what and about which object. The object is left out
/// where all are about one.
pub(crate) fn lines(told: &[Told], clock: Clock) -> Vec<String> {
    let one = told.windows(2).all(|pair| matches!(pair, [left, right] if left.object == right.object));
    told.iter()
        .map(|event| {
            let when = event.last.map_or_else(|| "at an unknown time".to_owned(), |at| clock.when(at));
            let often = match (event.count, event.first, event.last) {
                (1, _, _) => String::new(),
                (count, Some(first), Some(last)) if last > first => {
                    format!(" ×{count} over {}", length(last.as_second() - first.as_second()))
                }
                (count, _, _) => format!(" ×{count}"),
            };
            let object = if one { String::new() } else { format!("{}: ", event.object) };
            let kind = if event.warning { "Warning" } else { "Normal" };
            format!("{when}{often}  {kind} {}  {object}{}", event.reason, event.message.replace('\n', " "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use marple_core::ObjectRef;
    use serde_json::json;

    #[test]
    fn an_event_about_an_earlier_object_of_the_name_says_so() {
        let event =
            |uid: &str| json!({"involvedObject": {"kind": "Pod", "name": "db-0", "uid": uid}, "reason": "Killing"});
        let marked = |uid: &str| {
            let mut event = event(uid);
            super::mark_earlier(&mut event, "b");
            event["involvedObject"]["name"].as_str().unwrap().to_owned()
        };
        assert_eq!([marked("a"), marked("b")], ["db-0 (an earlier one of this name)", "db-0"]);
        assert_eq!(marked("db-0"), "db-0", "as kubelets write it of nodes");
    }

    use super::*;
    use crate::Look;

    #[test]
    fn events_that_say_the_same_are_one_line_and_the_last_comes_last() {
        let event = |name: &str, reason: &str, at: &str, count: u64| {
            json!({"type": "Warning", "reason": reason, "message": "it failed", "count": count, "firstTimestamp": "2026-01-02T03:00:00Z",
                "lastTimestamp": at, "involvedObject": {"kind": "Pod", "namespace": "shop", "name": name}})
        };
        let events = [
            event("cart-1", "BackOff", "2026-01-02T03:04:00Z", 5),
            event("cart-1", "Failed", "2026-01-02T03:01:00Z", 1),
            event("cart-1", "BackOff", "2026-01-02T03:05:00Z", 2),
        ];
        let look = Look {
            incident_start: Some("2026-01-02T03:02:00Z".parse().unwrap()),
            now: "2026-01-02T03:06:00Z".parse().unwrap(),
            cancel: tokio_util::sync::CancellationToken::new(),
        };
        assert_eq!(
            lines(&told(&events), Clock::of(&look)),
            ["5m ago (T-60s)  Warning Failed  it failed", "60s ago (T+3m) ×7 over 5m  Warning BackOff  it failed"]
        );
        assert_eq!(ObjectRef::namespaced("Pod", "shop", "cart-1").to_string(), told(&events)[0].object);
    }

    #[test]
    fn each_way_to_say_when_is_read() {
        let newer = json!({"eventTime": "2026-01-02T03:00:00.123456Z", "series": {"count": 4, "lastObservedTime": "2026-01-02T03:09:00.5Z"}, "lastTimestamp": null});
        assert_eq!(last_seen(&newer), "2026-01-02T03:09:00.5Z".parse().ok());
        assert_eq!(first_seen(&newer), "2026-01-02T03:00:00.123456Z".parse().ok());
        assert_eq!(count(&newer), 4);
    }
}
