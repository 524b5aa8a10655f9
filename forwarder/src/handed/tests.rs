#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::needless_pass_by_value)]

use marple_core::{ChangeKind, SignalStatus};
use serde_json::json;

use super::*;

const NOW: &str = "2026-01-01T10:00:00Z";

fn handed() -> Handed {
    Handed::new("test", ForwarderConfig::default(), NOW.parse().unwrap())
}

fn happening(operation: &str, kind: &str, object: Value, before: Option<Value>) -> Happening {
    let data = json!({"operation": operation, "kind": kind, "apiVersion": "v1", "obj": object, "oldObj": before,
        "description": "d", "clusterUid": "u"});
    let event =
        json!({"specversion": "1.0", "type": "KUBERNETES_TOPOLOGY_CHANGE", "source": "s", "id": "i", "data": data});
    Happening::read(event.to_string().as_bytes()).unwrap().unwrap()
}

fn pod(waiting: Option<&str>) -> Value {
    let state =
        waiting.map_or_else(|| json!({"running": {"startedAt": NOW}}), |reason| json!({"waiting": {"reason": reason}}));
    let owner =
        json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "cart", "uid": "r1", "controller": true}]);
    json!({"metadata": {"name": "cart-1", "namespace": "shop", "uid": "u1", "resourceVersion": "5", "ownerReferences": owner},
        "spec": {"containers": [{"name": "app"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": if waiting.is_some() { "False" } else { "True" }, "lastTransitionTime": NOW}],
            "containerStatuses": [{"name": "app", "ready": waiting.is_none(), "restartCount": 7, "state": state,
                "lastState": {"terminated": {"exitCode": 1, "finishedAt": NOW}}}]}})
}

fn map(version: u32, made: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop", "uid": "m",
        "resourceVersion": version.to_string(), "creationTimestamp": made}, "data": {"timeout": value}})
}

#[test]
fn a_pod_that_crashes_is_told_and_ends_when_it_runs() {
    let (mut handed, now) = (handed(), NOW.parse().unwrap());
    let (signals, batch) = handed.take(happening("update", "Pod", pod(Some("CrashLoopBackOff")), None), now);
    assert_eq!((signals[0].name.as_str(), signals[0].status, batch), ("PodCrashLooping", SignalStatus::Firing, None));
    let (signals, _) = handed.take(happening("delete", "Pod", pod(None), None), now);
    assert_eq!(signals[0].status, SignalStatus::Resolved);
}

#[test]
fn what_was_firing_before_the_start_goes_on_or_ends_by_what_is_seen_of_its_object() {
    let now: Timestamp = NOW.parse().unwrap();
    let (signals, _) = handed().take(happening("update", "Pod", pod(Some("CrashLoopBackOff")), None), now);
    for (operation, waiting, ends) in [("update", Some("CrashLoopBackOff"), 0), ("delete", None, 1)] {
        let mut next = handed();
        next.adopt(signals.clone(), []);
        let (told, _) = next.take(happening(operation, "Pod", pod(waiting), None), now);
        let ended = told.iter().filter(|signal| signal.status == SignalStatus::Resolved).count();
        assert_eq!(ended, ends, "{operation}: {told:?}");
    }
    let mut next = handed();
    next.adopt(signals, []);
    let mut other = pod(None);
    other["metadata"]["name"] = json!("cart-2");
    assert_eq!(next.take(happening("delete", "Pod", other, None), now).0, [], "of another pod it tells nothing");
}

#[test]
fn what_changed_is_told_from_what_came_with_it() {
    let (mut handed, now) = (handed(), NOW.parse().unwrap());
    let old = "2025-01-01T00:00:00Z";
    let (_, batch) = handed.take(happening("update", "ConfigMap", map(8, old, "50ms"), Some(map(7, old, "5s"))), now);
    let batch = batch.unwrap();
    let change = &batch.entries[0].changes[0];
    assert_eq!(
        (change.kind, change.fields[0].to_string()),
        (ChangeKind::Altered, "data.timeout: 5s → 50ms".to_owned())
    );
    let (_, batch) = handed.take(happening("delete", "ConfigMap", map(8, old, "50ms"), None), now);
    assert_eq!(batch.unwrap().entries[0].changes[0].kind, ChangeKind::Deleted);
    let (_, batch) = handed.take(happening("create", "ConfigMap", map(9, "2026-01-01T10:00:05Z", "1s"), None), now);
    assert_eq!(batch.unwrap().entries[0].changes[0].kind, ChangeKind::Created);
    let mut other = map(3, old, "x");
    other["metadata"]["name"] = json!("other");
    let (_, batch) = handed.take(happening("delete", "ConfigMap", other, None), now);
    assert_eq!(batch.unwrap().entries[0].changes[0].kind, ChangeKind::Deleted, "also of one that was not known");
}

#[test]
fn a_warning_of_the_newer_api_is_read_as_one_of_the_older() {
    let event = json!({"metadata": {"name": "e1", "namespace": "shop"}, "type": "Warning", "reason": "Unhealthy", "note": "refused",
        "regarding": {"kind": "Pod", "name": "cart-1"}, "deprecatedCount": 3});
    let read = happening("create", "Event", event, None);
    assert_eq!((&read.object["message"], &read.object["count"]), (&json!("refused"), &json!(3)));
    assert_eq!(read.object["involvedObject"]["name"], "cart-1");
}

#[test]
fn secrets_and_events_that_are_no_warnings_are_passed_over_and_a_fault_is_told_by_where_it_is() {
    let read = |data: Value| Happening::read(json!({"data": data}).to_string().as_bytes());
    let named = json!({"metadata": {"name": "a"}, "type": "Normal"});
    for kind in ["Secret", "Event"] {
        assert_eq!(read(json!({"operation": "create", "kind": kind, "obj": named})), Ok(None));
    }
    let fault = |data: Value| read(data).unwrap_err().to_string();
    let unknown = fault(json!({"operation": "patch", "kind": "Pod", "obj": named}));
    assert!(unknown.starts_with("/data/operation: unknown variant `patch`, expected one of `create`"), "{unknown}");
    assert_eq!(
        fault(json!({"operation": "create", "kind": "Pod", "obj": {}})),
        "/data/obj/metadata/name: the object has no name"
    );
    let missing = Happening::read(b"{}").unwrap_err().to_string();
    assert!(missing.starts_with(": missing field `data`"), "{missing}");
}
