//! Services, namespaces, APIs and custom resources.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use serde_json::json;

use crate::stage::{PATIENCE, Stage, and_then_clear, delete, patch, patch_status};

#[tokio::test]
async fn each_fault_of_services_apis_and_custom_resources_is_told_and_resolved() {
    let more = |namespace: &str| {
        json!({"custom": [{"group": format!("{namespace}.example.com"), "kind": "Widget", "hold": "1s",
            "severity": "critical"}]})
    };
    let Some(stage) = Stage::open_with("services", more).await else { return };
    tokio::join!(load_balancer(&stage), custom(&stage));
    // After them: while it is there, discovery is not whole.
    api(&stage).await;
    stage.close().await;
}

/// Nothing in the test cluster gives addresses; one is written as a cloud's controller does.
async fn load_balancer(stage: &Stage) {
    stage
        .apply("{ apiVersion: v1, kind: Service, metadata: { name: cart }, spec: { type: LoadBalancer, ports: [{ port: 80 }] } }")
        .await;
    let signal = stage.firing("ServiceLoadBalancerPending", "Service cart").await;
    assert_eq!(signal.labels.get("service"), Some("cart"));
    patch_status(&stage.api::<Service>(), "cart", json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}})).await;
    stage.resolved("ServiceLoadBalancerPending", "Service cart").await;
}

/// Its definition comes when the forwarder runs already.
async fn custom(stage: &Stage) {
    let group = format!("{}.example.com", stage.space.name());
    let definition = format!("widgets.{group}");
    stage
        .apply(&format!(
            "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{ name: {definition} }}
spec:
  group: {group}
  scope: Namespaced
  names: {{ plural: widgets, singular: widget, kind: Widget }}
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {{ openAPIV3Schema: {{ type: object, x-kubernetes-preserve-unknown-fields: true }} }}"
        ))
        .await;
    let definitions = stage.api_of_cluster::<CustomResourceDefinition>();
    let staged = async {
        let served = kube::runtime::conditions::is_crd_established();
        let wait = kube::runtime::wait::await_condition(definitions.clone(), &definition, served);
        tokio::time::timeout(PATIENCE, wait).await.unwrap().unwrap();
        let widget = |ready: &str| {
            format!(
                "
apiVersion: {group}/v1alpha1
kind: Widget
metadata: {{ name: cart }}
status: {{ conditions: [{{ type: Ready, status: '{ready}', reason: Written, message: no parts }}] }}"
            )
        };
        stage.apply(&widget("False")).await;
        let signal = stage.firing("CustomResourceFailing", "Widget cart").await;
        assert!(signal.headline().ends_with("says Ready False: no parts"), "{}", signal.headline());
        assert_eq!(signal.severity, marple_core::Severity::Critical);
        stage.apply(&widget("True")).await;
        stage.resolved("CustomResourceFailing", "Widget cart").await;
    };
    and_then_clear(staged, delete(&definitions, &definition)).await;
}

/// The Service that should answer is not there.
async fn api(stage: &Stage) {
    let name = format!("v1.{}.broken.example.com", stage.space.name());
    stage
        .apply(&format!(
            "
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {{ name: {name} }}
spec:
  group: {}.broken.example.com
  version: v1
  groupPriorityMinimum: 1
  versionPriority: 1
  insecureSkipTLSVerify: true
  service: {{ namespace: {}, name: none-such }}",
            stage.space.name(),
            stage.space.name(),
        ))
        .await;
    let subject = format!("APIService /{name}");
    let staged = async {
        let signal = stage.firing("APIServiceUnavailable", &subject).await;
        assert_eq!(signal.labels.get("reason"), Some("ServiceNotFound"));
    };
    and_then_clear(staged, delete(&stage.api_of_cluster::<APIService>(), &name)).await;
    stage.resolved("APIServiceUnavailable", &subject).await;
}

#[tokio::test]
async fn a_namespace_that_cannot_be_deleted_is_told_with_what_holds_it_and_ends_when_nothing_does() {
    let Some(stage) = Stage::open("namespace").await else { return };
    stage.apply("{ apiVersion: v1, kind: ConfigMap, metadata: { name: held, finalizers: [example.com/hold] } }").await;
    let namespaces = stage.api_of_cluster::<Namespace>();
    delete(&namespaces, stage.space.name()).await;
    let subject = format!("Namespace /{}", stage.space.name());
    let signal = stage.firing("NamespaceStuckTerminating", &subject).await;
    assert_eq!(signal.labels.get("namespace"), Some(stage.space.name()));
    patch(&stage.api::<ConfigMap>(), "held", json!({"metadata": {"finalizers": null}})).await;
    stage.resolved("NamespaceStuckTerminating", &subject).await;
    stage.close().await;
}
