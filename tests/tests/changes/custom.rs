//! Changes of a kind that the configuration names, and what is told of who deleted something.

use std::panic::AssertUnwindSafe;

use anyhow::Result;
use futures::FutureExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use marple_core::{Change, ChangeKind};
use marple_tests::cluster::{TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::program::Program;
use serde_json::{Value, json};

use crate::stage::{Stage, TOLD_WITHIN, WRITER};

/// Stands in the object, and must be told nowhere.
const TOKEN: &str = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";

/// Some of it may be long.
const LONG: usize = 300 << 10;

fn definition(group: &str) -> String {
    format!(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{ name: widgets.{group} }}
spec:
  group: {group}
  scope: Namespaced
  names: {{ plural: widgets, singular: widget, kind: Widget }}
  versions:
    - name: v1alpha1
      served: true
      storage: true
      subresources:
        status: {{}}
        scale: {{ specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas }}
      schema: {{ openAPIV3Schema: {{ type: object, x-kubernetes-preserve-unknown-fields: true }} }}"
    )
}

fn widget(group: &str) -> String {
    format!(
        "
apiVersion: {group}/v1alpha1
kind: Widget
metadata: {{ name: cart, labels: {{ tier: front }} }}
spec:
  size: 1
  replicas: 1
  heartbeat: first
  parts: [{{ name: wheel, count: 4 }}]
  parameters: [{{ name: api_token, value: {TOKEN} }}]
  blob: {}",
        "b".repeat(LONG)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_the_configuration_names_is_told_as_the_known_ones_and_what_goes_with_others_is_told_so()
-> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("changes-custom").await?;
    let group = format!("{}.example.com", namespace.name());
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client());
    let ended = AssertUnwindSafe(staged(&cluster, namespace, &group)).catch_unwind().await;
    definitions.delete(&format!("widgets.{group}"), &DeleteParams::default()).await?;
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

async fn staged(cluster: &TestCluster, namespace: marple_tests::cluster::Namespace, group: &str) -> Result<()> {
    namespace.apply(&definition(group)).await?;
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client());
    let served = kube::runtime::conditions::is_crd_established();
    let name = format!("widgets.{group}");
    tokio::time::timeout(TOLD_WITHIN, kube::runtime::wait::await_condition(definitions, &name, served)).await??;
    // A definition is served a moment after it says so.
    wait_for("the widget", TOLD_WITHIN, || async { namespace.apply(&widget(group)).await }).await?;
    let configuration = format!(
        "cluster: {{ name: test, context: {context}, discover: false }}\n\
         forwarder: {{ namespaces: {{ include: [{space}] }}, changes: {{ custom: [\
             {{ group: {group}, kind: Widget, ignore: [heartbeat] }}, {{ group: absent.example.com, kind: Gadget }}] }} }}",
        context = cluster.context(),
        space = namespace.name()
    );
    let program = Program::serve(&configuration, &[]).await?;
    let stage = Stage { cluster: cluster.clone(), namespace, program };
    stage.knows("Widget").await?;
    assert_eq!(stage.changes().await?, [], "what is there at the first list is no change");
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1alpha1", "Widget"));
    let widgets: Api<DynamicObject> = Api::namespaced_with(cluster.client(), stage.namespace.name(), &kind);
    altered(&stage, &widgets).await?;
    with_its_owner(&stage, &widgets, group).await?;
    with_its_namespace(&stage).await
}

/// Alters it as a person with an editor does.
async fn alter(widgets: &Api<DynamicObject>, patch: &Value) -> Result<()> {
    let parameters = PatchParams { field_manager: Some(WRITER.to_owned()), ..PatchParams::default() };
    widgets.patch("cart", &parameters, &Patch::Merge(patch)).await?;
    Ok(())
}

