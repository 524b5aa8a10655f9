//! Jobs and their CronJobs; objects of which no account is kept; the labels by which signals and alerts meet.

use super::*;

fn failed_job(name: &str, at: &str) -> Object {
    Object::Job(view(json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name, "ownerReferences": owned("CronJob", "nightly")},
        "status": {"failed": 1, "succeeded": 1, "conditions": [
            {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": at}]}})))
}

fn cron_job(status: Value) -> Object {
    Object::CronJob(view(json!({"metadata": {"name": "nightly", "namespace": "shop", "uid": "c1"}, "status": status})))
}

#[test]
fn a_failed_job_is_of_its_cron_job_and_over_when_a_later_one_has_succeeded() {
    let mut picture = picture();
    picture.take(seen(cron_job(json!({"lastScheduleTime": "2026-01-01T09:00:00Z"}))), at("2026-01-01T09:00:30Z"));
    let signals = picture.take(seen(failed_job("nightly-1", "2026-01-01T09:01:00Z")), at(NOW));
    assert_eq!(brief(&signals), [("JobFailed", Firing)]);
    assert_eq!(signals[0].labels.get("cronjob"), Some("nightly"));
    assert_eq!(picture.take(seen(failed_job("nightly-1", "2026-01-01T09:01:00Z")), at(NOW)), []);
    let succeeded = json!({"lastScheduleTime": "2026-01-01T09:30:00Z", "lastSuccessfulTime": "2026-01-01T09:31:00Z"});
    let signals = picture.take(seen(cron_job(succeeded.clone())), at(NOW));
    assert!(brief(&signals).contains(&("JobFailed", Resolved)), "{signals:#?}");
    assert_eq!(picture.take(seen(cron_job(succeeded)), at(NOW)), []);
    assert_eq!(picture.take(seen(failed_job("nightly-1", "2026-01-01T09:01:00Z")), at(NOW)), [], "seen again");
    let signals = picture.take(seen(failed_job("nightly-3", "2026-01-01T09:59:00Z")), at(NOW));
    assert_eq!(brief(&signals), [("JobFailed", Firing)]);
}

#[test]
fn a_cron_job_whose_jobs_are_refused_is_over_it_when_it_begins_one() {
    let refused = Object::Event(view(json!({
        "metadata": {"name": "nightly.1", "namespace": "shop"}, "reason": "FailedCreate", "message": "exceeded quota",
        "involvedObject": {"apiVersion": "batch/v1", "kind": "CronJob", "namespace": "shop", "name": "nightly", "uid": "c1"},
        "firstTimestamp": "2026-01-01T09:59:00Z", "lastTimestamp": "2026-01-01T09:59:00Z"})));
    let mut picture = picture();
    picture.take(seen(cron_job(json!({}))), at(NOW));
    assert_eq!(brief(&picture.take(seen(refused), at(NOW))), [("CronJobNotScheduled", Firing)]);
    let began = json!({"lastScheduleTime": "2026-01-01T10:00:00Z", "active": [{"name": "nightly-1"}]});
    assert_eq!(brief(&picture.take(seen(cron_job(began)), at(NOW))), [("CronJobNotScheduled", Resolved)]);
}

#[test]
fn of_services_and_the_like_only_what_is_wrong_is_kept() {
    let service = |type_: &str| {
        Object::Service(view(
            json!({"metadata": {"name": "cart", "namespace": "shop", "uid": "s1"}, "spec": {"type": type_}}),
        ))
    };
    let mut picture = picture();
    picture.take(seen(service("ClusterIP")), at(NOW));
    assert_eq!((picture.objects(), picture.conditions()), (0, 0));
    picture.take(seen(service("LoadBalancer")), at(NOW));
    assert_eq!((picture.objects(), picture.conditions()), (1, 1));
    picture.take(Observation::Listing(Kind::Service, Scope::Cluster), at(NOW));
    picture.take(Observation::Listed(Kind::Service, Scope::Cluster), at(NOW));
    assert_eq!((picture.objects(), picture.conditions()), (0, 0), "it vanished");
}

#[test]
fn a_namespace_counts_by_its_own_name() {
    let config: ForwarderConfig = serde_json::from_value(json!({"namespaces": {"exclude": ["sh*"]}})).unwrap();
    let terminating = || {
        seen(Object::Namespace(view(
            json!({"metadata": {"name": "shop", "deletionTimestamp": "2026-01-01T09:00:00Z"}}),
        )))
    };
    assert_eq!(Picture::new("production", config).take(terminating(), at(NOW)), []);
    let signals = picture().take(terminating(), at(NOW));
    assert_eq!(brief(&signals), [("NamespaceStuckTerminating", Firing)]);
    assert_eq!(signals[0].labels.get("namespace"), Some("shop"));
}

/// By the labels of the alert that kube-prometheus has of the same, it is about the same object.
#[test]
fn a_signal_names_its_object_as_the_alert_of_prometheus_does() {
    let metadata = || json!({"name": "cart", "namespace": "shop"});
    let limited = json!([{"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}]);
    let objects = [
        Object::Autoscaler(view(
            json!({"metadata": metadata(), "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "till"}},
            "status": {"conditions": limited}}),
        )),
        Object::Volume(view(json!({"metadata": {"name": "pv-1"}, "status": {"phase": "Failed"}}))),
        Object::Claim(view(json!({"metadata": metadata(), "status": {"phase": "Lost"}}))),
        failed_job("import", "2026-01-01T09:01:00Z"),
        broken("u1"),
    ];
    let subjects = objects.map(|object| {
        let mut picture = picture();
        let mut signals = picture.take(seen(object), at(NOW));
        signals.append(&mut picture.due(at("2026-01-01T11:00:00Z")));
        let signal = signals.remove(0);
        // What the alert has: its own labels, of which owners are none.
        let own =
            ["horizontalpodautoscaler", "persistentvolume", "persistentvolumeclaim", "job_name", "pod", "namespace"];
        let alert = own.iter().filter_map(|label| Some((*label, signal.labels.get(label)?))).collect();
        assert_eq!(marple_core::subject::subject("KubeAlert", &alert), signal.subject);
        signal.subject.unwrap().to_string()
    });
    assert_eq!(
        subjects,
        [
            "HorizontalPodAutoscaler shop/cart",
            "PersistentVolume pv-1",
            "PersistentVolumeClaim shop/cart",
            "Job shop/import",
            "Pod shop/cart-1"
        ]
    );
}

#[test]
fn an_autoscaler_names_the_workload_that_it_scales() {
    let failing = json!([{"type": "AbleToScale", "status": "False", "reason": "FailedGetScale",
        "lastTransitionTime": "2026-01-01T09:00:00Z"}]);
    let autoscaler = Object::Autoscaler(view(json!({"metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "till"}}, "status": {"conditions": failing}})));
    let signals = picture().take(seen(autoscaler), at(NOW));
    let label = |name: &str| signals[0].labels.get(name);
    assert_eq!((label("horizontalpodautoscaler"), label("deployment")), (Some("cart"), Some("till")));
}

#[test]
fn custom_resources_of_one_name_in_two_groups_are_two() {
    let of = |group: &str| {
        let resource = serde_json::from_value(json!({"group": group, "kind": "Service"})).unwrap();
        let view = view(json!({"metadata": {"name": "cart", "namespace": "shop"}, "status": {"conditions": [
            {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T09:00:00Z"}]}}));
        seen(Object::Custom(std::sync::Arc::new(resource), view))
    };
    let mut picture = picture();
    let here = picture.take(of("serving.knative.dev"), at(NOW));
    let there = picture.take(of("example.com"), at(NOW));
    assert_eq!(brief(&here), [("CustomResourceFailing", Firing)]);
    assert_eq!(brief(&there), [("CustomResourceFailing", Firing)]);
    assert_ne!(here[0].fingerprint, there[0].fingerprint);
}
