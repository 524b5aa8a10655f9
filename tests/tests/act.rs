//! Changes on a real API server: shown by its dry run, made only when a person approves, bound to what was shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{Patch, PatchParams};
use marple_tests::cluster::{Namespace, TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tools::act::{self, ActConfig};
use marple_tools::gate::{Approval, Approve, ApproveError, Gate, GateConfig, Request};
use marple_tools::kubernetes::Cluster;
use marple_tools::redact::{RedactConfig, Redactor};
use marple_tools::{CallOutcome, CallStatus, Look, MemoryEvidence, Toolbox};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Nothing of it ever runs: a pod that no node may have is enough to be changed.
const OBJECTS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart }
spec:
  replicas: 0
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec:
      containers: [{ name: app, image: "none.invalid/none:1", env: [{ name: DB_PASSWORD, value: hunter2-of-old }] }]
---
apiVersion: v1
kind: Pod
metadata: { name: alone }
spec:
  nodeSelector: { nowhere: "true" }
  containers: [{ name: app, image: "none.invalid/none:1" }]
"#;

/// What a person does when asked.
enum Person {
    Approves,
    Denies,
    /// Approves, but somebody else scales meanwhile.
    IsTooLate(Box<Api<Deployment>>),
}

struct Asked {
    person: Person,
    times: AtomicUsize,
    shown: std::sync::Mutex<String>,
}

#[async_trait]
impl Approve for Asked {
    async fn approve(&self, request: &Request) -> Result<Approval, ApproveError> {
        self.times.fetch_add(1, Ordering::SeqCst);
        *self.shown.lock().unwrap() = request.preview.clone().unwrap().diff;
        let by = "ann".to_owned();
        if let Person::IsTooLate(deployments) = &self.person {
            let scaled = json!({"spec": {"replicas": 2}});
            deployments.patch("cart", &PatchParams::default(), &Patch::Merge(scaled)).await.unwrap();
        }
        Ok(match &self.person {
            Person::Denies => Approval::Denied { by, why: None },
            Person::Approves | Person::IsTooLate(_) => Approval::Approved { by },
        })
    }
}

async fn call(cluster: &TestCluster, person: Person, tool: &str, arguments: Value) -> (CallOutcome, Arc<Asked>) {
    let config: ActConfig =
        serde_json::from_value(json!({"enabled": ["delete_pod", "restart", "scale", "patch"]})).unwrap();
    let gate = GateConfig { rules: config.rules().collect(), ..GateConfig::default() };
    let asked = Arc::new(Asked { person, times: AtomicUsize::new(0), shown: std::sync::Mutex::default() });
    let tools = act::tools(&config, Some(&Cluster::new(cluster.client()))).unwrap();
    let redact = Arc::new(Redactor::new(&RedactConfig::default()).unwrap());
    let toolbox = Toolbox::new(tools, Arc::new(MemoryEvidence::default()), redact, Duration::from_secs(20))
        .with_gate(Gate::new(gate))
        .with_approval(asked.clone());
    let look = Look { incident_start: None, now: jiff::Timestamp::now(), cancel: CancellationToken::new() };
    (toolbox.call(tool, arguments, &look).await, asked)
}

