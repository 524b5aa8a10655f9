//! Kinds of change that need objects of a cluster of its own: definitions that others would see, and pods that nothing runs.

use anyhow::Result;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use marple_core::ChangeKind;
use marple_tests::cluster::{TestCluster, wait_for};
use marple_tests::lone_server::LoneServer;
use serde_json::{Value, json};

use crate::stage::{Stage, TOLD_WITHIN, WRITER};

/// Stands in what Helm keeps of a release, and must be told nowhere.
const VALUES: &str = "values-with-a-password";

/// The definitions of what delivers others, as far as they matter here: of Flux the status is a resource of its own.
const DEFINITIONS: [(&str, &str, &str, &str, bool); 2] = [
    ("argoproj.io", "v1alpha1", "applications", "Application", false),
    ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization", true),
];

async fn define(cluster: &TestCluster) -> Result<()> {
    for (group, version, plural, kind, status) in DEFINITIONS {
        let subresources = if status { "{ status: {} }" } else { "{}" };
        let definition = format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{ name: {plural}.{group} }}\n\
             spec: {{ group: {group}, scope: Namespaced, names: {{ plural: {plural}, kind: {kind} }}, versions: [\
             {{ name: {version}, served: true, storage: true, subresources: {subresources}, \
             schema: {{ openAPIV3Schema: {{ type: object, x-kubernetes-preserve-unknown-fields: true }} }} }}] }}\n"
        );
        cluster.apply("", &definition).await?;
        let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client());
        let served = kube::runtime::conditions::is_crd_established();
        let name = format!("{plural}.{group}");
        tokio::time::timeout(TOLD_WITHIN, kube::runtime::wait::await_condition(definitions, &name, served)).await??;
    }
    Ok(())
}

