use super::*;

/// A Deployment whose ReplicaSet may create no pod.
fn refused(message: &str) -> Scene {
    let mut objects = broken_workload("shop", "cart", pod("shop", "cart"));
    objects.truncate(2);
    objects[1] = with(
        objects[1].clone(),
        &json!({"status": {"replicas": 0, "readyReplicas": null, "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}]}}),
    );
    objects.push(object(
        "ResourceQuota",
        "shop",
        "compute",
        &json!({"status": {"hard": {"limits.memory": "1Gi"}, "used": {"limits.memory": "1Gi"}}}),
    ));
    objects.push(object("LimitRange", "shop", "bounds", &json!({"spec": {"limits": []}})));
    scene(
        objects,
        &[with(
            event("ReplicaSet", "shop", "cart-5d", "FailedCreate", message),
            &json!({"source": {"component": "replicaset-controller"}}),
        )],
        vec![],
    )
}

#[test]
fn each_refusal_to_create_pods_has_its_condition_and_culprit() {
    let of = |message: &str| found(&refused(message));
    let create = "Error creating: pods \"cart-5d-a\" is forbidden:";
    assert_eq!(
        of(&format!(
            "{create} exceeded quota: compute, requested: limits.memory=64Mi, used: limits.memory=1Gi, limited: limits.memory=1Gi"
        )),
        one("quota-exceeded", "ResourceQuota shop/compute")
    );
    assert_eq!(
        of(&format!("{create} failed quota: compute: must specify limits.memory for: app")),
        one("quota-wants-resources-stated", "Deployment shop/cart")
    );
    assert_eq!(
        of(&format!("{create} maximum cpu usage per Container is 1, but limit is 2")),
        one("limit-range-refuses", "Deployment shop/cart")
    );
    assert_eq!(
        of(&format!("{create} violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false")),
        one("pod-security-refuses", "Deployment shop/cart")
    );
    assert_eq!(
        of("Error creating: admission webhook \"policy.example.com\" denied the request: no latest tags"),
        one("admission-webhook-denies", "Deployment shop/cart")
    );
    assert_eq!(
        of(
            "Error creating: Internal error occurred: failed calling webhook \"policy.example.com\": failed to call webhook: Post \"https://policy.guard.svc:443/validate?timeout=10s\": dial tcp 10.96.4.4:443: connect: connection refused"
        ),
        one("admission-webhook-fails", "Service guard/policy")
    );
    assert_eq!(
        of(&format!("{create} error looking up service account shop/cart: serviceaccount \"cart\" not found")),
        one("service-account-missing", "ServiceAccount shop/cart")
    );
    assert_eq!(of("Error creating: pods \"cart-5d-a\" already exists"), one("creation-refused", ""));
}

#[test]
fn a_refusal_that_is_over_is_no_finding() {
    let message = "Error creating: pods \"cart-5d-a\" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=1, limited: pods=1";
    let events = [event("ReplicaSet", "shop", "cart-5d", "FailedCreate", message)];
    assert_eq!(run(&scene(workload("shop", "cart", pod("shop", "cart")), &events, vec![])), []);
}

#[test]
fn the_quota_says_which_resource_and_how_much() {
    let message = "Error creating: pods \"cart-5d-a\" is forbidden: exceeded quota: compute, requested: limits.memory=64Mi, used: limits.memory=1Gi, limited: limits.memory=1Gi";
    assert_eq!(
        statement(&refused(message), "quota-exceeded"),
        "ResourceQuota shop/compute refuses the pods of Deployment shop/cart: requested: limits.memory=64Mi, used: limits.memory=1Gi, limited: limits.memory=1Gi"
    );
}

#[test]
fn a_rollout_past_its_deadline_is_stuck_and_one_within_is_not() {
    let mut objects = broken_workload("shop", "cart", pod("shop", "cart"));
    objects.truncate(2);
    assert_eq!(names(&run(&scene(objects.clone(), &[], vec![]))), ["replicas-unavailable"]);
    objects[0]["status"]["conditions"][1] = json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": "ReplicaSet \"cart-5d\" has timed out progressing."});
    assert_eq!(names(&run(&scene(objects.clone(), &[], vec![]))), ["replicas-unavailable", "rollout-stuck"]);
    objects[0]["status"]["conditions"] = json!([{"type": "Available", "status": "False", "lastTransitionTime": "2026-01-02T11:59:50Z"},
        {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}]);
    assert_eq!(names(&run(&scene(objects, &[], vec![]))), Vec::<&str>::new(), "it has just begun");
}

#[test]
fn zero_replicas_are_told_and_do_not_alarm() {
    let mut objects = vec![with(
        deployment("shop", "cart"),
        &json!({"spec": {"replicas": 0}, "status": {"readyReplicas": null, "replicas": null}}),
    )];
    objects.push(replica_set("shop", "cart"));
    merge(&mut objects[1], &json!({"spec": {"replicas": 0}, "status": {"replicas": 0}}));
    let findings = run(&scene(objects, &[], vec![]));
    assert_eq!(names(&findings), ["scaled-to-zero"]);
    assert_eq!(findings[0].severity, marple_core::Severity::Info);
}

#[test]
fn a_failed_job_is_told_and_a_completed_one_is_not() {
    let job = |condition: Value| {
        let job = object(
            "Job",
            "shop",
            "import",
            &json!({"spec": {"backoffLimit": 3, "activeDeadlineSeconds": 60}, "status": {"failed": 4, "conditions": [condition]}}),
        );
        found(&scene(vec![job], &[], vec![]))
    };
    let failed = |reason: &str| {
        job(json!({"type": "Failed", "status": "True", "reason": reason, "lastTransitionTime": "2026-01-02T11:40:00Z"}))
    };
    assert_eq!(failed("BackoffLimitExceeded"), one("job-failed", ""));
    assert_eq!(failed("DeadlineExceeded"), one("job-deadline-exceeded", "Job shop/import"));
    assert_eq!(job(json!({"type": "Complete", "status": "True"})), []);
    let pod = with(
        with_container(
            pod("shop", "import"),
            &json!({}),
            &json!({"ready": false, "state": {"running": null, "terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": OLD}}}),
        ),
        &json!({"spec": {"restartPolicy": "Never"}, "status": {"phase": "Succeeded"}}),
    );
    assert_eq!(run(&scene(vec![pod], &[], vec![])), []);
}