/// Waits until the controller has seen the Deployment as it is: what it notes of that is a change too.
async fn settled(namespace: &Namespace) -> Result<()> {
    wait_for("the controller", Duration::from_secs(30), || async {
        let cart = namespace.api::<Deployment>().get("cart").await.map_err(|error| error.to_string())?;
        let status = cart.status.unwrap_or_default();
        let seen = status.observed_generation == cart.metadata.generation;
        let told = status.conditions.is_some_and(|conditions| conditions.iter().any(|one| one.type_ == "Progressing"));
        if seen && told { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await
}

async fn replicas(namespace: &Namespace) -> Result<i32> {
    Ok(namespace.api::<Deployment>().get("cart").await?.spec.unwrap().replicas.unwrap())
}

#[tokio::test]
async fn a_change_is_made_when_it_is_approved_and_only_as_it_was_shown() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("policy-act").await?;
    namespace.apply(OBJECTS).await?;
    let to = |count: u32| json!({"kind": "deploy", "namespace": namespace.name(), "name": "cart", "replicas": count});

    let (denied, _) = call(&cluster, Person::Denies, "kubernetes_scale", to(1)).await;
    assert_eq!((denied.status, replicas(&namespace).await?), (CallStatus::Refused, 0), "{}", denied.text);

    let (done, asked) = call(&cluster, Person::Approves, "kubernetes_scale", to(1)).await;
    assert_eq!((done.status, replicas(&namespace).await?), (CallStatus::Ok, 1), "{}", done.text);
    assert!(asked.shown.lock().unwrap().contains("+  replicas: 1"));

    let (again, asked) = call(&cluster, Person::Approves, "kubernetes_scale", to(1)).await;
    assert!(again.text.contains("is so already, nothing would change"), "{}", again.text);
    assert_eq!(asked.times.load(Ordering::SeqCst), 0);

    let late = Person::IsTooLate(Box::new(namespace.api()));
    let (void, _) = call(&cluster, late, "kubernetes_scale", to(3)).await;
    assert_eq!((void.status, replicas(&namespace).await?), (CallStatus::Failed, 2), "{}", void.text);
    assert!(void.text.contains("has changed since it was shown"), "{}", void.text);
    Ok(())
}

#[tokio::test]
async fn restarts_patches_and_deletions_go_the_same_way() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("policy-act").await?;
    namespace.apply(OBJECTS).await?;
    let cart = json!({"kind": "Deployment", "namespace": namespace.name(), "name": "cart"});
    settled(&namespace).await?;
    let (restarted, _) = call(&cluster, Person::Approves, "kubernetes_restart", cart).await;
    assert_eq!(restarted.status, CallStatus::Ok, "{}", restarted.text);
    assert!(restarted.text.contains("kubectl.kubernetes.io/restartedAt"), "{}", restarted.text);

    let patch = |form: &str, patch: Value| json!({"kind": "Deployment", "namespace": namespace.name(), "name": "cart", "form": form, "patch": patch.to_string()});
    let container = json!({"name": "app", "env": [{"name": "DB_PASSWORD", "value": "hunter2-of-new"}]});
    let strategic = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    settled(&namespace).await?;
    let (patched, asked) = call(&cluster, Person::Approves, "kubernetes_patch", patch("strategic", strategic)).await;
    assert_eq!(patched.status, CallStatus::Ok, "{}", patched.text);
    let shown = asked.shown.lock().unwrap().clone();
    assert!(shown.contains("[redacted:password:") && !shown.contains("hunter2"), "{shown}");

    let operations = json!([{"op": "replace", "path": "/spec/nothing/paused", "value": true}]);
    let (missing, _) = call(&cluster, Person::Approves, "kubernetes_patch", patch("json", operations)).await;
    assert!(missing.status == CallStatus::Failed && missing.text.contains("does not fit"), "{}", missing.text);
    let operations = json!([{"op": "add", "path": "/spec/paused", "value": true}]);
    let (paused, _) = call(&cluster, Person::Approves, "kubernetes_patch", patch("json", operations)).await;
    assert_eq!(paused.status, CallStatus::Ok, "{}", paused.text);
    let applied = json!({"metadata": {"labels": {"team": "shop"}}});
    let (applied, _) = call(&cluster, Person::Approves, "kubernetes_patch", patch("apply", applied)).await;
    assert_eq!(applied.status, CallStatus::Ok, "{}", applied.text);
    let unknown = json!({"spec": {"replica": 3}});
    let (unknown, asked) = call(&cluster, Person::Approves, "kubernetes_patch", patch("merge", unknown)).await;
    assert!(unknown.text.contains("unknown field"), "{}", unknown.text);
    assert_eq!(asked.times.load(Ordering::SeqCst), 0);

    let pods: Api<Pod> = namespace.api();
    let alone = || json!({"namespace": namespace.name(), "name": "alone"});
    let (denied, asked) = call(&cluster, Person::Denies, "kubernetes_delete_pod", alone()).await;
    assert_eq!(denied.status, CallStatus::Refused);
    assert!(asked.shown.lock().unwrap().contains("Nothing makes another"));
    assert!(pods.get("alone").await?.metadata.deletion_timestamp.is_none());
    let (deleted, _) = call(&cluster, Person::Approves, "kubernetes_delete_pod", alone()).await;
    assert_eq!(deleted.status, CallStatus::Ok, "{}", deleted.text);
    assert!(pods.get_opt("alone").await?.is_none_or(|pod| pod.metadata.deletion_timestamp.is_some()));
    Ok(())
}
