//! What objects of the real cluster cost a reader who pays by the token, beside `kubectl`'s own views of them.
//!
//! Runs where `MARPLE_TEST_CONTEXT` names a context of the kubeconfig; `--nocapture` prints the table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use marple_agent::context::tokens;
use marple_tests::cluster::{TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tools::kubernetes::{Cluster, tools};
use marple_tools::{Look, Tool};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// One of each kind that on-call people look at; the first Deployment is well, the second crashes.
const OBJECTS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: app
        image: localhost/workload:1
        ports: [{name: http, containerPort: 8080}]
        resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}
        readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 2}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  replicas: 2
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: app, image: "localhost/workload:1", env: [{name: REQUIRE, value: DATABASE_URL}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: fast, level: info}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: absent, resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: import}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: "localhost/workload:1", env: [{name: REQUIRE, value: DATABASE_URL}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 4
  maxReplicas: 8
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 4, selector: {matchLabels: {app: web}}}
"#;

/// What each view must still say: the words on which the rules turn.
const FACTS: [(&str, &[&str]); 6] = [
    ("crashing Pod", &["DATABASE_URL", "78", "CrashLoopBackOff", "restart"]),
    ("PersistentVolumeClaim", &["Pending", "absent", "ProvisioningFailed"]),
    ("failed Job", &["BackoffLimitExceeded", "1 failed"]),
    ("Service", &["app=web", "http", "ready endpoints (4)"]),
    ("HorizontalPodAutoscaler", &["ScalingActive", "between 4 and 8"]),
    ("PodDisruptionBudget", &["none: a drain waits", "min available: 4"]),
];

fn kubectl(cluster: &TestCluster, arguments: &[&str]) -> Result<String> {
    let ended = Command::new("kubectl").args(["--context", cluster.context()]).args(arguments).output()?;
    anyhow::ensure!(ended.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(String::from_utf8(ended.stdout)?)
}

/// The view that a tool gives.
async fn view(tools: &[Arc<dyn Tool>], name: &str, kind: &str, object: &str, namespace: &str) -> Result<String> {
    let tool = tools.iter().find(|tool| tool.spec().name == name).context("the tool is there")?;
    let look = Look { incident_start: None, now: Timestamp::now(), cancel: CancellationToken::new() };
    let output = tool.call(json!({"kind": kind, "name": object, "namespace": namespace}), &look).await?;
    Ok(output.view.unwrap_or(output.content))
}

async fn first_pod(cluster: &TestCluster, namespace: &str, app: &str, shows: &str) -> Result<String> {
    let selector = format!("app={app}");
    wait_for(&format!("a pod of {app} that shows {shows}"), Duration::from_secs(90), || async {
        let pods = kubectl(cluster, &["get", "pods", "-n", namespace, "-l", &selector, "--no-headers"])
            .map_err(|error| error.to_string())?;
        let line = pods.lines().find(|line| line.contains(shows)).ok_or_else(|| pods.clone())?;
        Ok::<_, String>(line.split_whitespace().next().unwrap_or_default().to_owned())
    })
    .await
}

#[tokio::test]
async fn views_cost_at_most_a_third_of_what_kubectl_prints_and_keep_the_facts() -> Result<()> {
    let cluster = cluster_or_return!();
    let space = cluster.namespace("views").await?;
    space.apply(OBJECTS).await?;
    let namespace = space.name().to_owned();
    let well = first_pod(&cluster, &namespace, "web", "1/1").await?;
    for (what, object, says) in [
        ("the claim's event", "pvc/data", "ProvisioningFailed"),
        ("the Job's end", "job/import", "BackoffLimitExceeded"),
        ("the autoscaler's condition", "hpa/web", "ScalingActive"),
        ("the rollout", "deployment/web", "4 available"),
        ("the budget's status", "pdb/web", "Total:                4"),
    ] {
        wait_for(what, Duration::from_secs(90), || async {
            let told = kubectl(&cluster, &["describe", object, "-n", &namespace]).map_err(|error| error.to_string())?;
            if told.contains(says) { Ok(()) } else { Err(told) }
        })
        .await?;
    }
    let node = kubectl(&cluster, &["get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"])?;
    let crashing = first_pod(&cluster, &namespace, "cart", "CrashLoopBackOff").await?;
    let objects = [
        ("healthy Pod", "Pod", well.as_str()),
        ("crashing Pod", "Pod", &crashing),
        ("Deployment", "Deployment", "web"),
        ("crashing Deployment", "Deployment", "cart"),
        ("Node", "Node", &node),
        ("Service", "Service", "web"),
        ("ConfigMap", "ConfigMap", "settings"),
        ("PersistentVolumeClaim", "PersistentVolumeClaim", "data"),
        ("failed Job", "Job", "import"),
        ("Ingress", "Ingress", "web"),
        ("HorizontalPodAutoscaler", "HorizontalPodAutoscaler", "web"),
        ("PodDisruptionBudget", "PodDisruptionBudget", "web"),
    ];
    let tools = tools(Cluster::new(cluster.client()));
    let (mut ours, mut theirs) = (0, 0);
    println!(
        "| object | `kubectl -o yaml` | `kubectl describe` | get | describe | describe of both of kubectl's |\n|---|---|---|---|---|---|"
    );
    for (what, kind, name) in objects {
        let yaml = tokens(&kubectl(&cluster, &["get", kind, name, "-n", &namespace, "-o", "yaml"])?);
        let described = tokens(&kubectl(&cluster, &["describe", kind, name, "-n", &namespace])?);
        let got = view(&tools, "kubernetes_get", kind, name, &namespace).await?;
        let facts = || FACTS.iter().filter(|(of, _)| *of == what).flat_map(|(_, facts)| *facts);
        // A container that crashes shows its back-off only between two runs.
        let told = wait_for(&format!("the facts of the {what}"), Duration::from_mins(1), || async {
            let told = view(&tools, "kubernetes_describe", kind, name, &namespace).await;
            let told = told.map_err(|error| error.to_string())?;
            if facts().all(|fact| told.contains(fact)) { Ok(told) } else { Err(told) }
        })
        .await?;
        let (get, describe) = (tokens(&got), tokens(&told));
        println!("| {what} | {yaml} | {described} | {get} | {describe} | {} % |", describe * 100 / (yaml + described));
        println!("\n{told}");
        ours += describe;
        theirs += yaml + described;
        assert!(get < yaml, "{what}: {get} tokens of {yaml}:\n{got}");
    }
    println!("| together | | | | {ours} of {theirs} | {} % |", ours * 100 / theirs);
    assert!(ours * 3 <= theirs, "{ours} of {theirs} tokens");
    Ok(())
}
