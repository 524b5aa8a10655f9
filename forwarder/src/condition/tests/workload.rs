//! Conditions of workloads.

use serde_json::{Value, json};

use super::*;

fn metadata() -> Value {
    json!({"name": "cart", "namespace": "shop", "generation": 2})
}

fn deployment(conditions: Value) -> Object {
    Object::Deployment(view(json!({"metadata": metadata(), "spec": {"replicas": 3},
        "status": {"updatedReplicas": 1, "availableReplicas": 2, "conditions": conditions}})))
}

#[test]
fn a_rollout_over_its_deadline_is_told_with_its_counts() {
    let seen = one(&deployment(
        json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": "ReplicaSet \"cart-7d4\" has timed out progressing.", "lastTransitionTime": "2026-01-01T09:00:00Z"}]),
    ));
    assert_eq!((seen.name, seen.stage), ("RolloutStuck", AT_ONCE));
    assert_eq!(
        seen.summary,
        "The rollout of Deployment shop/cart is over its deadline: 1 of 3 pods updated, 2 available"
    );
}

#[test]
fn a_deployment_that_is_paused_or_goes_on_is_not_stuck() {
    let conditions = json!([
        {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"},
        {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"},
    ]);
    assert_eq!(see(&deployment(conditions)), []);
    assert_eq!(see(&deployment(json!([{"type": "Progressing", "status": "False", "reason": "DeploymentPaused"}]))), []);
}

#[test]
fn refused_pods_are_told_of_the_deployment_and_not_again_of_its_replica_set() {
    let refused = json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": "pods \"cart-1\" is forbidden: exceeded quota: small", "lastTransitionTime": "2026-01-01T09:00:00Z"}]);
    let seen = one(&deployment(refused.clone()));
    assert_eq!(
        seen.summary,
        "Pods of Deployment shop/cart can't be made: pods \"cart-1\" is forbidden: exceeded quota: small"
    );
    let set = |owners: Value| {
        Object::ReplicaSet(view(
            json!({"metadata": {"name": "cart-7d4", "namespace": "shop", "ownerReferences": owners},
            "status": {"conditions": refused}}),
        ))
    };
    assert_eq!(one(&set(json!([]))).name, "ReplicaCreationFailing");
    let owned =
        json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart", "uid": "u", "controller": true}]);
    assert_eq!(see(&set(owned)), []);
}

fn stateful_set(updated: u32, strategy: Value) -> Object {
    Object::StatefulSet(view(json!({"metadata": metadata(), "spec": {"replicas": 3, "updateStrategy": strategy},
        "status": {"observedGeneration": 2, "replicas": 3, "readyReplicas": 2, "updatedReplicas": updated}})))
}

#[test]
fn a_stateful_sets_rollout_is_stuck_when_its_counts_stand_still() {
    let seen = one(&stateful_set(1, json!({"type": "RollingUpdate"})));
    assert_eq!((seen.stage, seen.since), (Stage::Holds(Duration::from_mins(10)), None));
    assert_eq!(seen.summary, "The rollout of StatefulSet shop/cart stands still: 1 of 3 pods updated, 2 ready");
    assert_ne!(seen.progress, one(&stateful_set(2, json!({"type": "RollingUpdate"}))).progress);
}

#[test]
fn a_partition_a_wait_for_deletion_and_an_old_status_are_no_stuck_rollout() {
    assert_eq!(see(&stateful_set(1, json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}))), []);
    assert_eq!(see(&stateful_set(0, json!({"type": "OnDelete"}))), []);
    let old = Object::DaemonSet(view(json!({"metadata": metadata(),
        "status": {"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 1}})));
    assert_eq!(see(&old), []);
}

#[test]
fn a_failed_job_is_told_for_a_day() {
    let job = |type_: &str| {
        Object::Job(view(json!({"metadata": metadata(), "status": {"failed": 7, "conditions": [
            {"type": type_, "status": "True", "reason": "BackoffLimitExceeded",
                "message": "Job has reached the specified backoff limit", "lastTransitionTime": "2026-01-01T09:00:00Z"}]}})))
    };
    let seen = see(&job("Failed"));
    assert_eq!(course(&seen), [("JobFailed", AT_ONCE, some("2026-01-01T09:00:00Z"), some("2026-01-02T09:00:00Z"))]);
    assert_eq!(
        seen[0].summary,
        "Job shop/cart failed: BackoffLimitExceeded: Job has reached the specified backoff limit; 7 failed pods"
    );
    assert_eq!(see(&job("Complete")), []);
}
