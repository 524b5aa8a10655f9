//! What Helm, Argo CD and Flux delivered, as each keeps it in the cluster.

use marple_tools::ToolError;
use serde_json::json;

use crate::space::Space;

/// A release of two revisions as Helm 3 stored them: base64 of gzip of JSON.
const RELEASE: &str = include_str!("helm.yaml");

#[tokio::test]
async fn a_helm_release_is_told_with_its_history_and_no_value_of_it() {
    let Some(space) = Space::raise("helm", RELEASE).await else { return };
    let space = space.with_all_tools().await;
    let list = space.call("kubernetes_releases", json!({"namespace": space.name})).await.unwrap().content;
    assert!(list.contains(&format!("Helm release {}/cart: deployed; revision 2", space.name)), "{list}");
    let one =
        space.call("kubernetes_releases", json!({"namespace": space.name, "name": "cart"})).await.unwrap().content;
    for words in [
        "2 deployed",
        "cart-1.4.2, app 7.1: Upgrade complete",
        "1 superseded",
        "Deployment cart: spec.template.spec.containers[app].image: cart:1 → cart:2",
        "Secret db: stringData.password: 13 bytes → 21 bytes",
    ] {
        assert!(one.contains(words), "{words:?} is not in\n{one}");
    }
    assert!(!one.contains("correct-horse") && !one.contains("hunter2"), "{one}");
    let blind = space.as_service_account("default").await.with_all_tools().await;
    assert!(
        !blind.tools().contains(&"kubernetes_releases".to_owned())
            || blind
                .call("kubernetes_releases", json!({"namespace": space.name}))
                .await
                .is_ok_and(|output| output.content.contains("could not be seen: not permitted"))
    );
}

/// Definitions of an application and a kustomization that take any status.
fn definitions() -> String {
    [("argoproj.io", "Application", "applications"), ("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations")]
        .map(|(group, kind, plural)| {
            let schema = "{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}";
            format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.{group}}}\n\
                 spec: {{group: {group}, scope: Namespaced, names: {{kind: {kind}, plural: {plural}}}, \
                 versions: [{{name: v1, served: true, storage: true, schema: {schema}}}]}}\n"
            )
        })
        .join("---\n")
}

const OBJECTS: &str = r#"
apiVersion: argoproj.io/v1
kind: Application
metadata: {name: shop}
spec: {source: {targetRevision: main}}
status:
  sync: {status: OutOfSync, revision: 0123456789abcdef}
  health: {status: Degraded}
  operationState: {phase: Failed, message: one or more objects failed to apply}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec: {suspend: true}
status:
  lastAppliedRevision: main@sha1:aa
  conditions: [{type: Ready, status: "False", reason: BuildFailed, message: kustomize build failed}]
"#;

#[tokio::test]
async fn applications_and_kustomizations_are_told_by_their_status() {
    let Some(space) = Space::raise("gitops", "").await else { return };
    let definitions = definitions();
    space.kubectl_with(&["apply", "-f", "-"], &definitions).await;
    for name in ["applications.argoproj.io", "kustomizations.kustomize.toolkit.fluxcd.io"] {
        space.wait(&format!("crd/{name}"), "", "condition=Established").await;
    }
    space.kubectl_with(&["apply", "-f", "-"], OBJECTS).await;
    let space = space.with_all_tools().await;
    let told = space.call("kubernetes_releases", json!({"namespace": space.name})).await;
    let missing = space.call("kubernetes_releases", json!({"namespace": space.name, "name": "other"})).await;
    space.kubectl_with(&["delete", "--wait=false", "-f", "-"], &definitions).await;
    let told = told.unwrap().content;
    for words in [
        format!("Application {}/shop: OutOfSync, Degraded, the last sync failed; main@0123456789ab", space.name),
        "one or more objects failed to apply".to_owned(),
        format!("Kustomization {}/apps: not ready, BuildFailed, SUSPENDED; main@sha1:aa", space.name),
    ] {
        assert!(told.contains(&words), "{words:?} is not in\n{told}");
    }
    assert!(matches!(missing, Err(ToolError::NotFound(text)) if text.contains("no release other")));
}
