//! Fixtures: objects as an API server gives them, well unless a test patches them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod alerts;
mod blame;
mod changed_last;
mod classes;
mod composed;
mod conclusions;
mod configured;
mod containers;
mod controllers;
mod deletions;
mod dependencies;
mod evictions;
mod mistaken;
mod objects;
mod probes;
mod programs;
mod properties;
mod recorded;
mod services;
mod storage_and_nodes;
mod told;

use jiff::Timestamp;
use marple_core::{Finding, ObjectRef};
use serde_json::{Value, json};

use super::run;
use crate::scene::{Log, Scene};

pub(super) const NOW: &str = "2026-01-02T12:00:00Z";
pub(super) const OLD: &str = "2026-01-01T12:00:00Z";

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Lays a patch over a value: objects are merged, everything else replaced; null takes away.
pub(super) fn merge(value: &mut Value, patch: &Value) {
    match (value, patch) {
        (Value::Object(fields), Value::Object(patch)) => {
            for (name, patch) in patch {
                if patch.is_null() {
                    fields.remove(name);
                } else {
                    merge(fields.entry(name.clone()).or_insert(Value::Null), patch);
                }
            }
        }
        (value, patch) => *value = patch.clone(),
    }
}

pub(super) fn with(mut value: Value, patch: &Value) -> Value {
    merge(&mut value, patch);
    value
}

/// A value with its only container (or container status) patched.
pub(super) fn with_container(mut pod: Value, spec: &Value, status: &Value) -> Value {
    merge(&mut pod["spec"]["containers"][0], spec);
    merge(&mut pod["status"]["containerStatuses"][0], status);
    pod
}

pub(super) fn object(kind: &str, namespace: &str, name: &str, rest: &Value) -> Value {
    let base = json!({"kind": kind, "metadata": {"namespace": namespace, "name": name, "creationTimestamp": OLD}});
    with(base, rest)
}

pub(super) fn deployment(namespace: &str, name: &str) -> Value {
    object(
        "Deployment",
        namespace,
        name,
        &json!({"apiVersion": "apps/v1",
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": format!("registry.local/{name}:1")}]}}},
            "status": {"replicas": 1, "readyReplicas": 1, "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "lastTransitionTime": OLD},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}}),
    )
}

pub(super) fn replica_set(namespace: &str, name: &str) -> Value {
    object(
        "ReplicaSet",
        namespace,
        &format!("{name}-5d"),
        &json!({"metadata": {"ownerReferences": [{"kind": "Deployment", "name": name, "controller": true}],
                "annotations": {"deployment.kubernetes.io/revision": "1"}},
            "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": format!("registry.local/{name}:1")}]}}},
            "status": {"replicas": 1, "readyReplicas": 1}}),
    )
}

/// A pod of a Deployment, running and ready.
pub(super) fn pod(namespace: &str, name: &str) -> Value {
    object(
        "Pod",
        namespace,
        &format!("{name}-5d-a"),
        &json!({"metadata": {"labels": {"app": name}, "ownerReferences": [{"kind": "ReplicaSet", "name": format!("{name}-5d"), "controller": true}]},
            "spec": {"nodeName": "worker-1", "restartPolicy": "Always",
                "containers": [{"name": "app", "image": format!("registry.local/{name}:1")}]},
            "status": {"phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}],
                "containerStatuses": [{"name": "app", "ready": true, "restartCount": 0, "image": format!("registry.local/{name}:1"),
                    "state": {"running": {"startedAt": OLD}}}]}}),
    )
}

/// A patch for a status that is not ready.
pub(super) fn unready(reason: &str) -> Value {
    json!({"status": {"conditions": [
        {"type": "Ready", "status": "False", "reason": reason, "message": "containers with unready status: [app]"},
        {"type": "PodScheduled", "status": "True"}]}})
}

pub(super) fn waiting(reason: &str, message: &str) -> Value {
    json!({"ready": false, "state": {"running": null, "waiting": {"reason": reason, "message": message}}})
}

pub(super) fn ended(code: i64, reason: &str, at: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": at, "finishedAt": at}})
}

/// A Deployment with its ReplicaSet and this pod.
pub(super) fn workload(namespace: &str, name: &str, pod: Value) -> Vec<Value> {
    vec![deployment(namespace, name), replica_set(namespace, name), pod]
}

/// The same, none of it ready: what a Deployment looks like whose only pod is broken for ten minutes.
pub(super) fn broken_workload(namespace: &str, name: &str, pod: Value) -> Vec<Value> {
    let mut objects = workload(namespace, name, with(pod, &unready("ContainersNotReady")));
    merge(
        &mut objects[0],
        &json!({"status": {"readyReplicas": null, "unavailableReplicas": 1, "conditions": [
            {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
             "message": "Deployment does not have minimum availability.", "lastTransitionTime": "2026-01-02T11:50:00Z"},
            {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}]}}),
    );
    objects
}

pub(super) fn service(namespace: &str, name: &str, port: u16) -> Value {
    object(
        "Service",
        namespace,
        name,
        &json!({"spec": {"clusterIP": "10.96.0.7", "selector": {"app": name}, "ports": [{"port": port, "targetPort": port}]}}),
    )
}

pub(super) fn event(kind: &str, namespace: &str, name: &str, reason: &str, message: &str) -> Value {
    json!({"involvedObject": {"kind": kind, "namespace": namespace, "name": name, "fieldPath": "spec.containers{app}"}, "type": "Warning",
        "reason": reason, "message": message, "count": 9, "lastTimestamp": "2026-01-02T11:59:00Z", "source": {"component": "kubelet"}})
}

pub(super) fn pod_event(name: &str, reason: &str, message: &str) -> Value {
    event("Pod", "shop", &format!("{name}-5d-a"), reason, message)
}

pub(super) fn log(namespace: &str, name: &str, previous: bool, text: &str) -> Log {
    Log {
        pod: ObjectRef::namespaced("Pod", namespace, format!("{name}-5d-a")),
        container: "app".to_owned(),
        previous,
        text: text.to_owned(),
    }
}

pub(super) fn scene(objects: Vec<Value>, events: &[Value], logs: Vec<Log>) -> Scene {
    Scene::of(objects, events, logs, now())
}

/// Conditions found, each with its culprit; symptoms of the workload around it left out.
pub(super) fn found(scene: &Scene) -> Vec<(String, String)> {
    let mut found = run(scene)
        .into_iter()
        .filter(|finding| !["replicas-unavailable", "container-crash-loop"].contains(&finding.condition.as_str()))
        .map(|finding| (finding.condition, finding.culprit.map_or_else(String::new, |culprit| culprit.to_string())))
        .collect::<Vec<_>>();
    found.sort();
    found
}

pub(super) fn one(condition: &str, culprit: &str) -> Vec<(String, String)> {
    vec![(condition.to_owned(), culprit.to_owned())]
}

pub(super) fn statement(scene: &Scene, condition: &str) -> String {
    let findings = run(scene);
    let finding = findings.iter().find(|finding| finding.condition == condition);
    finding.unwrap_or_else(|| panic!("no {condition} in {:?}", names(&findings))).statement.clone()
}

pub(super) fn names(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.condition.as_str()).collect()
}
