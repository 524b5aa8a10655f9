//! Conditions of which events tell.

use serde_json::{Value, json};

use super::*;

fn event(kind: &str, reason: &str, message: &str, count: u32) -> Object {
    event_with(&json!({}), kind, reason, message, count)
}

fn event_with(more: &Value, kind: &str, reason: &str, message: &str, count: u32) -> Object {
    let mut event = json!({
        "metadata": {"name": "cart-1.17a", "namespace": "shop"},
        "involvedObject": {"kind": kind, "namespace": "shop", "name": "cart-1", "uid": "u1", "fieldPath": "spec.containers{app}"},
        "reason": reason, "message": message, "count": count, "eventTime": null,
        "firstTimestamp": "2026-01-01T09:00:00Z", "lastTimestamp": "2026-01-01T09:30:00Z",
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    Object::Event(view(event))
}

#[test]
fn a_volume_that_cannot_be_mounted_is_about_the_pod_and_expires() {
    let seen = one(&event("Pod", "FailedMount", "MountVolume.SetUp failed: secret \"cart\" not found", 2));
    assert_eq!(seen.subject.as_ref().map(ToString::to_string).as_deref(), Some("Pod shop/cart-1"));
    assert_eq!(
        course(std::slice::from_ref(&seen)),
        [("PodVolumeFailing", AT_ONCE, some("2026-01-01T09:00:00Z"), some("2026-01-01T09:40:00Z"))]
    );
    assert_eq!(
        seen.summary,
        "A volume of Pod shop/cart-1 can't be mounted, 2 times: MountVolume.SetUp failed: secret \"cart\" not found"
    );
}

#[test]
fn once_is_no_failure_and_other_kinds_have_no_volumes() {
    assert_eq!(see(&event("Pod", "FailedMount", "…", 1)), []);
    assert_eq!(see(&event("Node", "FailedMount", "…", 9)), []);
}

#[test]
fn a_probe_is_told_of_its_container_from_the_sixth_failure_on() {
    let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    assert_eq!(see(&event("Pod", "Unhealthy", message, 5)), []);
    let seen = one(&event("Pod", "Unhealthy", message, 6));
    assert_eq!((seen.name, seen.container.as_deref()), ("PodProbeFailing", Some("app")));
}

#[test]
fn a_startup_probe_may_fail_until_the_program_is_up() {
    assert_eq!(see(&event("Pod", "Unhealthy", "Startup probe failed: connection refused", 20)), []);
}

#[test]
fn refused_pods_of_a_stateful_set_are_told_by_events_and_those_of_a_replica_set_by_itself() {
    assert_eq!(one(&event("StatefulSet", "FailedCreate", "exceeded quota", 2)).name, "ReplicaCreationFailing");
    assert_eq!(see(&event("ReplicaSet", "FailedCreate", "exceeded quota", 9)), []);
}

#[test]
fn an_event_of_the_newer_api_counts_by_its_series() {
    let series = json!({"count": 1, "firstTimestamp": null, "lastTimestamp": null, "eventTime": "2026-01-01T09:00:00.123456Z",
        "series": {"count": 4, "lastObservedTime": "2026-01-01T09:20:00.5Z"}});
    let seen = see(&event_with(&series, "Pod", "FailedCreatePodSandBox", "no network", 1));
    assert_eq!(
        course(&seen),
        [("PodSandboxFailing", AT_ONCE, some("2026-01-01T09:00:00.123456Z"), some("2026-01-01T09:30:00.5Z"))]
    );
}

#[test]
fn events_stand_in_for_pods_only_where_pods_cannot_be_watched() {
    let event = event("Pod", "BackOff", "Back-off restarting failed container app in pod cart-1", 3);
    assert_eq!(see(&event), []);
    let key = event.key();
    let context = Context {
        key: &key,
        restarts: &[],
        owner_succeeded: None,
        waiting_classes: &BTreeSet::new(),
        pods_unseen: true,
    };
    let seen = Conditions::default().see(&event, &context);
    assert_eq!(
        course(&seen),
        [("PodCrashLooping", AT_ONCE, some("2026-01-01T09:00:00Z"), some("2026-01-01T09:40:00Z"))]
    );
}

#[test]
fn a_cron_job_that_misses_its_time_is_told_by_its_events_for_a_day() {
    let missed = json!({"involvedObject": {"apiVersion": "batch/v1", "kind": "CronJob", "namespace": "shop", "name": "nightly"}});
    let seen = see(&event_with(&missed, "CronJob", "MissSchedule", "Missed scheduled time to start a job", 1));
    assert_eq!(
        course(&seen),
        [("CronJobNotScheduled", AT_ONCE, some("2026-01-01T09:00:00Z"), some("2026-01-02T09:30:00Z"))]
    );
    assert_eq!(see(&event_with(&missed, "CronJob", "JobAlreadyActive", "…", 9)), []);
}

#[test]
fn a_warning_of_any_kind_is_told_where_it_is_asked_for() {
    let about = json!({"involvedObject": {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "namespace": "shop", "name": "tls"}});
    let event = event_with(&about, "Certificate", "IssuerNotReady", "the issuer letsencrypt is not ready", 1);
    assert_eq!(see(&event), []);
    let told = |settings: Value| {
        let conditions: Conditions = serde_json::from_value(json!({"warning_event": settings})).unwrap();
        let key = event.key();
        let (restarts, waiting_classes) = (&[], &BTreeSet::new());
        conditions
            .see(&event, &Context { key: &key, restarts, owner_succeeded: None, waiting_classes, pods_unseen: false })
    };
    let seen = told(json!({"enabled": true}));
    assert_eq!(seen[0].summary, "IssuerNotReady of Certificate shop/tls, 1 times: the issuer letsencrypt is not ready");
    assert_eq!((seen[0].condition.as_deref(), seen[0].rate_limit), (Some("IssuerNotReady"), Duration::from_hours(1)));
    assert_eq!(told(json!({"enabled": true, "include": ["letsencrypt"]})).len(), 1);
    assert_eq!(told(json!({"enabled": true, "include": ["Certificate shop/"]})).len(), 1);
    assert_eq!(told(json!({"enabled": true, "include": ["Pod "]})), []);
    assert_eq!(told(json!({"enabled": true, "exclude": ["IssuerNotReady"]})), []);
}
