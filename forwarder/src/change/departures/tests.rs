#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::ForwarderConfig;
use crate::change::{Family, Glimpse, History};
use crate::config::Scope;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn family(kind: &str) -> Arc<Family> {
    Family::named(kind).unwrap()
}

/// An object of namespace shop, with this uid; `more` goes over it.
fn object(name: &str, uid: &str, more: Value) -> Box<DynamicObject> {
    let mut object = json!({"metadata": {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": "1",
        "creationTimestamp": at(0)}});
    merge(&mut object, more);
    Box::new(serde_json::from_value(object).unwrap())
}

fn merge(into: &mut Value, more: Value) {
    match more {
        Value::Object(fields) => fields.into_iter().for_each(|(key, value)| merge(&mut into[key], value)),
        value => *into = value,
    }
}

fn owned_by(uid: &str) -> Value {
    json!({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Widget", "name": "w", "uid": uid}]}})
}

/// A cluster whose objects were listed.
struct Cluster(History);

impl Cluster {
    fn new() -> Self {
        Self(History::new("test", &ForwarderConfig::default()))
    }

    fn seen(&mut self, kind: &str, object: Box<DynamicObject>, second: i64) -> Vec<String> {
        self.take(Glimpse::Seen(family(kind), Scope::Cluster, object), second)
    }

    fn gone(&mut self, kind: &str, object: Box<DynamicObject>, second: i64) -> Vec<String> {
        self.take(Glimpse::Gone(family(kind), Scope::Cluster, object), second)
    }

    /// As `deleted by an unnamed writer (with its namespace shop)`.
    fn take(&mut self, glimpse: Glimpse, second: i64) -> Vec<String> {
        let batch = self.0.take(glimpse, at(second));
        let changes = batch.entries.into_iter().flat_map(|entry| entry.changes);
        changes.map(|change| format!("{} by {}", change.kind, change.by)).collect()
    }

    /// What is told of an object that is there and goes then.
    fn comes_and_goes(&mut self, kind: &str, object: Box<DynamicObject>, second: i64) -> Vec<String> {
        self.seen(kind, object.clone(), second - 1);
        self.gone(kind, object, second)
    }
}

const NOBODY: &str = "deleted by ";

#[test]
fn of_a_deletion_of_which_the_cluster_shows_nothing_nothing_is_told() {
    let mut cluster = Cluster::new();
    let map = object("a", "u1", owned_by("never seen"));
    assert_eq!(cluster.comes_and_goes("ConfigMap", map, 10), [NOBODY]);
}

#[test]
fn what_goes_with_its_owner_or_its_namespace_is_told_so() {
    for owner_is_gone in [true, false] {
        let mut cluster = Cluster::new();
        if owner_is_gone {
            // Deleted in the background: the owner goes first.
            cluster.comes_and_goes("ScaledObject", object("cart", "o1", json!({})), 9);
        } else {
            // In the foreground: it goes last.
            let going = json!({"metadata": {"deletionTimestamp": at(9), "finalizers": ["foregroundDeletion"]}});
            cluster.seen("ScaledObject", object("cart", "o1", going), 9);
        }
        let told = cluster.comes_and_goes("HorizontalPodAutoscaler", object("keda-hpa-cart", "u1", owned_by("o1")), 10);
        assert_eq!(told, ["deleted by an unnamed writer (with its owner ScaledObject shop/cart)"]);
    }
    let mut cluster = Cluster::new();
    let namespace = |more: Value| {
        let mut namespace = object("shop", "n1", more);
        namespace.metadata.namespace = None;
        namespace
    };
    cluster.seen("Namespace", namespace(json!({"metadata": {"deletionTimestamp": at(9)}})), 9);
    let told = cluster.comes_and_goes("ConfigMap", object("a", "u1", json!({})), 10);
    assert_eq!(told, ["deleted by an unnamed writer (with its namespace shop)"]);
    cluster.seen("Namespace", namespace(json!({"metadata": {"uid": "n2"}})), 20);
    assert_eq!(cluster.comes_and_goes("ConfigMap", object("a", "u2", json!({})), 30), [NOBODY], "it was made again");
}

#[test]
fn what_is_found_to_be_gone_with_its_namespace_is_told_so() {
    let mut cluster = Cluster::new();
    for kind in ["Namespace", "ConfigMap"] {
        cluster.take(Glimpse::Listing(family(kind), Scope::Cluster), 0);
        if kind == "ConfigMap" {
            cluster.seen(kind, object("a", "u1", json!({})), 0);
        }
        cluster.take(Glimpse::Listed(family(kind), Scope::Cluster), 0);
    }
    cluster.take(Glimpse::Listing(family("ConfigMap"), Scope::Cluster), 10);
    let told = cluster.take(Glimpse::Listed(family("ConfigMap"), Scope::Cluster), 10);
    assert_eq!(told, ["deleted by an unnamed writer (with its namespace shop)"]);
}

#[test]
fn a_job_that_goes_when_its_time_has_run_out_is_told_so_and_one_that_goes_before_is_not() {
    let job = || {
        let ended = json!({"type": "Complete", "status": "True", "lastTransitionTime": at(100)});
        object("import", "u1", json!({"spec": {"ttlSecondsAfterFinished": 60}, "status": {"conditions": [ended]}}))
    };
    let out = "deleted by an unnamed writer (as its ttlSecondsAfterFinished (60) had run out)";
    for (second, told) in [(130, NOBODY), (160, out), (162, out), (600, NOBODY)] {
        assert_eq!(Cluster::new().comes_and_goes("Job", job(), second), [told], "at {second}");
    }
}

#[test]
fn what_goes_while_the_tool_that_delivers_it_is_at_work_is_told_so() {
    let helm = |status: &str, second: i64| {
        let secret = json!({"metadata": {"labels": {"owner": "helm", "name": "cart", "version": "5", "status": status},
            "managedFields": [{"manager": "helm", "operation": "Update", "time": at(second), "fieldsV1": {}}]}});
        object("sh.helm.release.v1.cart.v5", "s5", secret)
    };
    let of_helm = || {
        let marks = json!({"meta.helm.sh/release-name": "cart", "meta.helm.sh/release-namespace": "shop"});
        object("a", "u1", json!({"metadata": {"annotations": marks}}))
    };
    let told = |what: &str| format!("deleted by an unnamed writer ({what}delivered by Helm release shop/cart)");
    for (status, second, what) in [
        ("pending-upgrade", 20, "while Helm release shop/cart was going to revision 5 (pending-upgrade); "),
        ("uninstalling", 20, "while Helm release shop/cart was being uninstalled; "),
        ("deployed", 12, "about when Helm release shop/cart went to revision 5 (deployed); "),
        ("deployed", 60, ""),
        ("pending-upgrade", 10_000, ""),
    ] {
        let mut cluster = Cluster::new();
        cluster.seen("Secret", helm(status, 9), 9);
        assert_eq!(cluster.comes_and_goes("ConfigMap", of_helm(), second), [told(what)], "{status} at {second}");
    }
    // A release that was uninstalled is not uninstalled for ever.
    let mut cluster = Cluster::new();
    cluster.comes_and_goes("Secret", helm("uninstalling", 9), 10);
    assert_eq!(cluster.comes_and_goes("ConfigMap", of_helm(), 60), [told("")]);

    let application = json!({"status": {"operationState": {"phase": "Running", "startedAt": at(9), "syncResult": {"revision": "abc"}}}});
    let marks = json!({"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "cart:/ConfigMap:shop/a"}}});
    let mut cluster = Cluster::new();
    cluster.seen("Application", object("cart", "p1", application), 9);
    assert_eq!(
        cluster.comes_and_goes("ConfigMap", object("a", "u1", marks), 12),
        [
            "deleted by an unnamed writer (while Argo CD application cart was being synced to revision abc; delivered by Argo CD \
          application cart)"
        ]
    );
}

#[test]
fn what_goes_while_flux_is_at_work_is_told_so_and_while_it_rests_nothing_is_told() {
    let kustomization = |reconciling: &str| {
        let condition = json!({"type": "Reconciling", "status": reconciling});
        object("apps", "k1", json!({"status": {"conditions": [condition]}}))
    };
    let marks = json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "shop"});
    let map = || object("a", "u1", json!({"metadata": {"labels": marks}}));
    let told = |what: &str| format!("deleted by an unnamed writer ({what}delivered by Flux Kustomization shop/apps)");
    let at_work = "while Flux Kustomization shop/apps was being reconciled; ";
    let mut cluster = Cluster::new();
    cluster.seen("Kustomization", kustomization("False"), 9);
    assert_eq!(cluster.comes_and_goes("ConfigMap", map(), 10), [told("")]);
    cluster.seen("Kustomization", kustomization("True"), 20);
    assert_eq!(cluster.comes_and_goes("ConfigMap", map(), 22), [told(at_work)]);
    cluster.seen("Kustomization", kustomization("False"), 30);
    assert_eq!(cluster.comes_and_goes("ConfigMap", map(), 35), [told(at_work)]);
    assert_eq!(cluster.comes_and_goes("ConfigMap", map(), 60), [told("")]);
}

#[test]
fn one_that_is_made_again_under_its_name_is_told_so() {
    let mut cluster = Cluster::new();
    cluster.comes_and_goes("ConfigMap", object("a", "u1", json!({})), 10);
    let again = |second: i64| object("a", "u2", json!({"metadata": {"creationTimestamp": at(second)}}));
    assert_eq!(
        cluster.seen("ConfigMap", again(12), 12),
        ["created by an unnamed writer (made again 2 s after it had gone)"]
    );
    cluster.gone("ConfigMap", again(12), 20);
    assert_eq!(cluster.seen("ConfigMap", again(600), 600), ["created by "], "long after");
}

#[test]
fn of_a_storm_of_deletions_the_newest_are_remembered() {
    let mut cluster = Cluster::new();
    for number in 0..3 * MOST {
        let uid = format!("u{number}");
        cluster.comes_and_goes("ConfigMap", object(&uid, &uid, json!({})), 10);
    }
    let Departures { going, gone, .. } = &cluster.0.departures;
    assert_eq!((going.entries.len(), going.order.len(), gone.entries.len()), (MOST, MOST, MOST));
    assert!(going.entries.contains_key(format!("u{}", 3 * MOST - 1).as_str()));
}
