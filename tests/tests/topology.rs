//! What hangs together with what, on a real cluster: the same as the API server tells, and known of what is gone.
//!
//! Needs `MARPLE_TEST_CONTEXT`, the name of a kubeconfig context; without it each test says so and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use marple_core::{Labels, ObjectRef, Tie};
use marple_forwarder::topology::Batch;
use marple_forwarder::{Atlas, Deliver, DeliverError, Forwarder, ForwarderConfig};
use marple_runner::clock::Clock;
use marple_runner::correlate::{ClusterOwners, Known, KnownOwners, NoOwners, Owners as _, Related};
use marple_runner::store::{SqliteStore, Topology as _};
use marple_tests::cluster::{Namespace, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::program::Program;
use marple_tests::webhook::webhook;
use marple_tools::kubernetes::Cluster;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// The longest that pods may take to be there, and to be told of.
const TOLD_WITHIN: Duration = Duration::from_mins(1);

/// A pod of each way to come by one, a ConfigMap that two workloads share, and what selects pods.
const OBJECTS: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { timeout: 5s }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart }
spec:
  replicas: 2
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: app, image: "localhost/pause:1", envFrom: [{ configMapRef: { name: settings } }] }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 0
      volumes: [{ name: files, configMap: { name: settings } }]
      containers: [{ name: app, image: "localhost/pause:1" }]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata: { labels: { app: agent } }
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: app, image: "localhost/pause:1" }] }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec:
  suspend: true
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec: { restartPolicy: Never, terminationGracePeriodSeconds: 0, containers: [{ name: app, image: "localhost/pause:1" }] }
---
apiVersion: v1
kind: Pod
metadata: { name: bare, labels: { app: bare } }
spec: { terminationGracePeriodSeconds: 0, containers: [{ name: app, image: "localhost/pause:1" }] }
---
apiVersion: v1
kind: Service
metadata: { name: cart }
spec: { selector: { app: cart }, ports: [{ port: 80 }] }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: cart }
spec: { maxUnavailable: 1, selector: { matchLabels: { app: cart } } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: all }
spec: { podSelector: {}, policyTypes: [Ingress], ingress: [{}] }
"#;

/// Keeps what is told in a store of its own.
struct Kept(SqliteStore);

#[async_trait::async_trait]
impl Atlas for Kept {
    async fn chart(&self, batch: Batch) -> Result<(), DeliverError> {
        let kept = self.0.chart(None, &batch, Timestamp::now()).await;
        kept.map_err(|error| DeliverError::Unreachable(error.into()))
    }
}

/// Signals are no matter here.
struct Nowhere;

#[async_trait::async_trait]
impl Deliver for Nowhere {
    async fn deliver(&self, _: Vec<marple_core::Signal>) -> Result<(), DeliverError> {
        Ok(())
    }
}

/// Makes a Job as `kubectl create job --from=cronjob/nightly` does.
async fn begin_job(namespace: &Namespace) -> Result<()> {
    let cron_job = namespace.api::<CronJob>().get("nightly").await?;
    let template = cron_job.spec.context("its spec")?.job_template.spec.context("its template")?;
    let owner = json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "controller": true,
        "uid": cron_job.metadata.uid}]);
    let job: Job =
        serde_json::from_value(json!({"metadata": {"name": "nightly-1", "ownerReferences": owner}, "spec": template}))?;
    namespace.api::<Job>().create(&PostParams::default(), &job).await?;
    Ok(())
}

/// The pods of the namespace, once there are so many and each has a node.
async fn placed(namespace: &Namespace, most: usize) -> Result<Vec<Pod>> {
    wait_for("the pods", TOLD_WITHIN, || async {
        let pods = namespace.api::<Pod>().list(&ListParams::default()).await.map_err(|error| error.to_string())?.items;
        let on_nodes = pods.iter().filter(|pod| pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some())).count();
        if on_nodes >= most { Ok(pods) } else { Err(format!("{on_nodes} of {most}")) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_nodes_and_dependents_are_those_that_the_api_server_tells() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("topology").await?;
    namespace.apply(OBJECTS).await?;
    begin_job(&namespace).await?;
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("marple.db")).await?;
    let config: ForwarderConfig = serde_json::from_value(json!({"namespaces": {"include": [namespace.name()]}}))?;
    let cancel = CancellationToken::new();
    let forwarder = Forwarder::new(cluster.client(), "test", config, Arc::new(Nowhere), None)
        .with_topology(Arc::new(Kept(store.clone())));
    let running = tokio::spawn(forwarder.run(cancel.clone()));

    let nodes = cluster_nodes(&namespace).await?;
    let pods = placed(&namespace, 5 + nodes).await?;
    let of = |kind: &str, name: &str| ObjectRef::namespaced(kind, namespace.name(), name);
    let mut objects: Vec<ObjectRef> = pods.iter().map(|pod| of("Pod", &pod.name_any())).collect();
    for set in namespace.api::<ReplicaSet>().list(&ListParams::default()).await? {
        objects.push(of("ReplicaSet", &set.name_any()));
    }
    let node = pods[0].spec.as_ref().and_then(|spec| spec.node_name.clone()).context("its node")?;
    objects.extend([
        of("Deployment", "cart"),
        of("StatefulSet", "db"),
        of("DaemonSet", "agent"),
        of("CronJob", "nightly"),
        of("Job", "nightly-1"),
        of("Service", "cart"),
        ObjectRef::cluster("Node", &node),
    ]);

    let asked = ClusterOwners::new(Cluster::new(cluster.client()));
    let known = KnownOwners::new(Arc::new(store.clone()), "test", Arc::new(NoOwners), Clock::system());
    wait_for("the topology to be that of the API server", TOLD_WITHIN, || async {
        let (asked, known) = (asked.related(&objects).await, known.related(&objects).await);
        let differ: Vec<_> =
            objects.iter().zip(asked.iter().zip(&known)).filter(|(_, (one, other))| one != other).collect();
        if differ.is_empty() { Ok(()) } else { Err(format!("{differ:#?}")) }
    })
    .await?;
    let tops: BTreeSet<String> = known
        .related(&objects)
        .await
        .into_iter()
        .flatten()
        .filter_map(|one| one.owner)
        .map(|owner| owner.kind)
        .collect();
    let wanted = ["CronJob", "DaemonSet", "Deployment", "Node", "Pod", "Service", "StatefulSet"];
    assert_eq!(tops, wanted.map(str::to_owned).into());

    let workloads = async |target: ObjectRef| -> Result<BTreeSet<String>> {
        let found = store.dependents("test", &target, 100).await?;
        Ok(found.into_iter().filter(|one| one.tie == Tie::Needs).map(|one| one.object.kind).collect())
    };
    let sharing = ["Deployment", "Pod", "StatefulSet"].map(str::to_owned).into();
    assert_eq!(workloads(of("ConfigMap", "settings")).await?, sharing);
    let on_node = store.dependents("test", &ObjectRef::cluster("Node", &node), 1_000).await?;
    let on_node: BTreeSet<String> = on_node.into_iter().map(|one| one.object.name).collect();
    let there = pods.iter().filter(|pod| pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()) == Some(&node));
    assert_eq!(on_node, there.map(kube::ResourceExt::name_any).collect());
    let labels: Labels = [("app", "cart")].into_iter().collect();
    let selecting = store.selecting("test", namespace.name(), &labels).await?;
    assert_eq!(selecting, [of("NetworkPolicy", "all"), of("PodDisruptionBudget", "cart"), of("Service", "cart")]);

    cancel.cancel();
    running.await??;
    Ok(())
}

