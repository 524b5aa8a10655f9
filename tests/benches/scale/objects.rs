//! The objects of the cluster, as large as real ones.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Namespaces among which the objects are spread.
const NAMESPACES: usize = 10;

/// Whether the API server notes of each pod who writes which field (managedFields), as it does unless it is told to
/// forget them. To work that out again at each write is most of what a write costs it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writers {
    Noted,
    Cleared,
}

/// The size of what is noted of a pod's writers, in bytes: without them an annotation as long takes their place, so that
/// who watches has as much to read.
const NOTED: usize = 3_500;

/// The namespaces.
pub(crate) fn namespaces() -> impl Iterator<Item = String> {
    (0..NAMESPACES).map(namespace)
}

/// The namespace of the object of this number.
pub(crate) fn namespace(at: usize) -> String {
    format!("scale-{}", at % NAMESPACES)
}

/// The name of the pod of this number.
pub(crate) fn name(at: usize) -> String {
    format!("pod-{at}-5bdc96c8f4-x2k9p")
}

/// A container with as many variables as real ones have.
fn template(at: usize) -> Value {
    let environment: Vec<Value> = (0..40)
        .map(|variable| json!({"name": format!("VARIABLE_{variable}"), "value": format!("{at}-{}", "v".repeat(50))}))
        .collect();
    json!({"schedulerName": "nobody", "containers": [{"name": "app", "image": "registry.example.com/team/app:1.2.3",
        "env": environment, "resources": {"limits": {"memory": "256Mi"}}}]})
}

fn metadata(at: usize, writers: Writers) -> Value {
    let labels: HashMap<String, String> =
        (0..8).map(|label| (format!("example.com/label-{label}"), format!("value-{at}"))).collect();
    let length = if writers == Writers::Cleared { 200 + NOTED } else { 200 };
    json!({"name": name(at), "namespace": namespace(at), "labels": labels,
        "annotations": {"example.com/checksum": "c".repeat(length)}})
}

/// A pod, of a ReplicaSet as most are.
pub(crate) fn pod(at: usize, writers: Writers) -> Value {
    let mut metadata = metadata(at, writers);
    metadata["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
        "name": format!("app-{}-5bdc96c8f4", at / 10), "uid": format!("00000000-0000-4000-8000-{:012}", at / 10)}]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template(at)})
}

/// A Deployment of no pods.
pub(crate) fn deployment(at: usize) -> Value {
    let labels = json!({"app": format!("app-{at}")});
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": format!("app-{at}"), "namespace": namespace(at)},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template(at)}}})
}

/// The status that a kubelet would write, of a container that runs or of one that crashes, as the body of a `PUT`: of that
/// the API server takes status, labels and annotations, and leaves the specification as it was.
pub(crate) fn status(at: usize, writers: Writers, update: usize, breaks: bool) -> Value {
    let now = jiff::Timestamp::now();
    let state = if breaks {
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}})
    } else {
        json!({"running": {"startedAt": "2026-01-01T08:00:00Z"}})
    };
    let last = json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now}});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata(at, writers), "spec": {"containers": null},
        "status": {"phase": "Running", "message": format!("update {update}"),
            "containerStatuses": [{"name": "app", "image": "i", "imageID": "", "ready": !breaks,
                "restartCount": if breaks { 7 } else { 0 }, "state": state,
                "lastState": if breaks { last } else { json!({}) }}]}})
}

/// A warning that a kubelet would write of a pod, as one of many.
pub(crate) fn warning(at: usize, number: usize) -> Value {
    let now = jiff::Timestamp::now();
    json!({"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "FailedCreatePodSandBox", "count": 3,
        "metadata": {"name": format!("{}.{number:x}", name(at)), "namespace": namespace(at)},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": namespace(at), "name": name(at)},
        "message": "failed to set up the network of the sandbox: no address is left", "source": {"component": "kubelet"},
        "firstTimestamp": now, "lastTimestamp": now})
}

/// A ConfigMap of nearly a MiB beside a value of some bytes.
pub(crate) fn large(value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large", "namespace": namespace(0)},
        "data": {"blob": "b".repeat(1_000_000), "timeout": value}})
}
