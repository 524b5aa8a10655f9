//! Conditions of nodes and claims.

use serde_json::{Value, json};

use super::*;

fn node(conditions: Value) -> Object {
    Object::Node(view(json!({"metadata": {"name": "worker-1"}, "status": {"conditions": conditions}})))
}

#[test]
fn a_node_that_is_not_heard_of_is_critical_after_its_hold() {
    let seen = one(&node(json!([
        {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.", "lastTransitionTime": "2026-01-01T09:00:00Z"},
        {"type": "MemoryPressure", "status": "Unknown", "lastTransitionTime": "2026-01-01T09:00:00Z"},
    ])));
    assert_eq!(
        (seen.name, seen.severity, seen.stage),
        ("NodeNotReady", marple_core::Severity::Critical, Stage::Holds(Duration::from_mins(1)))
    );
    assert_eq!(seen.summary, "Node worker-1 is not heard of: Kubelet stopped posting node status.");
}

#[test]
fn a_ready_node_under_pressure_is_told_by_the_kind_of_pressure() {
    let seen = see(&node(json!([
        {"type": "Ready", "status": "True"},
        {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure", "lastTransitionTime": "2026-01-01T09:00:00Z"},
        {"type": "MemoryPressure", "status": "False"},
    ])));
    assert_eq!(course(&seen), [("NodeDiskPressure", AT_ONCE, some("2026-01-01T09:00:00Z"), None)]);
}

#[test]
fn a_ready_node_shows_nothing() {
    assert_eq!(see(&node(json!([{"type": "Ready", "status": "True"}]))), []);
}

#[test]
fn a_condition_of_others_is_a_fault_by_what_its_name_says() {
    let seen = see(&node(json!([
        {"type": "Ready", "status": "True"},
        {"type": "KernelDeadlock", "status": "True", "message": "task blocked", "lastTransitionTime": "2026-01-01T09:00:00Z"},
        {"type": "ReadonlyFilesystem", "status": "False"},
        {"type": "NetworkingReady", "status": "False"},
        {"type": "StorageReady", "status": "True"},
        {"type": "KubeletNotReady", "status": "True"},
        {"type": "EtcdIsVoter", "status": "True"},
        {"type": "FrequentKubeletRestart", "status": "Unknown"},
    ])));
    let told: Vec<_> = seen.iter().map(|it| (it.name, it.condition.as_deref().unwrap(), it.summary.as_str())).collect();
    assert_eq!(
        told,
        [
            ("NodeProblem", "KernelDeadlock", "Node worker-1 has KernelDeadlock: task blocked"),
            ("NodeProblem", "NetworkingReady", "Node worker-1 is without NetworkingReady"),
            ("NodeProblem", "KubeletNotReady", "Node worker-1 has KubeletNotReady"),
        ]
    );
    assert_eq!(seen[0].stage, Stage::Holds(Duration::from_mins(1)));
}

#[test]
fn a_cordoned_node_shows_nothing() {
    let cordoned = json!({"metadata": {"name": "worker-1"}, "spec": {"unschedulable": true},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    assert_eq!(see(&Object::Node(view(cordoned))), []);
}

fn claim(class: &str, annotations: Value, phase: &str) -> Object {
    Object::Claim(view(json!({
        "metadata": {"name": "data", "namespace": "shop", "creationTimestamp": "2026-01-01T09:00:00Z", "annotations": annotations},
        "spec": {"storageClassName": class}, "status": {"phase": phase},
    })))
}

#[test]
fn a_claim_without_volume_is_told_after_its_hold() {
    let seen = see(&claim("fast", json!({}), "Pending"));
    let hold = Stage::Holds(Duration::from_mins(5));
    assert_eq!(course(&seen), [("PersistentVolumeClaimPending", hold, some("2026-01-01T09:00:00Z"), None)]);
}

#[test]
fn a_claim_that_waits_for_its_pod_is_told_only_once_the_pod_has_a_node() {
    assert_eq!(see(&claim("local", json!({"other": "x"}), "Pending")), []);
    let chosen = json!({"volume.kubernetes.io/selected-node": "worker-1"});
    assert_eq!(one(&claim("local", chosen, "Pending")).name, "PersistentVolumeClaimPending");
}

#[test]
fn a_bound_claim_shows_nothing_and_a_lost_one_is_critical() {
    assert_eq!(see(&claim("fast", json!({}), "Bound")), []);
    assert_eq!(one(&claim("fast", json!({}), "Lost")).severity, marple_core::Severity::Critical);
}
