//! Conditions of what serves workloads: volumes, namespaces, Services, APIs, releases, custom resources.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::object::{Release, Revision};

#[test]
fn a_volume_that_could_not_be_reclaimed_names_its_claim() {
    let volume = |phase: &str| {
        Object::Volume(view(json!({"metadata": {"name": "pv-1"},
            "spec": {"claimRef": {"namespace": "shop", "name": "data"}},
            "status": {"phase": phase, "message": "no deleter", "lastPhaseTransitionTime": "2026-01-01T09:00:00Z"}})))
    };
    let seen = one(&volume("Failed"));
    assert_eq!(
        (seen.name, seen.stage, seen.since),
        ("PersistentVolumeFailed", AT_ONCE, Some(at("2026-01-01T09:00:00Z")))
    );
    assert_eq!(seen.summary, "PersistentVolume pv-1 of claim shop/data failed: no deleter");
    assert_eq!(see(&volume("Released")), []);
}

#[test]
fn a_namespace_that_is_not_deleted_tells_what_it_waits_for() {
    let namespace = |metadata: Value| {
        Object::Namespace(view(json!({"metadata": metadata, "status": {"phase": "Terminating", "conditions": [
            {"type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining"},
            {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "example.com/a in 1 resource instances"}]}})))
    };
    let seen = one(&namespace(json!({"name": "shop", "deletionTimestamp": "2026-01-01T09:00:00Z"})));
    assert_eq!((seen.name, seen.stage), ("NamespaceStuckTerminating", Stage::Holds(Duration::from_mins(10))));
    assert_eq!(
        seen.summary,
        "Namespace shop is being deleted since 2026-01-01T09:00:00Z: example.com/a in 1 resource instances"
    );
    assert_eq!(see(&namespace(json!({"name": "shop"}))), []);
}

#[test]
fn a_load_balancer_without_address_is_told_and_other_services_need_none() {
    let service = |type_: &str, ingress: Value| {
        Object::Service(view(json!({"metadata": {"name": "cart", "namespace": "shop"}, "spec": {"type": type_},
            "status": {"loadBalancer": {"ingress": ingress}}})))
    };
    let seen = one(&service("LoadBalancer", json!(null)));
    assert_eq!((seen.name, seen.stage), ("ServiceLoadBalancerPending", Stage::Holds(Duration::from_mins(5))));
    assert_eq!(see(&service("LoadBalancer", json!([{"hostname": "lb.example.com"}]))), []);
    assert_eq!(see(&service("ClusterIP", json!([]))), []);
}

#[test]
fn an_api_that_is_not_available_names_the_service_behind_it() {
    let api = |status: &str| {
        Object::ApiService(view(json!({"metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {"service": {"namespace": "kube-system", "name": "metrics-server"}},
            "status": {"conditions": [{"type": "Available", "status": status, "reason": "MissingEndpoints", "message": "no endpoints"}]}})))
    };
    let seen = one(&api("False"));
    assert_eq!((seen.name, seen.stage), ("APIServiceUnavailable", Stage::Holds(Duration::from_mins(5))));
    assert_eq!(
        seen.summary,
        "APIService v1beta1.metrics.k8s.io (Service kube-system/metrics-server) is not available: no endpoints"
    );
    assert_eq!(see(&api("True")), []);
}

fn release(status: &str) -> Object {
    let metadata = serde_json::from_value(json!({"name": "cart", "namespace": "shop"})).unwrap();
    let revision = Revision { status: status.into(), since: Some(at("2026-01-01T09:00:00Z")) };
    Object::Release(Box::new(Release { metadata, number: 3, revision }))
}

#[test]
fn a_failed_release_is_told_at_once_and_a_try_that_follows_does_not_end_it() {
    let seen = one(&release("failed"));
    assert_eq!((seen.name, seen.stage), ("HelmReleaseFailed", AT_ONCE));
    assert_eq!(seen.summary, "Revision 3 of HelmRelease shop/cart failed");
    let seen = see(&release("pending-upgrade"));
    let course: Vec<_> = seen.iter().map(|it| (it.name, it.stage)).collect();
    assert_eq!(
        course,
        [("HelmReleasePending", Stage::Holds(Duration::from_mins(15))), ("HelmReleaseFailed", Stage::Lingers)]
    );
    assert_eq!(see(&release("deployed")), []);
    assert_eq!(see(&release("a status of a later Helm")), []);
}

fn custom(settings: Value, conditions: Value) -> Object {
    let mut resource = json!({"group": "cert-manager.io", "kind": "Certificate"});
    for (name, value) in settings.as_object().unwrap() {
        resource[name] = value.clone();
    }
    let resource = serde_json::from_value(resource).unwrap();
    let metadata = json!({"name": "tls", "namespace": "shop"});
    Object::Custom(Arc::new(resource), view(json!({"metadata": metadata, "status": {"conditions": conditions}})))
}

#[test]
fn a_custom_resource_is_told_by_its_first_condition_that_says_so() {
    let conditions = json!([
        {"type": "Synced", "status": "False", "message": "later"},
        {"type": "Ready", "status": "False", "reason": "DoesNotExist", "message": "issuing"},
        {"type": "Issuing", "status": "False"},
    ]);
    let seen = one(&custom(json!({}), conditions.clone()));
    assert_eq!((seen.name, seen.stage), ("CustomResourceFailing", Stage::Holds(Duration::from_mins(5))));
    assert_eq!(seen.summary, "Certificate shop/tls says Ready False: issuing");
    assert_eq!(see(&custom(json!({}), json!([{"type": "Ready", "status": "True"}]))), []);
    let settings = json!({"conditions": ["Issuing"], "hold": "10s", "severity": "critical"});
    let seen = one(&custom(settings, conditions));
    assert_eq!((seen.severity, seen.stage), (marple_core::Severity::Critical, Stage::Holds(Duration::from_secs(10))));
    let degraded = json!([{"type": "Degraded", "status": "True"}]);
    assert_eq!(one(&custom(json!({"conditions": ["Degraded"], "when": "True"}), degraded)).reason, None);
}