async fn altered(stage: &Stage, widgets: &Api<DynamicObject>) -> Result<()> {
    let noise =
        json!({"metadata": {"annotations": {"example.com/last-applied": "{}"}}, "spec": {"heartbeat": "second"}});
    alter(widgets, &noise).await?;
    let status = json!({"status": {"replicas": 1, "phase": "Ready"}});
    widgets.patch_status("cart", &PatchParams::default(), &Patch::Merge(status)).await?;
    let parts = json!([{"name": "wheel", "count": 3}]);
    alter(widgets, &json!({"metadata": {"labels": {"tier": "back"}}, "spec": {"size": 2, "parts": parts}})).await?;
    let change = stage.told("Widget", "cart", "size: 1 → 2").await?;
    let fields: Vec<String> = change.fields.iter().map(ToString::to_string).collect();
    assert_eq!(fields, ["labels.tier: front → back", "parts[wheel].count: 4 → 3", "size: 1 → 2"]);
    assert_eq!(
        (change.by.manager.as_deref(), change.kind, change.found_late),
        (Some(WRITER), ChangeKind::Altered, false)
    );

    // Scaled as `kubectl scale` does it.
    let parameters = PatchParams { field_manager: Some("kubectl".to_owned()), ..PatchParams::default() };
    widgets.patch_scale("cart", &parameters, &Patch::Merge(json!({"spec": {"replicas": 3}}))).await?;
    let scaled = stage.told("Widget", "cart", "replicas: 1 → 3").await?;
    assert_eq!((scaled.by.manager.as_deref(), scaled.by.autoscaler), (Some("kubectl"), false));

    let secret = json!([{"name": "api_token", "value": TOKEN.replace("R8", "R9")}]);
    alter(widgets, &json!({"spec": {"parameters": secret, "blob": "c".repeat(LONG)}})).await?;
    let change = wait_for("the long text", TOLD_WITHIN, || async {
        let changes = stage.changes().await.map_err(|error| error.to_string())?;
        let long = |change: &&Change| change.fields.iter().any(|field| field.path == "blob");
        changes.iter().find(long).cloned().ok_or(format!("{changes:#?}"))
    })
    .await?;
    let field = |path: &str| change.fields.iter().find(|field| field.path == path).map(ToString::to_string);
    let blob = field("blob").unwrap_or_default();
    assert!(blob.starts_with(&format!("blob: ({LONG} bytes, digest ")), "{blob}");
    let parameter = field("parameters[api_token].value").unwrap_or_default();
    assert!(!parameter.is_empty() && !parameter.contains("ghp_"), "{parameter}");
    let kept = stage.program.get("/api/changes/kept?cluster=test&kind=Widget").await?.to_string();
    assert!(!kept.contains("ghp_") && kept.len() < 20_000, "{} bytes are kept", kept.len());
    assert_eq!(stage.changes().await?.len(), 3, "status, what is left out and what tools note are none");
    Ok(())
}

/// The garbage collector deletes what belonged to it.
async fn with_its_owner(stage: &Stage, widgets: &Api<DynamicObject>, group: &str) -> Result<()> {
    let uid = widgets.get("cart").await?.metadata.uid.unwrap_or_default();
    let owner = json!([{"apiVersion": format!("{group}/v1alpha1"), "kind": "Widget", "name": "cart", "uid": uid}]);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "1"},
        "metadata": {"name": "of-cart", "ownerReferences": owner}});
    stage.namespace.apply(&map.to_string()).await?;
    stage
        .namespace
        .apply("{ apiVersion: v1, kind: ConfigMap, metadata: { name: alone }, data: { key: \"2\" } }")
        .await?;
    stage.told("ConfigMap", "of-cart", "data.key: set to 1").await?;
    stage.told("ConfigMap", "alone", "data.key: set to 2").await?;
    stage.api::<ConfigMap>().delete("alone", &DeleteParams::default()).await?;
    let alone = stage.told("ConfigMap", "alone", "data.key: removed, was 2").await?;
    assert_eq!((alone.kind, alone.by.circumstance), (ChangeKind::Deleted, None), "nothing is guessed");
    widgets.delete("cart", &DeleteParams::background()).await?;
    let gone = stage.told("ConfigMap", "of-cart", "data.key: removed, was 1").await?;
    let with = format!("with its owner Widget {}/cart", stage.namespace.name());
    assert_eq!((gone.kind, gone.by.circumstance), (ChangeKind::Deleted, Some(with)));
    Ok(())
}

/// The namespace controller deletes what was in it.
async fn with_its_namespace(stage: &Stage) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(stage.cluster.client());
    stage
        .namespace
        .apply("{ apiVersion: v1, kind: ConfigMap, metadata: { name: last }, data: { key: \"3\" } }")
        .await?;
    stage.told("ConfigMap", "last", "data.key: set to 3").await?;
    namespaces.delete(stage.namespace.name(), &DeleteParams::default()).await?;
    let gone = stage.told("ConfigMap", "last", "data.key: removed, was 3").await?;
    let with = format!("with its namespace {}", stage.namespace.name());
    assert_eq!((gone.kind, gone.by.circumstance), (ChangeKind::Deleted, Some(with)));
    Ok(())
}
