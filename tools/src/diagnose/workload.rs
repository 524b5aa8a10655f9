//! Workloads in words and commands.

use marple_core::ObjectRef;
use serde_json::Value;

use crate::scene::{Scene, field};

/// `deployment/cart`, as kubectl takes it.
pub(super) fn target(object: &ObjectRef) -> String {
    format!("{}/{}", object.kind.to_ascii_lowercase(), object.name)
}

/// `-n shop`, or nothing for a cluster-scoped object.
pub(super) fn scope(object: &ObjectRef) -> String {
    object.namespace.as_ref().map_or_else(String::new, |namespace| format!(" -n {namespace}"))
}

/// The command that opens an object in an editor.
pub(super) fn edit(object: &ObjectRef) -> String {
    format!("kubectl edit{} {}", scope(object), target(object))
}

/// The command that shows an object with its events.
pub(super) fn describe(object: &ObjectRef) -> String {
    format!("kubectl describe{} {}", scope(object), target(object))
}

/// The command that takes back the last rollout, of the kinds that keep revisions.
pub(super) fn undo(object: &ObjectRef) -> Option<String> {
    ["Deployment", "StatefulSet", "DaemonSet"]
        .contains(&object.kind.as_str())
        .then(|| format!("kubectl rollout undo{} {}", scope(object), target(object)))
}

/// The command that gives a workload so many replicas.
pub(super) fn scale(object: &ObjectRef, replicas: &str) -> String {
    format!("kubectl scale{} {} --replicas={replicas}", scope(object), target(object))
}

/// How many replicas a workload wants and how many are ready, where its kind counts them.
pub(super) fn replicas(object: &ObjectRef, value: &Value) -> Option<(i64, i64)> {
    let (wanted, ready) = match object.kind.as_str() {
        "Deployment" | "StatefulSet" | "ReplicaSet" => {
            (field::number(value, "/spec/replicas").unwrap_or(1), field::number(value, "/status/readyReplicas"))
        }
        "DaemonSet" => (
            field::number(value, "/status/desiredNumberScheduled").unwrap_or_default(),
            field::number(value, "/status/numberReady"),
        ),
        _ => return None,
    };
    Some((wanted, ready.unwrap_or_default()))
}

/// Whether all replicas that a workload wants are ready, where they are counted.
pub(super) fn is_well(scene: &Scene, object: &ObjectRef) -> bool {
    let counted = scene.get(object).and_then(|value| replicas(object, value));
    counted.is_some_and(|(wanted, ready)| ready >= wanted)
}

/// Whether a pod got past its sandbox and volumes: one of its containers began, or waits for anything but them. What was
/// said of either before, is over.
pub(super) fn pod_begun(pod: &Value) -> bool {
    let sandbox = field::condition(pod, "PodReadyToStartContainers");
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let mut statuses = statuses.into_iter().flat_map(|list| field::items(pod, list));
    let begun = statuses.any(|status| {
        let waits = field::text(status, "/state/waiting/reason");
        let ran = ["/state/running", "/state/terminated", "/lastState/terminated"];
        ran.iter().any(|path| status.pointer(path).is_some())
            || waits.is_some_and(|reason| !matches!(reason, "ContainerCreating" | "PodInitializing"))
    });
    begun || sandbox.is_some_and(|made| field::text(made, "/status") == Some("True"))
}