#[test]
fn a_cron_job_that_is_suspended_or_misses_its_time_is_told() {
    let cron =
        |patch: &Value| with(object("CronJob", "shop", "nightly", &json!({"spec": {"schedule": "0 3 * * *"}})), patch);
    let of = |object: Value, events: &[Value]| found(&scene(vec![object], events, vec![]));
    assert_eq!(of(cron(&json!({"spec": {"suspend": true}})), &[]), one("cron-job-suspended", "CronJob shop/nightly"));
    let missed = event(
        "CronJob",
        "shop",
        "nightly",
        "TooManyMissedTimes",
        "too many missed start times (> 100). Set or decrease .spec.startingDeadlineSeconds or check clock skew",
    );
    assert_eq!(of(cron(&json!({})), &[missed]), one("cron-job-misses-its-schedule", "CronJob shop/nightly"));
    assert_eq!(of(cron(&json!({})), &[]), []);
}

#[test]
fn an_autoscaler_tells_why_it_cannot_scale() {
    let of = |conditions: Value, current: i64| {
        let hpa = object(
            "HorizontalPodAutoscaler",
            "shop",
            "cart",
            &json!({"spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "cart"}},
            "status": {"currentReplicas": current, "conditions": conditions}}),
        );
        found(&scene(vec![deployment("shop", "cart"), hpa], &[], vec![]))
    };
    let active = |message: &str| json!([{"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric", "message": message}]);
    assert_eq!(
        of(
            active(
                "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API"
            ),
            1
        ),
        one("autoscaler-without-metrics", "HorizontalPodAutoscaler shop/cart")
    );
    assert_eq!(
        of(active("failed to get cpu utilization: missing request for cpu in container app of Pod cart-5d-a"), 1),
        one("autoscaler-target-without-requests", "Deployment shop/cart")
    );
    assert_eq!(
        of(
            json!([{"type": "AbleToScale", "status": "False", "reason": "FailedGetScale", "message": "the HPA controller was unable to get the target's current scale: deployments.apps \"cart\" not found"}]),
            1
        ),
        one("autoscaler-target-missing", "Deployment shop/cart")
    );
    let limited = json!([{"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": "the desired replica count is more than the maximum replica count"}]);
    assert_eq!(of(limited.clone(), 5), one("autoscaler-at-maximum", "HorizontalPodAutoscaler shop/cart"));
    assert_eq!(of(limited, 3), []);
}

#[test]
fn a_budget_that_allows_no_eviction_by_its_own_numbers_is_told() {
    let of = |healthy: i64, wanted: i64, expected: i64, allowed: i64| {
        let budget = object(
            "PodDisruptionBudget",
            "shop",
            "cart",
            &json!({"status": {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": wanted, "expectedPods": expected}}),
        );
        found(&scene(vec![budget], &[], vec![]))
    };
    assert_eq!(of(2, 2, 2, 0), one("disruption-budget-blocks", "PodDisruptionBudget shop/cart"));
    assert_eq!(of(1, 2, 3, 0), one("disruption-budget-unhealthy", ""));
    assert_eq!(of(2, 2, 3, 0), []);
    assert_eq!(of(3, 2, 3, 1), []);
}

#[test]
fn a_stateful_set_names_the_first_ordinal_that_holds_it_up() {
    let set = object(
        "StatefulSet",
        "shop",
        "db",
        &json!({"spec": {"replicas": 3, "serviceName": "db"}, "status": {"readyReplicas": 1}}),
    );
    let pod = |ordinal: u8, patch: &Value| {
        let base = json!({"metadata": {"name": format!("db-{ordinal}"), "ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": true}]}});
        with(with(pod("shop", "db"), &base), patch)
    };
    let broken = pod(1, &unready("ContainersNotReady"));
    let scene = scene(vec![set, pod(0, &json!({})), broken], &[], vec![]);
    assert_eq!(
        statement(&scene, "stateful-set-held-up"),
        "StatefulSet shop/db has 1 of 3 replicas ready; Pod shop/db-1 is the first that is not"
    );
}