async fn opened() -> Result<Option<(LoneServer, Stage)>> {
    if TestCluster::from_env().await?.is_none() {
        return Ok(None);
    }
    let server = LoneServer::start().await?;
    let cluster = server.cluster().await?;
    define(&cluster).await?;
    let stage = Stage::open(cluster, "revisions", "").await?;
    Ok(Some((server, stage)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn environment_resources_and_revisions_are_told_before_and_after() -> Result<()> {
    let Some((_server, stage)) = opened().await? else { return Ok(()) };
    workload(&stage).await?;
    release(&stage).await?;
    delivered(&stage).await
}

async fn workload(stage: &Stage) -> Result<()> {
    for (url, memory) in [("http://db", "64Mi"), ("http://db2", "32Mi")] {
        let container = json!([{"name": "app", "env": [{"name": "URL", "value": url}],
            "resources": {"limits": {"memory": memory}}}]);
        stage.alter::<Deployment>("cart", json!({"spec": {"template": {"spec": {"containers": container}}}})).await?;
    }
    for field in [
        "containers[app].env[URL].value: http://db → http://db2",
        "containers[app].resources.limits.memory: 64Mi → 32Mi",
    ] {
        let change = stage.told("Deployment", "cart", field).await?;
        assert_eq!((change.kind, change.by.manager.as_deref()), (ChangeKind::Altered, Some(WRITER)), "{change:#?}");
    }
    Ok(())
}

/// As Helm itself does it: a Secret each revision, whose labels tell of it.
async fn release(stage: &Stage) -> Result<()> {
    let secret = |version: u32, status: &str| {
        format!(
            "{{ apiVersion: v1, kind: Secret, type: helm.sh/release.v1, stringData: {{ release: {VALUES} }}, metadata: {{ \
             name: sh.helm.release.v1.cart.v{version}, labels: {{ owner: helm, name: cart, version: \"{version}\", status: {status} }} }} }}"
        )
    };
    stage.namespace.apply(&secret(1, "deployed")).await?;
    stage.told("HelmRelease", "cart", "revision: set to 1").await?;
    stage.namespace.apply(&secret(2, "pending-upgrade")).await?;
    let upgraded = stage.told("HelmRelease", "cart", "revision: 1 → 2").await?;
    assert_eq!(upgraded.kind, ChangeKind::Altered, "{upgraded:#?}");
    stage.namespace.apply(&secret(1, "superseded")).await?;
    stage.namespace.apply(&secret(2, "deployed")).await?;
    stage.told("HelmRelease", "cart", "status: pending-upgrade → deployed").await?;
    // That an old revision is superseded, and that it is dropped, is no change; nor are its values told.
    stage.api::<Secret>().delete("sh.helm.release.v1.cart.v1", &DeleteParams::default()).await?;
    stage.namespace.apply(&secret(3, "deployed")).await?;
    stage.told("HelmRelease", "cart", "revision: 2 → 3").await?;
    let changes = stage.changes().await?;
    let of_release = changes.iter().filter(|change| change.object.kind == "HelmRelease").count();
    assert_eq!(of_release, 4, "{changes:#?}");
    assert!(!format!("{changes:?}").contains(VALUES));
    Ok(())
}

async fn delivered(stage: &Stage) -> Result<()> {
    let revision = |kind: &str, revision: &str| match kind {
        "Application" => json!({"status": {"operationState": {"syncResult": {"revision": revision}}}}),
        _ => json!({"status": {"lastAppliedRevision": revision}}),
    };
    for (group, version, _, kind, status) in DEFINITIONS {
        let source = |path: &str| match kind {
            "Application" => json!({"spec": {"source": {"path": path}}}),
            _ => json!({"spec": {"path": path}}),
        };
        let first = json!({"apiVersion": format!("{group}/{version}"), "kind": kind, "metadata": {"name": "shop"},
            "spec": source("./one")["spec"]});
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = Api::namespaced_with(stage.cluster.client(), stage.namespace.name(), &resource);
        // A definition is served a moment after it says so.
        wait_for("the object", TOLD_WITHIN, || async { stage.namespace.apply(&first.to_string()).await }).await?;
        let parameters = PatchParams { field_manager: Some(WRITER.to_owned()), ..PatchParams::default() };
        let patch = async |value: Value| {
            let of_status = status && value.get("status").is_some();
            let patch = Patch::Merge(&value);
            if of_status {
                api.patch_status("shop", &parameters, &patch).await
            } else {
                api.patch("shop", &parameters, &patch).await
            }
        };
        patch(revision(kind, "main@sha1:aaa")).await?;
        patch(revision(kind, "main@sha1:bbb")).await?;
        patch(source("./two")).await?;
        let field = if kind == "Application" { "source.path" } else { "path" };
        stage.told(kind, "shop", "revision: main@sha1:aaa → main@sha1:bbb").await?;
        stage.told(kind, "shop", &format!("{field}: ./one → ./two")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_controller_owns_is_told_when_it_changes_and_goes() -> Result<()> {
    let Some((_server, stage)) = opened().await? else { return Ok(()) };
    let container = "containers: [{ name: app, image: \"localhost/pause:1\" }]";
    let template = format!("template: {{ metadata: {{ labels: {{ app: cart }} }}, spec: {{ {container} }} }}");
    stage
        .namespace
        .apply(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: lonely }}\nspec: {{ {container} }}\n---\n\
             apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {{ name: lonely }}\n\
             spec: {{ replicas: 1, selector: {{ matchLabels: {{ app: cart }} }}, {template} }}\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata: {{ name: owned, ownerReferences: [{{ apiVersion: apps/v1, kind: ReplicaSet, \
             name: lonely, uid: u, controller: true }}] }}\nspec: {{ {container} }}\n"
        ))
        .await?;
    let image = json!({"spec": {"containers": [{"name": "app", "image": "localhost/pause:2"}]}});
    stage.alter::<Pod>("owned", image.clone()).await?;
    stage.alter::<Pod>("lonely", image).await?;
    stage.alter::<ReplicaSet>("lonely", json!({"spec": {"replicas": 2}})).await?;
    stage.told("Pod", "lonely", "containers[app].image: localhost/pause:1 → localhost/pause:2").await?;
    stage.told("ReplicaSet", "lonely", "replicas: 1 → 2").await?;
    for name in ["owned", "lonely"] {
        stage.api::<Pod>().delete(name, &DeleteParams::default().grace_period(0)).await?;
    }
    stage.api::<ReplicaSet>().delete("lonely", &DeleteParams::default()).await?;
    let gone = stage.told("Pod", "lonely", "containers[app].image: removed, was localhost/pause:2").await?;
    assert_eq!(gone.kind, ChangeKind::Deleted);
    stage.told("ReplicaSet", "lonely", "replicas: removed, was 2").await?;
    let changes = stage.changes().await?;
    assert!(changes.iter().all(|change| change.object.name != "owned"), "{changes:#?}");
    Ok(())
}
