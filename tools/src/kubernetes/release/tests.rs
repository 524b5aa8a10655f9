#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::helm::unpack;

use crate::kubernetes::double::{Double, failure};

/// A revision as Helm stores it in a Secret's data.
fn packed(number: i64, status: &str, manifest: &str) -> String {
    let release = json!({
        "name": "cart", "namespace": "shop", "version": number, "manifest": manifest,
        "config": {"password": "correct-horse-battery"},
        "info": {"status": status, "description": "Upgrade complete", "last_deployed": "2026-01-02T03:00:00.123456789Z"},
        "chart": {"metadata": {"name": "cart", "version": "1.4.2", "appVersion": "7.1"}, "values": {"token": "hunter2"}},
    });
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(release.to_string().as_bytes()).unwrap();
    STANDARD.encode(STANDARD.encode(gzip.finish().unwrap()))
}

fn secret(number: i64, status: &str, manifest: &str) -> Value {
    json!({
        "metadata": {"namespace": "shop", "name": format!("sh.helm.release.v1.cart.v{number}"), "labels": {
            "owner": "helm", "name": "cart", "version": number.to_string(), "status": status, "modifiedAt": "1767322800"}},
        "type": "helm.sh/release.v1", "data": {"release": packed(number, status, manifest)},
    })
}

const OLD: &str = "---\n# Source: cart\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart}\nspec: {replicas: 2}\n---\n\
                   apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: correct-horse}\n---\n\
                   apiVersion: v1\nkind: Service\nmetadata: {name: cart}\n";
const NEW: &str = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, labels: {helm.sh/chart: cart-1.4.2}}\nspec: {replicas: 3}\n---\n\
                   apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: correct-horse-battery}\n---\n\
                   apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: new}}]\n";

#[tokio::test]
async fn a_helm_release_is_its_history_and_what_changed_without_a_value() {
    let double = Double::start().await;
    let list = json!({"kind": "SecretList", "items": [secret(1, "superseded", OLD), secret(2, "deployed", NEW)]});
    double.answer("/api/v1/namespaces/shop/secrets", 200, &list).await;
    let helm = double.cluster().helm("shop", "cart").await.unwrap().unwrap();
    let told: Vec<String> = helm
        .revisions
        .iter()
        .map(|one| format!("{} {} {} {} {}", one.number, one.status, one.chart, one.app_version, one.description))
        .collect();
    assert_eq!(told, ["2 deployed cart-1.4.2 7.1 Upgrade complete", "1 superseded cart-1.4.2 7.1 Upgrade complete"]);
    let [new, old] = helm.revisions.as_slice() else { panic!("two revisions") };
    let changed = new.changed_since(old).unwrap();
    assert_eq!(
        changed,
        [
            "ConfigMap new: added",
            "Deployment cart: spec.replicas: 2 → 3",
            "Secret db: stringData.password: 13 bytes → 21 bytes",
            "Service cart: removed",
        ]
    );
    for value in ["correct-horse", "hunter2"] {
        assert!(!format!("{helm:?}").contains(value), "{value} is in what was read");
    }
    assert_eq!(
        double.asked().await,
        ["/api/v1/namespaces/shop/secrets?limit=500&labelSelector=owner%3Dhelm%2Cname%3Dcart"]
    );
}

#[test]
fn what_is_no_revision_and_a_manifest_that_cannot_be_read_are_not_shown() {
    assert_eq!(unpack("!"), None);
    assert_eq!(unpack(&STANDARD.encode("bm90IGpzb24=")), None);
    let odd = unpack(&packed(3, "failed", "kind: Secret\nstringData: {a: [unclosed")).unwrap();
    let why = Err("its manifest is no YAML that can be read".to_owned());
    assert_eq!(odd.changed_since(&odd), why);
}

#[test]
fn a_revision_that_unpacks_to_more_than_fits_is_not_read() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..40 {
        gzip.write_all(&zeros).unwrap();
    }
    assert_eq!(unpack(&STANDARD.encode(STANDARD.encode(gzip.finish().unwrap()))), None);
}

/// An API server with Argo CD and Flux.
async fn delivering() -> Double {
    let double = Double::start().await;
    let group = |name: &str, kind: &str, plural: &str| {
        json!({"metadata": {"name": name}, "versions": [{"version": "v1", "resources": [{"resource": plural,
            "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": ["get", "list"]}]}]})
    };
    let groups = [
        group("argoproj.io", "Application", "applications"),
        group("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations"),
        group("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories"),
    ];
    double.answer_first("/apis", &json!({"kind": "APIGroupDiscoveryList", "items": groups})).await;
    let application = json!({"metadata": {"namespace": "argocd", "name": "shop"}, "spec": {"source": {"targetRevision": "main"}},
        "status": {"sync": {"status": "OutOfSync", "revision": "0123456789abcdef"}, "health": {"status": "Degraded"},
            "operationState": {"phase": "Failed", "message": "one or more objects failed to apply", "finishedAt": "2026-01-02T03:00:00Z"},
            "resources": [{"kind": "Deployment", "name": "cart", "status": "OutOfSync", "health": {"status": "Degraded", "message": "exceeded its progress deadline"}},
                {"kind": "Service", "name": "cart", "status": "Synced", "health": {"status": "Healthy"}}]}});
    let apps = json!({"kind": "ApplicationList", "items": [application]});
    double.answer("/apis/argoproj.io/v1/applications", 200, &apps).await;
    let kustomization = json!({"metadata": {"namespace": "flux-system", "name": "apps"}, "status": {
        "lastAppliedRevision": "main@sha1:aa", "lastAttemptedRevision": "main@sha1:bb", "conditions": [{"type": "Ready", "status": "False",
            "reason": "BuildFailed", "message": "kustomize build failed", "lastTransitionTime": "2026-01-02T03:00:00Z"}]}});
    let all = json!({"kind": "KustomizationList", "items": [kustomization]});
    double.answer("/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations", 200, &all).await;
    double
        .answer(
            "/apis/source.toolkit.fluxcd.io/v1/gitrepositories",
            403,
            &failure(403, "Forbidden", "User \"marple\" cannot"),
        )
        .await;
    double
}

#[tokio::test]
async fn what_argo_and_flux_say_of_themselves_is_told_and_what_is_refused_too() {
    let double = delivering().await;
    let heads = json!({"kind": "PartialObjectMetadataList", "items": [secret(1, "superseded", ""), secret(2, "pending-upgrade", "")]});
    double.answer("/api/v1/secrets", 200, &heads).await;
    let cluster = double.cluster();
    assert_eq!(cluster.delivers().await, Ok(()));
    let releases = cluster.releases(None).await.unwrap();
    let told: Vec<String> = releases
        .found
        .iter()
        .map(|one| {
            format!(
                "{} {}/{}: {} {} {}: {}",
                one.kind, one.namespace, one.name, one.well, one.state, one.revision, one.message
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "Application argocd/shop: false OutOfSync, Degraded, the last sync failed main@0123456789ab: one or more objects \
             failed to apply; Deployment cart: OutOfSync, Degraded, exceeded its progress deadline",
            "Kustomization flux-system/apps: false not ready, BuildFailed main@sha1:aa, attempted main@sha1:bb: kustomize build failed",
            "Helm release shop/cart: false pending-upgrade revision 2: ",
        ]
    );
    assert_eq!(releases.unseen.len(), 1);
    assert!(
        releases.unseen[0].starts_with("GitRepository objects could not be seen: not permitted"),
        "{:?}",
        releases.unseen
    );
}
