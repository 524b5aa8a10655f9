//! The change history on a real cluster: what somebody alters is told before and after, with who did it, also where nobody
//! watched.
//!
//! Needs `MARPLE_TEST_CONTEXT`, the name of a kubeconfig context; without it each test says so and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod custom;
mod revisions;
mod stage;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, ResourceQuota, Secret, Service};
use k8s_openapi::api::rbac::v1::Role;
use kube::api::DeleteParams;
use marple_core::{ChangeKind, Period};
use marple_forwarder::{Courier, Deliver, DeliverError, Forwarder, ForwarderConfig, HttpDeliver, RunnerEndpoint};
use marple_tests::cluster::wait_for;
use marple_tests::cluster_or_return;
use marple_tests::model::{KEY, MODEL, ModelDouble, Received, Reply};
use marple_tests::program::{Program, TOKEN};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use stage::{OBJECTS, Stage, TOLD_WITHIN, WRITER};

/// The longest that an investigation may take, group wait and capture included.
const INVESTIGATED_WITHIN: Duration = Duration::from_mins(1);

/// Stands in a Secret, and must be told nowhere.
const PASSWORD: &str = "correct-horse-battery-staple";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_change_is_told_before_and_after_with_who_made_it() -> Result<()> {
    let stage = Stage::open(cluster_or_return!(), "changes-kinds", "").await?;
    assert_eq!(stage.changes().await?, [], "what is there at the first list is no change");

    let container = json!([{"name": "app", "image": "localhost/pause:2"}]);
    stage.alter::<Deployment>("cart", json!({"spec": {"template": {"spec": {"containers": container}}}})).await?;
    stage.alter::<Deployment>("cart", json!({"spec": {"replicas": 0}})).await?;
    let data =
        json!({"timeout": "50ms", "app.yaml": "pool: 64\nretries: 3\n", "db_password": "second-value-of-a-secret"});
    stage.alter::<ConfigMap>("settings", json!({"data": data})).await?;
    stage
        .alter::<Secret>("credentials", json!({"stringData": {"password": format!("{PASSWORD}-2"), "token": PASSWORD}}))
        .await?;
    stage.alter::<Service>("cart", json!({"spec": {"selector": {"app": "kart"}}})).await?;
    stage
        .alter::<Role>("reader", json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}))
        .await?;
    stage.alter::<ResourceQuota>("team", json!({"spec": {"hard": {"pods": "2"}}})).await?;

    for (kind, name, field) in [
        ("Deployment", "cart", "containers[app].image: localhost/pause:1 → localhost/pause:2"),
        ("Deployment", "cart", "replicas: 1 → 0"),
        ("ConfigMap", "settings", "data.timeout: 5s → 50ms"),
        ("ConfigMap", "settings", "data.app.yaml line 1: pool: 8 → pool: 64"),
        ("Secret", "credentials", "data.token: set to (a value)"),
        ("Service", "cart", "selector.app: cart → kart"),
        ("Role", "reader", "rules[pods]: get,list → get"),
        ("ResourceQuota", "team", "hard.pods: 10 → 2"),
    ] {
        let change = stage.told(kind, name, field).await?;
        assert_eq!(change.by.manager.as_deref(), Some(WRITER), "{change:#?}");
        assert_eq!(
            (change.kind, change.found_late, change.by.autoscaler),
            (ChangeKind::Altered, false, false),
            "{change:#?}"
        );
        let delivered = (kind == "Deployment").then(|| "Helm release shop/cart".to_owned());
        assert_eq!(change.by.delivered_by, delivered, "{change:#?}");
    }

    stage.api::<ConfigMap>().delete("settings", &DeleteParams::default()).await?;
    let gone = stage.told("ConfigMap", "settings", "data.timeout: removed, was 50ms").await?;
    assert_eq!(gone.kind, ChangeKind::Deleted);

    // A rollout, its status, its ReplicaSets and pods and the endpoints behind the Service are no changes of their own.
    let changes = stage.changes().await?;
    let of = |kind: &str| changes.iter().filter(|change| change.object.kind == kind).count();
    assert_eq!((of("Deployment"), of("Service"), of("ResourceQuota"), of("ConfigMap")), (2, 1, 1, 2), "{changes:#?}");
    assert!(
        changes.iter().all(|change| !["Pod", "ReplicaSet", "EndpointSlice"].contains(&change.object.kind.as_str()))
    );
    no_secret_is_told(&stage).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_while_nothing_watched_is_found_at_the_next_start_and_told_once() -> Result<()> {
    let mut stage = Stage::open(cluster_or_return!(), "changes-down", "").await?;
    stage.program.kill().await?;
    stage.alter::<ConfigMap>("settings", json!({"data": {"timeout": "50ms", "db_password": null}})).await?;
    stage.api::<ResourceQuota>().delete("team", &DeleteParams::default()).await?;
    stage
        .namespace
        .apply("{ apiVersion: v1, kind: ConfigMap, metadata: { name: flags }, data: { fast: \"yes\" } }")
        .await?;
    stage.program.start().await?;

    let altered = stage.told("ConfigMap", "settings", "data.timeout: 5s → 50ms").await?;
    assert_eq!((altered.by.manager.as_deref(), altered.found_late), (Some(WRITER), true), "{altered:#?}");
    let gone = stage.told("ResourceQuota", "team", "hard.pods: removed, was 10").await?;
    assert_eq!((gone.kind, gone.found_late), (ChangeKind::Deleted, true));
    let made = stage.told("ConfigMap", "flags", "data.fast: set to yes").await?;
    assert_eq!((made.kind, made.by.manager.as_deref()), (ChangeKind::Created, Some("kubectl")));

    let told = stage.changes().await?;
    assert_eq!(told.len(), 3, "{told:#?}");
    stage.program.kill().await?;
    stage.program.start().await?;
    stage.alter::<Service>("cart", json!({"spec": {"selector": {"app": "kart"}}})).await?;
    stage.told("Service", "cart", "selector.app: cart → kart").await?;
    assert_eq!(stage.changes().await?.len(), 4, "none twice");
    no_secret_is_told(&stage).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forwarder_apart_delivers_with_its_token_and_shows_config_hashed_where_that_is_wanted() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("changes-apart").await?;
    namespace.apply(OBJECTS).await?;
    let configuration = "cluster: { name: test, enabled: false }\nforwarder: { enabled: false }";
    let program = Program::serve(configuration, &[]).await?;
    let token = Some(marple_core::Secret::new(TOKEN));
    let endpoint = RunnerEndpoint { url: program.url(""), token, timeout: Period::seconds(10) };
    let deliver = Arc::new(Courier::direct(HttpDeliver::new(&endpoint)?));
    let config: ForwarderConfig = serde_json::from_value(
        json!({"namespaces": {"include": [namespace.name()]}, "changes": {"config_maps": "hashed", "except": ["Service"]}}),
    )?;
    let cancel = CancellationToken::new();
    let forwarder = Forwarder::new(cluster.client(), "test", config, Arc::new(Nowhere), None).with_history(deliver);
    let running = tokio::spawn(forwarder.run(cancel.clone()));
    let stage = Stage { cluster, namespace, program };
    wait_for("the list of ConfigMaps", TOLD_WITHIN, || async {
        let kept = stage.program.get("/api/changes/kept?cluster=test&kind=ConfigMap").await;
        let kept = kept.map_err(|error| error.to_string())?;
        kept["listed_at"].is_string().then_some(()).ok_or(format!("{kept}"))
    })
    .await?;
    stage.alter::<Service>("cart", json!({"spec": {"selector": {"app": "kart"}}})).await?;
    stage.alter::<ConfigMap>("settings", json!({"data": {"timeout": "50ms"}})).await?;
    let change = wait_for("the change", TOLD_WITHIN, || async {
        let changes = stage.changes().await.map_err(|error| error.to_string())?;
        changes.first().cloned().ok_or_else(|| "none is told".to_owned())
    })
    .await?;
    let field = change.fields[0].to_string();
    assert!(field.starts_with("data.timeout: (2 bytes, digest ") && !field.contains("50ms"), "{field}");
    assert_eq!(stage.changes().await?.len(), 1, "Services are left alone");
    cancel.cancel();
    running.await??;
    no_secret_is_told(&stage).await
}

