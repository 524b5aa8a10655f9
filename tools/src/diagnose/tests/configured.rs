//! Conclusions on what was configured, and on alerts that tell of no trouble.

use marple_core::{Category, Confidence, Verdict};

use super::composed::changed;
use super::conclusions::{calls, cause, concluded, of, symptom};
use super::*;
use crate::scene::{Change, Rollout};

/// A crashing workload that takes a ConfigMap's values, with the end of its log.
fn configured(last_words: &str, began: &str) -> Scene {
    let status = with(
        waiting("CrashLoopBackOff", "back-off"),
        &json!({"restartCount": 5, "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": began,
            "finishedAt": "2026-01-02T11:58:00Z"}}}),
    );
    let from = json!({"envFrom": [{"configMapRef": {"name": "settings"}}]});
    let pod =
        with_container(with(pod("shop", "cart"), &json!({"metadata": {"creationTimestamp": OLD}})), &from, &status);
    let map = object("ConfigMap", "shop", "settings", &json!({"data": {"TIMEOUT": "30s"}}));
    let objects = [broken_workload("shop", "cart", pod), vec![map]].concat();
    scene(objects, &[], vec![log("shop", "cart", true, last_words)])
}

/// The ConfigMap's value was changed so many minutes before the symptoms.
fn set(scene: &mut Scene, minutes: i64, to: &str) {
    let began: Timestamp = "2026-01-02T11:50:00Z".parse().unwrap();
    let change = Change { field: "data.TIMEOUT".to_owned(), from: Some("30".to_owned()), to: Some(to.to_owned()) };
    let at = began - jiff::SignedDuration::from_mins(minutes);
    scene.rollouts.insert(
        of("ConfigMap", "shop", "settings"),
        Rollout { at, revision: "kubectl".to_owned(), by: None, writer: None, changes: vec![change] },
    );
}

fn crash() -> [crate::diagnose::Symptom; 1] {
    [symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))]
}

#[test]
fn a_changed_config_map_is_the_cause_where_nothing_else_of_the_workload_changed() {
    let mut scene = configured("panic: index out of range", "2026-01-02T11:57:00Z");
    set(&mut scene, 3, "30s");
    let conclusion = concluded(&mut scene, &crash());
    assert_eq!(cause(&conclusion), "ConfigMap shop/settings");
    let told = conclusion.cause.unwrap();
    assert_eq!(told.category, Category::Configuration);
    assert!(told.statement.contains("data.TIMEOUT: 30 -> 30s"), "{}", told.statement);
}

#[test]
fn a_config_map_is_no_cause_for_a_pod_that_began_before_or_a_workload_that_changed_since() {
    let mut before = configured("panic: index out of range", "2026-01-02T11:40:00Z");
    set(&mut before, 3, "30s");
    assert_eq!(cause(&concluded(&mut before, &crash())), "Deployment shop/cart", "it has read the old value");
    let mut shipped = configured("panic: index out of range", "2026-01-02T11:57:00Z");
    set(&mut shipped, 5, "30s");
    changed(&mut shipped, of("Deployment", "shop", "cart"), 2, "containers[app].image");
    assert_eq!(cause(&concluded(&mut shipped, &crash())), "Deployment shop/cart");
}

#[test]
fn a_value_that_the_last_words_quote_is_the_cause_whatever_was_shipped_since() {
    let mut scene = configured("ERROR strconv.Atoi: parsing \"30s\": invalid syntax", "2026-01-02T11:57:00Z");
    set(&mut scene, 5, "30s");
    changed(&mut scene, of("Deployment", "shop", "cart"), 2, "containers[app].image");
    assert_eq!(cause(&concluded(&mut scene, &crash())), "ConfigMap shop/settings");
}

#[test]
fn what_changed_behind_a_service_that_is_well_is_what_its_callers_feel() {
    let mut web = workload("shop", "web", pod("shop", "web"));
    calls(&mut web, "http://db:5432");
    let objects = [web, workload("shop", "db", pod("shop", "db")), vec![service("shop", "db", 5432)]].concat();
    let line = "ERROR Get \"http://db:5432/\": context deadline exceeded\n".repeat(3);
    let mut scene = scene(objects, &[], vec![log("shop", "web", false, &line)]);
    changed(&mut scene, of("Deployment", "shop", "db"), 2, "containers[app].resources.limits.cpu");
    let conclusion = concluded(&mut scene, &[symptom("HighErrorRate", &of("Deployment", "shop", "web"))]);
    assert_eq!(cause(&conclusion), "Deployment shop/db");
    assert_eq!(conclusion.cause.unwrap().category, Category::Resources);
}

#[test]
fn an_address_that_can_be_read_nowhere_else_comes_from_the_only_secret() {
    let mut web = workload("shop", "web", pod("shop", "web"));
    let from = json!({"env": [{"name": "DATABASE", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}]});
    merge(&mut web[2]["spec"]["containers"][0], &from);
    let objects = [web, workload("shop", "db", pod("shop", "db")), vec![service("shop", "db", 5432)]].concat();
    let line = "ERROR dial tcp: db.shop.svc:5433: connect: connection refused\n".repeat(3);
    let scene = scene(objects, &[], vec![log("shop", "web", false, &line)]);
    assert_eq!(found(&scene), one("dependency-wrong-port", "Secret shop/db"));
    assert!(statement(&scene, "dependency-wrong-port").contains("(it may have that from Secret shop/db, "));
}

