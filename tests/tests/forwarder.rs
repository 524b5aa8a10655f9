//! The forwarder on a real cluster: each fault is told within seconds, about the right object, and resolved at its end.
//!
//! Needs `MARPLE_TEST_CONTEXT`, the name of a kubeconfig context; without it each test says so and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Pod, ResourceQuota};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::config::KubeConfigOptions;
use kube::{Api, Client, Config};
use marple_core::{Fingerprint, ObjectRef, Period, Signal, SignalStatus};
use marple_forwarder::{Deliver, DeliverError, Forwarder, ForwarderConfig, Known, KnownError};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The longest that a fault may take to show and be told, image pulls and back-off included.
const PATIENCE: Duration = Duration::from_secs(90);

/// The name that forwarders give the cluster.
const CLUSTER: &str = "test";

/// What was delivered, in order, with when.
#[derive(Default)]
struct Inbox {
    signals: Mutex<Vec<(Signal, Timestamp)>>,
    came: Notify,
}

#[async_trait::async_trait]
impl Deliver for Inbox {
    async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError> {
        let now = Timestamp::now();
        self.signals.lock().unwrap().extend(signals.into_iter().map(|signal| (signal, now)));
        self.came.notify_waiters();
        Ok(())
    }
}

impl Inbox {
    /// Waits for a signal of this name, about this object, in this state.
    async fn wait(&self, name: &str, subject: &str, status: SignalStatus) -> (Signal, Timestamp) {
        let fits = |signal: &Signal| {
            signal.name == name
                && signal.status == status
                && signal.subject.as_ref().is_some_and(|object| object.to_string().starts_with(subject))
        };
        let found = async {
            loop {
                let came = self.came.notified();
                let found = self.signals.lock().unwrap().iter().find(|(signal, _)| fits(signal)).cloned();
                match found {
                    Some(found) => return found,
                    None => came.await,
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await.ok();
        found.unwrap_or_else(|| panic!("no {status:?} {name} of {subject}; came: {:#?}", self.headlines()))
    }

    fn headlines(&self) -> Vec<String> {
        let signals = self.signals.lock().unwrap();
        signals
            .iter()
            .map(|(signal, _)| format!("{:?} {}: {}", signal.status, signal.name, signal.headline()))
            .collect()
    }

    /// What is left firing, as a runner would hold it.
    fn firing(&self) -> Vec<Signal> {
        let mut last = std::collections::BTreeMap::new();
        for (signal, _) in self.signals.lock().unwrap().iter() {
            last.insert(signal.fingerprint, signal.clone());
        }
        last.into_values().filter(|signal| signal.status == SignalStatus::Firing).collect()
    }
}

#[async_trait::async_trait]
impl Known for Inbox {
    async fn firing(&self) -> Result<Vec<Signal>, KnownError> {
        Ok(Self::firing(self))
    }
}

/// A namespace with a forwarder that watches it.
struct Stage {
    client: Client,
    namespace: String,
    inbox: Arc<Inbox>,
    cancel: CancellationToken,
    running: JoinHandle<()>,
}

impl Stage {
    async fn open(name: &str) -> Option<Self> {
        let Ok(context) = std::env::var("MARPLE_TEST_CONTEXT") else {
            eprintln!("MARPLE_TEST_CONTEXT is not set: {name} is not tried");
            return None;
        };
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = connect(context, None).await;
        let namespace = format!("forward-{name}-{}", Timestamp::now().as_millisecond() % 1_000_000);
        let body = serde_json::from_value(json!({"metadata": {"name": namespace}})).unwrap();
        Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &body).await.unwrap();
        let inbox = Arc::new(Inbox::default());
        let (cancel, running) = run(&client, &namespace, &inbox);
        Some(Self { client, namespace, inbox, cancel, running })
    }

    async fn create<K>(&self, object: Value) -> K
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + serde::de::DeserializeOwned
            + serde::Serialize
            + Clone
            + std::fmt::Debug,
    {
        let object = serde_json::from_value(object).unwrap();
        let api = Api::<K>::namespaced(self.client.clone(), &self.namespace);
        // A new namespace has no service account for a moment, without which pods are refused.
        let deadline = Instant::now() + PATIENCE;
        loop {
            match api.create(&PostParams::default(), &object).await {
                Ok(made) => return made,
                Err(kube::Error::Api(status)) if status.code == 403 && Instant::now() < deadline => {
                    tokio::task::yield_now().await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn delete_pod(&self, name: &str) {
        let pods = Api::<Pod>::namespaced(self.client.clone(), &self.namespace);
        pods.delete(name, &DeleteParams::default().grace_period(0)).await.unwrap();
    }

    async fn firing(&self, name: &str, subject: &str) -> Signal {
        let subject = self.subject(subject);
        let (signal, at) = self.inbox.wait(name, &subject, SignalStatus::Firing).await;
        eprintln!("{name} {subject}: {:?} after its start; {}", at.duration_since(signal.starts_at), signal.headline());
        signal
    }

    async fn resolved(&self, name: &str, subject: &str) -> Signal {
        self.inbox.wait(name, &self.subject(subject), SignalStatus::Resolved).await.0
    }

    /// `Pod cart` as `Pod <namespace>/cart`.
    fn subject(&self, subject: &str) -> String {
        let (kind, name) = subject.split_once(' ').unwrap();
        format!("{kind} {}/{name}", self.namespace)
    }

    async fn close(self) {
        self.cancel.cancel();
        self.running.await.unwrap();
        let namespaces = Api::<Namespace>::all(self.client.clone());
        namespaces.delete(&self.namespace, &DeleteParams::default()).await.unwrap();
    }
}

/// A client of this context, on behalf of `user` where one is given.
async fn connect(context: String, user: Option<String>) -> Client {
    let options = KubeConfigOptions { context: Some(context), ..KubeConfigOptions::default() };
    let mut config = Config::from_kubeconfig(&options).await.unwrap();
    config.auth_info.impersonate = user;
    Client::try_from(config).unwrap()
}

fn run(client: &Client, namespace: &str, inbox: &Arc<Inbox>) -> (CancellationToken, JoinHandle<()>) {
    let mut config: ForwarderConfig =
        serde_json::from_value(json!({"namespaces": {"include": [namespace]}, "conditions": {}})).unwrap();
    config.conditions.unschedulable.hold = Period::seconds(1);
    let cancel = CancellationToken::new();
    let forwarder = Forwarder::new(client.clone(), CLUSTER, config, inbox.clone(), Some(inbox.clone()));
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { forwarder.run(cancel).await.unwrap() }
    });
    (cancel, running)
}

fn pod(name: &str, container: &Value) -> Value {
    json!({"metadata": {"name": name}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}})
}

#[tokio::test]
async fn a_crash_loop_is_told_of_its_deployments_pod_and_ends_with_the_pod() {
    let Some(stage) = Stage::open("crash").await else { return };
    let labels = json!({"app": "cart"});
    let _: Deployment = stage
        .create(json!({"metadata": {"name": "cart"}, "spec": {"selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": "localhost/busybox:1", "command": ["sh", "-c", "echo no; exit 3"]}]}}}}))
        .await;
    let signal = stage.firing("PodCrashLooping", "Pod cart-").await;
    assert_eq!(signal.labels.get("deployment"), Some("cart"));
    assert_eq!(signal.labels.get("container"), Some("app"));
    assert!(signal.headline().contains("exit code 3 (Error)"), "{}", signal.headline());
    let deployments = Api::<Deployment>::namespaced(stage.client.clone(), &stage.namespace);
    let none = json!({"spec": {"replicas": 0}});
    deployments.patch("cart", &PatchParams::default(), &Patch::Merge(&none)).await.unwrap();
    let ended = stage.resolved("PodCrashLooping", "Pod cart-").await;
    assert_eq!((ended.fingerprint, ended.starts_at), (signal.fingerprint, signal.starts_at));
    stage.close().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_told_and_ends_when_the_image_is_mended() {
    let Some(stage) = Stage::open("image").await else { return };
    let _: Pod = stage.create(pod("cart", &json!({"name": "app", "image": "localhost:1/none:1"}))).await;
    let signal = stage.firing("PodImagePullFailing", "Pod cart").await;
    assert!(signal.headline().starts_with("Image localhost:1/none:1 of container app"), "{}", signal.headline());
    let mended = json!({"spec": {"containers": [{"name": "app", "image": "localhost/pause:1"}]}});
    let pods = Api::<Pod>::namespaced(stage.client.clone(), &stage.namespace);
    pods.patch("cart", &PatchParams::default(), &Patch::Strategic(&mended)).await.unwrap();
    stage.resolved("PodImagePullFailing", "Pod cart").await;
    stage.close().await;
}