/// Signals are no matter here.
struct Nowhere;

#[async_trait::async_trait]
impl Deliver for Nowhere {
    async fn deliver(&self, _: Vec<marple_core::Signal>) -> Result<(), DeliverError> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_and_the_model_are_told_what_changed_before_an_alert() -> Result<()> {
    let cluster = cluster_or_return!();
    let model = ModelDouble::start([Reply::act(asking).forever()]).await?;
    let settings = format!(
        "investigation: {{ group_wait: 1s }}\nmodel: {{ url: \"{}\", name: {MODEL}, api_key: \"{KEY}\", context_window: 32000 }}",
        model.url
    );
    let mut stage = Stage::open(cluster, "changes-told", &settings).await?;
    // A tool that finds nothing recorded is tried again in a while; the next start finds what was recorded before.
    stage.program.stop().await?;
    stage.program.start().await?;
    stage.alter::<ConfigMap>("settings", json!({"data": {"timeout": "50ms"}})).await?;
    stage.told("ConfigMap", "settings", "data.timeout: 5s → 50ms").await?;
    let namespace = stage.namespace.name();
    let alert = json!({"status": "firing", "startsAt": jiff::Timestamp::now().to_string(), "endsAt": "0001-01-01T00:00:00Z",
        "labels": {"alertname": "HighErrorRate", "namespace": namespace, "deployment": "cart", "severity": "critical"},
        "annotations": {"summary": "many errors"}});
    let posted = stage.program.post("/api/alerts", &marple_tests::webhook::webhook(&[alert])).await?;
    assert!(posted.is_success());
    let conclusion = wait_for("the model's conclusion", INVESTIGATED_WITHIN, || async {
        let found = async {
            let list = stage.program.get("/api/incidents").await?;
            let id = list[0]["id"].as_str().unwrap_or_default().to_owned();
            stage.program.get(&format!("/api/incidents/{id}")).await
        };
        let incident = found.await.map_err(|error: anyhow::Error| format!("{error:#}"))?;
        let concluded = &incident["conclusion"];
        (concluded["by"] == "agent").then(|| incident.clone()).ok_or_else(|| format!("{incident:#}"))
    })
    .await?;
    model.assert_clean();
    let cause = &conclusion["conclusion"]["conclusion"]["cause"];
    assert_eq!(cause["object"]["name"], "settings", "{conclusion:#}");
    assert_eq!(cause["citations"][0]["verified"], true, "{conclusion:#}");
    let finding =
        conclusion["findings"].as_array().into_iter().flatten().find(|one| one["condition"] == "recent-change");
    let statement = finding.and_then(|one| one["statement"].as_str()).unwrap_or_default();
    assert!(
        statement.contains(&format!("was changed by {WRITER} at ")) && statement.contains("data.timeout: 5s -> 50ms"),
        "{conclusion:#}"
    );
    Ok(())
}

/// A model that asks what changed, and concludes with a quote of that.
fn asking(request: &Received) -> Vec<(String, Value)> {
    if request.answers() == 0 {
        let namespace = request.texts().find_map(|text| {
            let at = text.find("changes-told-")?;
            text[at..].split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').next()
        });
        let arguments = json!({"kind": "deploy", "name": "cart", "namespace": namespace});
        return vec![("recent_changes".to_owned(), arguments)];
    }
    let conclusion = json!({
        "verdict": "fault", "summary": "The timeout was cut to 50ms.",
        "cause": {"object": {"kind": "ConfigMap", "name": "settings"}, "category": "configuration",
            "statement": "The timeout was cut.", "citations": [request.cite("data.timeout: 5s → 50ms")]},
        "chain": [], "impact": "The shop.", "confidence": "high", "remedies": [], "ruled_out": [], "unseen": []});
    vec![("conclude".to_owned(), conclusion)]
}

/// Nothing of a Secret's values, or of a value that is one by its name, is in what is told or kept.
async fn no_secret_is_told(stage: &Stage) -> Result<()> {
    let mut texts = vec![serde_json::to_string(&stage.changes().await?)?];
    for kind in ["Secret", "ConfigMap"] {
        texts.push(stage.program.get(&format!("/api/changes/kept?cluster=test&kind={kind}")).await?.to_string());
    }
    let store = std::fs::read(stage.program.store())?;
    let log = std::fs::read(stage.program.store().with_extension("db-wal")).unwrap_or_default();
    for secret in [PASSWORD, "Y29ycmVjdC1ob3JzZS1", "first-value-of-a-secret", "second-value-of-a-secret"] {
        assert!(!texts.iter().any(|text| text.contains(secret)), "{secret} in {texts:#?}");
        for file in [&store, &log] {
            assert!(!file.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret} in the store");
        }
    }
    Ok(())
}
