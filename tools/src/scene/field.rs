//! Reads fields of objects as the API server gives them. Paths are JSON pointers.

use jiff::Timestamp;
use marple_core::{Labels, ObjectRef};
use serde_json::Value;

/// The text at a path, where it is there and not empty.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The whole number at a path.
pub(crate) fn number(value: &Value, path: &str) -> Option<i64> {
    value.pointer(path).and_then(Value::as_i64)
}

/// The truth at a path; absent is false, as the API defaults it.
pub(crate) fn flag(value: &Value, path: &str) -> bool {
    value.pointer(path).and_then(Value::as_bool).unwrap_or_default()
}

/// The list at a path; empty where there is none.
pub(crate) fn items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Names and texts of the map at a path.
pub(crate) fn pairs<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let map = value.pointer(path).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

/// The map at a path as labels.
pub(crate) fn labels(value: &Value, path: &str) -> Labels {
    pairs(value, path).collect()
}

/// The time at a path.
pub(crate) fn time(value: &Value, path: &str) -> Option<Timestamp> {
    text(value, path)?.parse().ok()
}

/// The condition of this type in `status.conditions`.
pub(crate) fn condition<'a>(value: &'a Value, kind: &str) -> Option<&'a Value> {
    items(value, "/status/conditions").iter().find(|condition| text(condition, "/type") == Some(kind))
}

/// Whether a pod, or anything else with such a condition, is ready.
pub(crate) fn is_ready(value: &Value) -> bool {
    condition(value, "Ready").is_some_and(|ready| text(ready, "/status") == Some("True"))
}

/// What an object is called, where it names itself whole.
pub(crate) fn reference(value: &Value) -> Option<ObjectRef> {
    Some(ObjectRef {
        kind: text(value, "/kind")?.to_owned(),
        namespace: text(value, "/metadata/namespace").map(str::to_owned),
        name: text(value, "/metadata/name")?.to_owned(),
    })
}

/// When it was created.
pub(crate) fn created(value: &Value) -> Option<Timestamp> {
    time(value, "/metadata/creationTimestamp")
}

/// When a field of this name was last written, wherever in the object it stands, as its managers tell.
pub(crate) fn written(value: &Value, field: &str) -> Option<Timestamp> {
    fn holds(fields: &Value, key: &str) -> bool {
        fields.as_object().is_some_and(|fields| fields.iter().any(|(name, inner)| name == key || holds(inner, key)))
    }
    let key = format!("f:{field}");
    let entries = items(value, "/metadata/managedFields").iter();
    // What a controller notes of its work is no change.
    let wanted = entries.filter(|entry| text(entry, "/subresource").is_none());
    wanted
        .filter(|entry| entry.get("fieldsV1").is_some_and(|fields| holds(fields, &key)))
        .filter_map(|entry| time(entry, "/time"))
        .max()
}

/// The pod specification: of a pod itself, of a workload's template, of a `CronJob`'s template of templates.
pub(crate) fn pod_spec(value: &Value) -> Option<&Value> {
    let path = match text(value, "/kind")? {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicationController" => {
            "/spec/template/spec"
        }
        _ => return None,
    };
    value.pointer(path)
}

/// Labels of the pods that a workload makes, or of the pod itself.
pub(crate) fn pod_labels(value: &Value) -> Labels {
    match text(value, "/kind") {
        Some("Pod") => labels(value, "/metadata/labels"),
        Some("CronJob") => labels(value, "/spec/jobTemplate/spec/template/metadata/labels"),
        _ => labels(value, "/spec/template/metadata/labels"),
    }
}

/// Containers of a pod specification, those for initialisation first.
pub(crate) fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    items(spec, "/initContainers").iter().chain(items(spec, "/containers"))
}

/// The ports of their node that a pod's containers ask for, each with its protocol.
pub(crate) fn host_ports(pod: &Value) -> Vec<(&str, i64)> {
    let ports = items(pod, "/spec/containers").iter().flat_map(|container| items(container, "/ports"));
    ports.filter_map(|port| Some((text(port, "/protocol").unwrap_or("TCP"), number(port, "/hostPort")?))).collect()
}

/// Whether a label selector (`matchLabels` and `matchExpressions`) selects these labels. An empty one selects all.
pub(crate) fn selects(selector: &Value, candidate: &Labels) -> bool {
    labels(selector, "/matchLabels").iter().all(|(name, value)| candidate.value(name) == Some(value))
        && items(selector, "/matchExpressions").iter().all(|expression| {
            let Some(key) = text(expression, "/key") else { return false };
            let held = candidate.value(key);
            let among = || items(expression, "/values").iter().any(|value| value.as_str() == held);
            match text(expression, "/operator") {
                Some("In") => held.is_some() && among(),
                Some("NotIn") => held.is_none() || !among(),
                Some("Exists") => held.is_some(),
                Some("DoesNotExist") => held.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_selector_needs_all_of_its_terms() {
        let selector = json!({"matchLabels": {"app": "cart"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["web", "api"]}, {"key": "canary", "operator": "DoesNotExist"}]});
        let of = |pairs: &[(&str, &str)]| selects(&selector, &pairs.iter().copied().collect());
        assert!(of(&[("app", "cart"), ("tier", "api")]));
        assert!(!of(&[("app", "cart")]));
        assert!(!of(&[("app", "cart"), ("tier", "api"), ("canary", "1")]));
        assert!(selects(&json!({}), &Labels::new()));
    }
}