#[tokio::test]
async fn a_container_over_its_memory_limit_is_told() {
    let Some(stage) = Stage::open("memory").await else { return };
    let container = json!({"name": "app", "image": "localhost/workload:1", "env": [{"name": "LEAK", "value": "64"}],
        "resources": {"limits": {"memory": "48Mi"}}});
    let _: Pod = stage.create(pod("cart", &container)).await;
    let signal = stage.firing("PodOOMKilled", "Pod cart").await;
    assert!(signal.headline().contains("its limit is 48Mi"), "{}", signal.headline());
    stage.delete_pod("cart").await;
    stage.resolved("PodOOMKilled", "Pod cart").await;
    stage.close().await;
}

#[tokio::test]
async fn a_pod_that_fits_no_node_is_told_with_the_schedulers_words() {
    let Some(stage) = Stage::open("schedule").await else { return };
    let container = json!({"name": "app", "image": "localhost/pause:1", "resources": {"requests": {"cpu": "1000"}}});
    let _: Pod = stage.create(pod("cart", &container)).await;
    let signal = stage.firing("PodUnschedulable", "Pod cart").await;
    assert!(signal.headline().contains("Insufficient cpu"), "{}", signal.headline());
    stage.delete_pod("cart").await;
    stage.resolved("PodUnschedulable", "Pod cart").await;
    stage.close().await;
}