/// How many pods the DaemonSet wants.
async fn cluster_nodes(namespace: &Namespace) -> Result<usize> {
    wait_for("the DaemonSet to count its nodes", TOLD_WITHIN, || async {
        let set = namespace.api::<DaemonSet>().get("agent").await.map_err(|error| error.to_string())?;
        let wanted = set.status.map_or(0, |status| status.desired_number_scheduled);
        usize::try_from(wanted).ok().filter(|wanted| *wanted > 0).ok_or_else(|| "none yet".to_owned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_of_a_pod_that_is_gone_finds_its_owner() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("topology-gone").await?;
    namespace.apply(OBJECTS).await?;
    let configuration = format!("cluster: {{ name: test, context: {}, discover: false }}", cluster.context());
    let mut program = Program::serve(&configuration, &[]).await?;
    let of_cart = |pod: &&Pod| pod.name_any().starts_with("cart-");
    let pods = placed(&namespace, 4).await?;
    let pod = pods.iter().find(of_cart).context("a pod of the Deployment")?.name_any();
    let path = format!("/api/topology?kind=Pod&namespace={}&name={pod}", namespace.name());
    let shown = async |fits: &dyn Fn(&Value) -> bool| {
        wait_for("the pod in the topology", TOLD_WITHIN, || async {
            let shown = program.get(&path).await.map_err(|error| format!("{error:#}"))?;
            if fits(&shown) { Ok(shown) } else { Err(format!("{shown:#}")) }
        })
        .await
    };
    shown(&|pod| pod["owners"][1]["name"] == "cart" && pod["links"]["node"].is_string()).await?;

    let none = Patch::Merge(json!({"spec": {"replicas": 0}}));
    namespace.api::<Deployment>().patch("cart", &PatchParams::default(), &none).await?;
    wait_for("the pod to go", TOLD_WITHIN, || async {
        let left = namespace.api::<Pod>().get_opt(&pod).await.map_err(|error| error.to_string())?;
        left.map_or(Ok(()), |_| Err("it is there".to_owned()))
    })
    .await?;
    let gone = shown(&|pod| pod["gone_at"].is_string()).await?;
    assert_eq!(gone["selected_by"].as_array().map(Vec::len), Some(3), "{gone:#}");
    let object = ObjectRef::namespaced("Pod", namespace.name(), &pod);
    let asked = ClusterOwners::new(Cluster::new(cluster.client())).related(&[object]).await;
    assert_eq!(asked, [Some(Related { owner: None, node: None, known: Known::Gone })], "the API server knows no more");

    let alert = json!({"status": "firing", "startsAt": Timestamp::now().to_string(), "endsAt": "0001-01-01T00:00:00Z",
        "labels": {"alertname": "Late", "namespace": namespace.name(), "pod": pod, "severity": "warning"}});
    assert!(program.post("/api/alerts", &webhook(&[alert])).await?.is_success());
    let incident = wait_for("the incident", TOLD_WITHIN, || async {
        let list = program.get("/api/incidents").await.map_err(|error| format!("{error:#}"))?;
        let late = list
            .as_array()
            .into_iter()
            .flatten()
            .find(|one| one["title"].as_str().is_some_and(|it| it.contains("Late")));
        late.cloned().ok_or_else(|| format!("{list:#}"))
    })
    .await?;
    let wanted = format!("Deployment {}/cart", namespace.name());
    assert!(incident["title"].as_str().is_some_and(|title| title.contains(&wanted)), "{incident:#}");
    // What was told outlives the program.
    program.kill().await?;
    program.start().await?;
    let again = program.get(&path).await?;
    assert_eq!(again["owners"], gone["owners"]);
    program.stop().await
}