#[test]
fn an_expired_certificate_is_blamed_on_what_holds_it() {
    let mut web = workload("shop", "web", pod("shop", "web"));
    calls(&mut web, "https://till:8443");
    let volume = json!({"volumes": [{"name": "tls", "secret": {"secretName": "till-tls"}}]});
    let till = with(pod("shop", "till"), &json!({ "spec": volume }));
    let objects = [web, workload("shop", "till", till), vec![service("shop", "till", 8443)]].concat();
    let line = "ERROR Get \"https://till:8443/\": tls: failed to verify certificate: x509: certificate has expired\n";
    let mut scene = scene(objects, &[], vec![log("shop", "web", false, &line.repeat(3))]);
    let conclusion = concluded(&mut scene, &[symptom("HighErrorRate", &of("Deployment", "shop", "web"))]);
    assert_eq!(cause(&conclusion), "Secret shop/till-tls");
}

#[test]
fn an_alert_that_always_fires_and_a_limit_from_which_nothing_suffers_are_no_faults() {
    let mut nothing = scene(vec![], &[], vec![]);
    let watchdog = crate::diagnose::Symptom { object: None, ..symptom("Watchdog", &of("Pod", "x", "x")) };
    let conclusion = concluded(&mut nothing, &[watchdog]);
    assert_eq!((conclusion.verdict, conclusion.confidence), (Verdict::NoFault, Confidence::High));
    let limit = json!({"resources": {"limits": {"cpu": "100m"}}});
    let pod = with_container(pod("shop", "batch"), &limit, &json!({}));
    let throttled = [symptom("CPUThrottlingHigh", &of("Pod", "shop", "batch-5d-a"))];
    let mut well = scene(workload("shop", "batch", pod), &[], vec![]);
    let conclusion = concluded(&mut well, &throttled);
    assert_eq!(conclusion.verdict, Verdict::NoFault);
    assert!(conclusion.summary.contains("limited to CPU 100m"), "{}", conclusion.summary);
    changed(&mut well, of("Deployment", "shop", "batch"), 2, "containers[app].resources.limits.cpu");
    assert_eq!(concluded(&mut well, &throttled).verdict, Verdict::Fault, "somebody cut it just before");
}

#[test]
fn a_run_that_is_still_active_holds_the_next_and_a_later_success_ends_an_earlier_failure() {
    let held = json!({"spec": {"schedule": "* * * * *", "concurrencyPolicy": "Forbid"},
        "status": {"active": [{"kind": "Job", "name": "export-1"}]}});
    let cron = object("CronJob", "shop", "export", &held);
    let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    let events = [event("CronJob", "shop", "export", "JobAlreadyActive", message)];
    assert_eq!(found(&scene(vec![cron], &events, vec![])), one("cron-job-run-still-active", "Job shop/export-1"));

    let run = |succeeded: &str| {
        let owner = json!({"metadata": {"ownerReferences": [{"kind": "Job", "name": "nightly-1", "controller": true}]},
            "spec": {"restartPolicy": "Never"}, "status": {"phase": "Failed"}});
        let status = json!({"ready": false, "state": {"running": null, "terminated": {"exitCode": 1, "reason": "Error",
            "startedAt": "2026-01-02T11:45:00Z", "finishedAt": "2026-01-02T11:45:10Z"}}});
        let pod = with_container(with(pod("shop", "nightly"), &owner), &json!({}), &status);
        let owner =
            json!({"metadata": {"ownerReferences": [{"kind": "CronJob", "name": "nightly", "controller": true}]}});
        let job = object("Job", "shop", "nightly-1", &owner);
        let times = json!({"lastScheduleTime": "2026-01-02T11:55:00Z", "lastSuccessfulTime": succeeded});
        let cron = object("CronJob", "shop", "nightly", &json!({"spec": {"schedule": "*/5 * * * *"}, "status": times}));
        let mut scene = scene(vec![pod, job, cron], &[], vec![log("shop", "nightly", false, "panic: no such thing")]);
        concluded(&mut scene, &[symptom("KubeJobFailed", &of("Job", "shop", "nightly-1"))]).verdict
    };
    assert_eq!(run("2026-01-02T11:55:09Z"), Verdict::NoFault);
    assert_ne!(run("2026-01-02T11:40:09Z"), Verdict::NoFault);
}

#[test]
fn a_rollout_gets_on_only_where_one_of_its_new_pods_is_ready() {
    let rolling = |new_is_ready: bool| {
        let status = json!({"spec": {"replicas": 3}, "status": {"readyReplicas": 2, "updatedReplicas": 2, "conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "lastTransitionTime": OLD},
            {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
             "lastUpdateTime": "2026-01-02T11:59:40Z"}]}});
        let member = |name: &str, hash: &str, made: &str, ready: bool| {
            let of =
                json!({"metadata": {"name": name, "creationTimestamp": made, "labels": {"pod-template-hash": hash}}});
            let pod = with(pod("shop", "cart"), &of);
            if ready { pod } else { with(pod, &unready("ContainersNotReady")) }
        };
        let objects = vec![
            with(deployment("shop", "cart"), &status),
            replica_set("shop", "cart"),
            member("cart-5d-a", "old", OLD, true),
            member("cart-5d-b", "new", "2026-01-02T11:59:20Z", new_is_ready),
            member("cart-5d-c", "new", "2026-01-02T11:59:45Z", false),
        ];
        let mut scene = scene(objects, &[], vec![]);
        concluded(&mut scene, &[symptom("KubeDeploymentReplicasMismatch", &of("Deployment", "shop", "cart"))])
    };
    let gets_on = rolling(true);
    assert_eq!(gets_on.verdict, Verdict::NoFault, "{}", gets_on.summary);
    assert!(gets_on.summary.contains("is being rolled out and gets on: 2 of 3"), "{}", gets_on.summary);
    assert_ne!(rolling(false).verdict, Verdict::NoFault, "that the old ones serve tells nothing of the new");
}
