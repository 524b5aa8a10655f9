#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::watch::script::{Answer, answer, client, event, listed, open};
use crate::watch::stream::Watch;

fn groups(names: &[&str]) -> Value {
    let group = |name: &&str| {
        let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
        json!({"name": name, "versions": [version.clone()], "preferredVersion": version})
    };
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": names.iter().map(group).collect::<Vec<_>>()})
}

fn resources(namespaced: bool) -> Value {
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "cert-manager.io/v1", "resources": [
        {"name": "certificates", "singularName": "certificate", "namespaced": namespaced, "kind": "Certificate",
            "verbs": ["list", "watch"]}]})
}

fn certificate(name: &str, ready: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "resourceVersion": "3"},
        "status": {"conditions": [{"type": "Ready", "status": ready}]}})
}

/// What a watch of Certificates sees of this script, in short, until so much has been seen.
async fn sees(script: Vec<Answer>, count: usize) -> Vec<String> {
    let resource = serde_json::from_value(json!({"group": "cert-manager.io", "kind": "Certificate"})).unwrap();
    let (sender, mut observations) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let views = CustomViews::new(client(script), resource, Scope::Cluster);
    let watch = Watch::new(views, Scope::Cluster, sender, Duration::from_mins(5), cancel.clone());
    let running = tokio::spawn(watch.run());
    let mut seen = Vec::new();
    while seen.len() < count {
        seen.push(match observations.recv().await.expect("the watch ended") {
            Observation::Listing(..) => "listing".to_owned(),
            Observation::Seen(object, _) => format!("{} is", object.key()),
            Observation::Gone(key) => format!("{key} gone"),
            Observation::Listed(..) => "listed".to_owned(),
            Observation::Forbidden(..) => "forbidden".to_owned(),
        });
    }
    cancel.cancel();
    running.await.unwrap();
    seen
}

#[tokio::test(start_paused = true)]
async fn the_api_server_tells_version_and_resource_of_a_kind() {
    let script = vec![
        answer("/apis", 200, vec![groups(&["apps", "cert-manager.io"])]),
        answer("/apis/cert-manager.io/v1", 200, vec![resources(true)]),
        open(
            "/apis/cert-manager.io/v1/certificates? sendInitialEvents=true",
            vec![event("ADDED", certificate("tls", "False")), listed(5), event("DELETED", certificate("tls", "False"))],
        ),
    ];
    assert_eq!(sees(script, 4).await, ["listing", "Certificate shop/tls is", "listed", "Certificate shop/tls gone"]);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_is_not_installed_is_told_and_looked_for_again_slowly() {
    let start = tokio::time::Instant::now();
    let script = vec![
        answer("/apis", 200, vec![groups(&["apps"])]),
        answer("/apis", 200, vec![groups(&["cert-manager.io"])]),
        answer("/apis/cert-manager.io/v1", 200, vec![resources(false)]),
        answer("/apis", 200, vec![groups(&["cert-manager.io"])]),
        answer("/apis/cert-manager.io/v1", 200, vec![resources(true)]),
        open("/apis/cert-manager.io/v1/certificates?", vec![listed(5)]),
    ];
    assert_eq!(sees(script, 4).await, ["forbidden", "forbidden", "listing", "listed"]);
    assert_eq!(start.elapsed().as_secs(), 600);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_was_removed_is_asked_for_anew() {
    let gone = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404});
    let script = vec![
        answer("/apis", 200, vec![groups(&["cert-manager.io"])]),
        answer("/apis/cert-manager.io/v1", 200, vec![resources(true)]),
        answer("sendInitialEvents=true", 200, vec![listed(5)]),
        answer("watch=true resourceVersion=5", 404, vec![gone]),
        answer("/apis", 200, vec![groups(&["cert-manager.io"])]),
        answer("/apis/cert-manager.io/v1", 200, vec![resources(true)]),
        open("sendInitialEvents=true", vec![listed(9)]),
    ];
    assert_eq!(sees(script, 5).await, ["listing", "listed", "forbidden", "listing", "listed"]);
}

#[test]
fn what_is_missing_is_told_by_the_definition_until_it_was_found_and_by_the_permission_from_then_on() {
    let resource = serde_json::from_value(json!({"group": "cert-manager.io", "kind": "Certificate"})).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    let views = CustomViews::new(client(Vec::new()), resource, Scope::Cluster);
    assert_eq!(
        views.missing(&Scope::Cluster).unwrap(),
        "Certificate of forwarder.custom can't be watched: the API server has none in group cert-manager.io that is in \
         namespaces; is its definition installed?"
    );
    views.asked.plural.set("certificates".to_owned()).unwrap();
    assert!(
        views
            .missing(&Scope::Cluster)
            .unwrap()
            .contains("apiGroups: [\"cert-manager.io\"], resources: [\"certificates\"]")
    );
}
