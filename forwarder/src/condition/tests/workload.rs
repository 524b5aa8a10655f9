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
fn of_a_deployment_its_deadline_counts_into_the_hold() {
    let conditions = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "lastTransitionTime": "2026-01-01T09:00:00Z"}]);
    let mut stuck = deployment(conditions);
    for (deadline, rest) in [(None, 0), (Some(60), 9 * 60), (Some(3_600), 0)] {
        if let Object::Deployment(deployment) = &mut stuck {
            deployment.spec.progress_deadline_seconds = deadline;
        }
        assert_eq!(one(&stuck).stage, Stage::Holds(Duration::from_secs(rest)), "{deadline:?}");
    }
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

fn cron_job(suspend: bool, status: Value) -> Object {
    Object::CronJob(view(
        json!({"metadata": metadata(), "spec": {"schedule": "0 9 * * *", "suspend": suspend}, "status": status}),
    ))
}

#[test]
fn a_cron_job_fails_from_a_run_that_did_not_succeed_to_one_that_does() {
    let ran = json!({"lastScheduleTime": "2026-01-01T09:00:00Z", "lastSuccessfulTime": "2025-12-31T09:02:00Z"});
    let seen = one(&cron_job(false, ran.clone()));
    let hold = Stage::Holds(Duration::from_mins(1));
    assert_eq!((seen.name, seen.stage, seen.since), ("CronJobFailing", hold, Some(at("2026-01-01T09:00:00Z"))));
    assert_eq!(
        seen.summary,
        "The last Job of CronJob shop/cart, of 2026-01-01T09:00:00Z, did not succeed; the last success was at \
         2025-12-31T09:02:00Z"
    );
    let succeeded = json!({"lastScheduleTime": "2026-01-01T09:00:00Z", "lastSuccessfulTime": "2026-01-01T09:00:00Z"});
    assert_eq!(see(&cron_job(false, succeeded)), []);
    assert_eq!(see(&cron_job(false, json!({}))), []);
    assert_eq!(see(&cron_job(true, ran)), []);
}

#[test]
fn a_cron_job_whose_job_runs_is_neither_failing_nor_over_it() {
    let runs = json!({"lastScheduleTime": "2026-01-01T09:00:00Z", "active": [{"kind": "Job", "name": "cart-1"}]});
    assert_eq!(one(&cron_job(false, runs)).stage, Stage::Lingers);
}

#[test]
fn a_workload_of_a_helm_release_is_told_while_its_pods_are_not_ready() {
    let of = |ready: u32, annotations: Value| {
        Object::Deployment(view(json!({"metadata": {"name": "cart", "namespace": "shop", "annotations": annotations},
            "spec": {"replicas": 3}, "status": {"availableReplicas": ready}})))
    };
    let helm = json!({"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"});
    let seen = one(&of(1, helm.clone()));
    assert_eq!((seen.name, seen.stage), ("HelmReleaseUnhealthy", Stage::Holds(Duration::from_mins(15))));
    assert_eq!(seen.summary, "Deployment shop/cart of the Helm release shop has 1 of 3 pods ready");
    assert_eq!(see(&of(3, helm)), []);
    assert_eq!(see(&of(1, json!({}))), []);
}

fn autoscaler(conditions: Value) -> Object {
    Object::Autoscaler(view(json!({"metadata": metadata(),
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"}, "maxReplicas": 5},
        "status": {"currentReplicas": 5, "conditions": conditions}})))
}

#[test]
fn an_autoscaler_that_wants_more_than_it_may_is_at_its_limit() {
    let limited =
        |reason: &str| json!([{"type": "ScalingLimited", "status": "True", "reason": reason, "message": "m"}]);
    let seen = one(&autoscaler(limited("TooManyReplicas")));
    assert_eq!((seen.name, seen.stage), ("HorizontalPodAutoscalerMaxedOut", Stage::Holds(Duration::from_mins(15))));
    assert_eq!(
        seen.summary,
        "HorizontalPodAutoscaler shop/cart wants more than its maximum of 5 pods for Deployment cart, which has 5"
    );
    assert_eq!(see(&autoscaler(limited("TooFewReplicas"))), []);
}

#[test]
fn an_autoscaler_without_metrics_can_not_scale_and_one_of_no_pods_need_not() {
    let inactive =
        |reason: &str| json!([{"type": "ScalingActive", "status": "False", "reason": reason, "message": "no metrics"}]);
    let seen = one(&autoscaler(inactive("FailedGetResourceMetric")));
    assert_eq!(seen.summary, "HorizontalPodAutoscaler shop/cart can't scale Deployment cart: no metrics");
    assert_eq!((seen.name, seen.stage), ("HorizontalPodAutoscalerFailing", Stage::Holds(Duration::from_mins(5))));
    assert_eq!(see(&autoscaler(inactive("ScalingDisabled"))), []);
}
