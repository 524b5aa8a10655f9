//! Looks at a real cluster: `MARPLE_TEST_CONTEXT=<context> cargo bench -p marple-tools --bench kubernetes`.
//!
//! Raises a Deployment of three pods in a namespace of its own and deletes it at the end. Bars: the median of `get` is
//! at most 3 ms and that of each `describe` at most 10 ms on a local API server. The same questions are put to forks of
//! `kubectl` in the same run, and the ratio of the medians is printed first.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use divan::Bencher;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, PostParams};
use kube::config::KubeConfigOptions;
use kube::runtime::wait::await_condition;
use kube::{Client, Config};
use marple_core::ObjectRef;
use marple_tools::kubernetes::{Cluster, tools};
use marple_tools::{Look, Tool};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const NAMESPACE: &str = "kube-bench";

struct Bench {
    runtime: Runtime,
    cluster: Cluster,
    tools: Vec<Arc<dyn Tool>>,
    pod: String,
}

static BENCH: OnceLock<Bench> = OnceLock::new();

fn main() {
    let Ok(context) = std::env::var("MARPLE_TEST_CONTEXT") else {
        println!("left out: set MARPLE_TEST_CONTEXT to a context of the kubeconfig");
        return;
    };
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let client = runtime.block_on(async {
        let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
        Client::try_from(Config::from_kubeconfig(&options).await.unwrap()).unwrap()
    });
    let pod = runtime.block_on(raise(&client));
    let cluster = Cluster::new(client.clone());
    let bench = Bench { runtime, tools: tools(cluster.clone()), cluster, pod };
    let bench = BENCH.get_or_init(|| bench);
    beside_kubectl(bench, &context);
    divan::main();
    bench.runtime.block_on(async {
        let namespaces: Api<Namespace> = Api::all(client);
        namespaces.delete(NAMESPACE, &DeleteParams::default()).await.unwrap();
    });
}

/// Raises the Deployment and gives the name of one of its pods.
async fn raise(client: &Client) -> String {
    let namespace = serde_json::from_value(json!({"metadata": {"name": NAMESPACE}})).unwrap();
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    let deployment: Deployment = serde_json::from_value(json!({
        "metadata": {"name": "cart"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "cart"}}, "template": {
            "metadata": {"labels": {"app": "cart"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [
                {"name": "app", "image": "localhost/busybox:1", "command": ["sleep", "3600"]}]}}}
    }))
    .unwrap();
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    deployments.create(&PostParams::default(), &deployment).await.unwrap();
    let ready = |found: Option<&Deployment>| {
        found.and_then(|found| found.status.as_ref()?.ready_replicas).is_some_and(|ready| ready == 3)
    };
    let wait = await_condition(deployments, "cart", ready);
    tokio::time::timeout(Duration::from_mins(1), wait).await.expect("three pods in a minute").unwrap();
    let pods = Cluster::new(client.clone()).list("Pod", Some(NAMESPACE), None, None, 1).await.unwrap();
    pods.first().and_then(|pod| pod.pointer("/metadata/name")?.as_str()).unwrap().to_owned()
}

/// Prints how long a look takes beside a fork of `kubectl` that answers the same question.
fn beside_kubectl(bench: &Bench, context: &str) {
    let name = bench.pod.as_str();
    let questions = [
        (
            "kubernetes_get",
            json!({"kind": "Pod", "namespace": NAMESPACE, "name": name}),
            vec!["get", "pod", name, "-o", "yaml"],
        ),
        ("kubernetes_get", json!({"kind": "Pod", "namespace": NAMESPACE}), vec!["get", "pods"]),
        (
            "kubernetes_describe",
            json!({"kind": "Pod", "namespace": NAMESPACE, "name": name}),
            vec!["describe", "pod", name],
        ),
        (
            "kubernetes_describe",
            json!({"kind": "Deployment", "namespace": NAMESPACE, "name": "cart"}),
            vec!["describe", "deployment", "cart"],
        ),
        ("kubernetes_logs", json!({"namespace": NAMESPACE, "name": name}), vec!["logs", name]),
    ];
    for (tool, arguments, words) in questions {
        let ours = median(31, || {
            let tool = bench.tools.iter().find(|one| one.spec().name == tool).unwrap();
            let look = Look { incident_start: None, now: jiff::Timestamp::now(), cancel: CancellationToken::new() };
            bench.runtime.block_on(tool.call(arguments.clone(), &look)).unwrap();
        });
        let theirs = median(11, || {
            let mut kubectl = std::process::Command::new("kubectl");
            let output = kubectl.args(["--context", context, "-n", NAMESPACE]).args(&words).output().unwrap();
            assert!(output.status.success(), "kubectl {words:?}");
        });
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        println!("{:<32} {ours:>10.1?}, kubectl {theirs:>10.1?}: {ratio:.0} times", words[..2].join(" "));
    }
}

fn median(count: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..count)
        .map(|_| {
            let begun = std::time::Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[count / 2]
}

fn call(bencher: Bencher<'_, '_>, name: &str, arguments: &Value) {
    let bench = BENCH.get().unwrap();
    let tool = bench.tools.iter().find(|tool| tool.spec().name == name).unwrap();
    bencher.bench(|| {
        let look = Look { incident_start: None, now: jiff::Timestamp::now(), cancel: CancellationToken::new() };
        bench.runtime.block_on(tool.call(arguments.clone(), &look)).unwrap()
    });
}

#[divan::bench(sample_count = 200)]
fn raw_get(bencher: Bencher<'_, '_>) {
    let bench = BENCH.get().unwrap();
    let pod = ObjectRef::namespaced("Pod", NAMESPACE, &bench.pod);
    bencher.bench(|| bench.runtime.block_on(bench.cluster.get(&pod)).unwrap());
}

#[divan::bench(sample_count = 200)]
fn get_pod(bencher: Bencher<'_, '_>) {
    let pod = &BENCH.get().unwrap().pod;
    call(bencher, "kubernetes_get", &json!({"kind": "Pod", "namespace": NAMESPACE, "name": pod}));
}

#[divan::bench(sample_count = 200)]
fn get_pods_as_a_table(bencher: Bencher<'_, '_>) {
    call(bencher, "kubernetes_get", &json!({"kind": "Pod", "namespace": NAMESPACE}));
}

#[divan::bench(sample_count = 200)]
fn describe_pod(bencher: Bencher<'_, '_>) {
    let pod = &BENCH.get().unwrap().pod;
    call(bencher, "kubernetes_describe", &json!({"kind": "Pod", "namespace": NAMESPACE, "name": pod}));
}

#[divan::bench(sample_count = 200)]
fn describe_deployment(bencher: Bencher<'_, '_>) {
    call(bencher, "kubernetes_describe", &json!({"kind": "Deployment", "namespace": NAMESPACE, "name": "cart"}));
}

#[divan::bench(sample_count = 100)]
fn related_deployment(bencher: Bencher<'_, '_>) {
    call(bencher, "kubernetes_related", &json!({"kind": "Deployment", "namespace": NAMESPACE, "name": "cart"}));
}

#[divan::bench(sample_count = 100)]
fn rollout_history(bencher: Bencher<'_, '_>) {
    call(bencher, "kubernetes_rollout_history", &json!({"kind": "Deployment", "namespace": NAMESPACE, "name": "cart"}));
}
