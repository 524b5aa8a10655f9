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