#[tokio::test]
async fn a_failed_job_is_told_and_ends_with_the_job() {
    let Some(stage) = Stage::open("job").await else { return };
    let _: Job = stage
        .create(json!({"metadata": {"name": "import"}, "spec": {"backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "app", "image": "localhost/busybox:1", "command": ["false"]}]}}}}))
        .await;
    let signal = stage.firing("JobFailed", "Job import").await;
    assert_eq!(signal.labels.get("job_name"), Some("import"));
    assert_eq!(signal.labels.get("reason"), Some("BackoffLimitExceeded"));
    let jobs = Api::<Job>::namespaced(stage.client.clone(), &stage.namespace);
    jobs.delete("import", &DeleteParams::background()).await.unwrap();
    stage.resolved("JobFailed", "Job import").await;
    stage.close().await;
}

#[tokio::test]
async fn a_quota_that_refuses_pods_is_told_of_the_deployment_and_ends_when_it_is_lifted() {
    let Some(stage) = Stage::open("quota").await else { return };
    let _: ResourceQuota = stage.create(json!({"metadata": {"name": "small"}, "spec": {"hard": {"pods": "0"}}})).await;
    // Admission counts once the quota's controller has taken it up.
    let quotas = Api::<ResourceQuota>::namespaced(stage.client.clone(), &stage.namespace);
    let counted =
        |quota: Option<&ResourceQuota>| quota.and_then(|quota| quota.status.as_ref()?.hard.as_ref()).is_some();
    let wait = kube::runtime::wait::await_condition(quotas.clone(), "small", counted);
    tokio::time::timeout(PATIENCE, wait).await.unwrap().unwrap();
    let labels = json!({"app": "cart"});
    let _: Deployment = stage
        .create(json!({"metadata": {"name": "cart"}, "spec": {"selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "localhost/pause:1"}]}}}}))
        .await;
    let signal = stage.firing("ReplicaCreationFailing", "Deployment cart").await;
    assert!(signal.headline().contains("exceeded quota: small"), "{}", signal.headline());
    quotas.delete("small", &DeleteParams::default()).await.unwrap();
    stage.resolved("ReplicaCreationFailing", "Deployment cart").await;
    stage.close().await;
}

#[tokio::test]
async fn what_ended_while_the_forwarder_was_down_is_resolved_and_what_did_not_is_not_told_again() {
    let Some(stage) = Stage::open("restart").await else { return };
    for name in ["cart", "till"] {
        let _: Pod = stage.create(pod(name, &json!({"name": "app", "image": "localhost:1/none:1"}))).await;
        stage.firing("PodImagePullFailing", &format!("Pod {name}")).await;
    }
    stage.cancel.cancel();
    stage.running.await.unwrap();
    let pods = Api::<Pod>::namespaced(stage.client.clone(), &stage.namespace);
    pods.delete("cart", &DeleteParams::default().grace_period(0)).await.unwrap();
    let told = stage.inbox.signals.lock().unwrap().len();
    let (cancel, running) = run(&stage.client, &stage.namespace, &stage.inbox);
    let stage = Stage { cancel, running, ..stage };
    stage.resolved("PodImagePullFailing", "Pod cart").await;
    assert_eq!(stage.inbox.headlines().len(), told + 1, "{:#?}", stage.inbox.headlines());
    stage.close().await;
}

#[tokio::test]
async fn two_forwarders_of_different_namespaces_leave_each_others_conditions_alone() {
    let Some(shop) = Stage::open("scope-shop").await else { return };
    let Some(till) = Stage::open("scope-till").await else { return };
    let _: Pod = shop.create(pod("cart", &json!({"name": "app", "image": "localhost:1/none:1"}))).await;
    let held = shop.firing("PodImagePullFailing", "Pod cart").await;
    // What the runner holds of both namespaces; of the second one the pod is gone.
    let ghost = ObjectRef::namespaced("Pod", &till.namespace, "ghost");
    let gone = Signal { subject: Some(ghost), fingerprint: Fingerprint::from_bits(1), ..held.clone() };
    shop.inbox.signals.lock().unwrap().push((gone, Timestamp::now()));
    let (cancel, running) = run(&till.client, &till.namespace, &shop.inbox);
    shop.inbox.wait("PodImagePullFailing", &till.subject("Pod ghost"), SignalStatus::Resolved).await;
    assert_eq!(shop.inbox.firing(), [held]);
    cancel.cancel();
    running.await.unwrap();
    till.close().await;
    shop.close().await;
}

#[tokio::test]
async fn without_permission_to_watch_pods_their_events_still_tell() {
    let Some(mut stage) = Stage::open("rbac").await else { return };
    let _: Role = stage
        .create(json!({"metadata": {"name": "events"}, "rules": [
            {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]}]}))
        .await;
    let _: RoleBinding = stage
        .create(json!({"metadata": {"name": "events"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "events"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": stage.namespace}]}))
        .await;
    stage.cancel.cancel();
    stage.running.await.unwrap();
    let limited = connect(std::env::var("MARPLE_TEST_CONTEXT").unwrap(), Some(stage.namespace.clone())).await;
    (stage.cancel, stage.running) = run(&limited, &stage.namespace, &stage.inbox);
    let crash = json!({"name": "app", "image": "localhost/busybox:1", "command": ["false"]});
    let _: Pod = stage.create(pod("cart", &crash)).await;
    let signal = stage.firing("PodCrashLooping", "Pod cart").await;
    assert_eq!(signal.labels.get("container"), Some("app"));
    assert_eq!(signal.labels.get("reason"), Some("BackOff"));
    stage.close().await;
}
