//! The forwarder at a real API server with many objects, measured from outside:
//! `cargo build --release && cargo bench -p marple-tests --bench scale -- [pods] [deployments] [updates/s] [seconds]`, by
//! default `10000 1000 500 30`, on the cluster of `MARPLE_TEST_CONTEXT`.
//!
//! From the start to the last list, resident memory, the time from a write to the signal that it causes, and the processor
//! time of an update. No kubelet runs the pods: what their containers do is written by the benchmark.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::routing::{get, post};
use axum::{Json, Router, extract::State};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use marple_tests::cluster::{Namespace, TestCluster};
use marple_tests::forwarding::Forwarding;
use serde_json::{Value, json};

/// Namespaces among which the objects are spread.
const NAMESPACES: usize = 10;

/// Requests under way at a time.
const AT_ONCE: usize = 48;

/// Of how many updates one breaks its pod; the others alter nothing that is told.
const BREAKS: usize = 10;

/// How long the last signals may take to come.
const LAST: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<usize> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .map(|text| text.parse().expect("a number"))
        .collect();
    let number = |at: usize, default: usize| arguments.get(at).copied().unwrap_or(default);
    let Some(cluster) = TestCluster::from_env().await? else { return Ok(()) };
    let scale =
        Scale { pods: number(0, 10_000), deployments: number(1, 1_000), rate: number(2, 500), seconds: number(3, 30) };
    let mut namespaces = Vec::new();
    for at in 0..NAMESPACES {
        namespaces.push(cluster.namespace(&format!("scale-{at}")).await?);
    }
    scale.fill(&namespaces).await?;
    scale.measure(&cluster, &namespaces).await
}

/// How much there is.
struct Scale {
    pods: usize,
    deployments: usize,
    rate: usize,
    seconds: usize,
}

/// What a runner would get: when each pod was told to crash.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<HashMap<String, Instant>>>);

impl Inbox {
    async fn start(&self) -> Result<String> {
        let kept = || async { Json(json!({"states": [], "listed_at": null})) };
        let router = Router::new()
            .route("/api/signals", post(take).get(|| async { Json(json!([])) }))
            .route("/api/changes", post(|| async {}))
            .route("/api/changes/kept", get(kept))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(url)
    }
}

async fn take(State(inbox): State<Inbox>, Json(signals): Json<Vec<Value>>) {
    let mut told = inbox.0.lock().unwrap();
    for signal in signals.iter().filter(|signal| signal["status"] == "firing") {
        let name = signal["subject"]["name"].as_str().unwrap_or_default().to_owned();
        told.entry(name).or_insert_with(Instant::now);
    }
}

impl Scale {
    async fn fill(&self, namespaces: &[Namespace]) -> Result<()> {
        let began = Instant::now();
        let pods = futures::stream::iter(0..self.pods).map(|at| async move {
            let api: Api<Pod> = namespaces[at % NAMESPACES].api();
            api.create(&PostParams::default(), &serde_json::from_value(pod(at))?).await?;
            anyhow::Ok(())
        });
        pods.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let deployments = futures::stream::iter(0..self.deployments).map(|at| async move {
            let api: Api<Deployment> = namespaces[at % NAMESPACES].api();
            api.create(&PostParams::default(), &serde_json::from_value(deployment(at))?).await?;
            anyhow::Ok(())
        });
        deployments.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        println!("{} pods and {} Deployments made in {:.0?}", self.pods, self.deployments, began.elapsed());
        Ok(())
    }

    async fn measure(&self, cluster: &TestCluster, namespaces: &[Namespace]) -> Result<()> {
        let inbox = Inbox::default();
        let url = inbox.start().await?;
        let began = Instant::now();
        let configuration = format!("cluster: {{ name: scale, context: {} }}", cluster.context());
        let mut forwarding = Forwarding::start(&configuration, &url, &[]).await?;
        while !forwarding.log().contains("the cluster is known") {
            ensure!(began.elapsed() < Duration::from_mins(2), "not known in two minutes:\n{}", forwarding.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        report("from the start until all is listed", began.elapsed().as_secs_f64(), "s", 10.0);
        // The change history lists after that.
        tokio::time::sleep(Duration::from_secs(10)).await;
        let pid = forwarding.pid().context("it runs")?;
        report("resident memory, all known", memory(pid, "VmRSS:")?, "MiB", 60.0);
        let (before, started) = (processor(pid)?, Instant::now());
        let written = self.update(namespaces).await?;
        let took = started.elapsed();
        let updates = self.rate * self.seconds;
        println!("{updates} updates in {took:.1?}, {} of them broke a pod", written.len());
        tokio::time::sleep(Duration::from_secs(2)).await;
        let spent = processor(pid)?.saturating_sub(before);
        let deadline = Instant::now() + LAST;
        while inbox.0.lock().unwrap().len() < written.len() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let told = inbox.0.lock().unwrap().clone();
        let mut delays: Vec<f64> = written
            .iter()
            .filter_map(|(name, at)| Some(told.get(name)?.duration_since(*at).as_secs_f64() * 1_000.0))
            .collect();
        report("signals that did not come", (written.len() - delays.len()) as f64, "", 0.0);
        delays.sort_by(f64::total_cmp);
        let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
        println!("from the write's sending to the signal: p50 {:.1} ms", at(50));
        report("from the write's sending to the signal, p99", at(99), "ms", 200.0);
        println!("processor time an update: {:.3} ms", spent.as_secs_f64() * 1_000.0 / updates as f64);
        report("resident memory, after the updates", memory(pid, "VmRSS:")?, "MiB", 60.0);
        report("resident memory, at most", memory(pid, "VmHWM:")?, "MiB", 60.0);
        let dropped = forwarding.metric("marple_forwarder_dropped_total").await?;
        report("dropped", dropped, "", 0.0);
        forwarding.stop().await
    }

    /// Updates pods at the rate; gives when each was written that breaks.
    async fn update(&self, namespaces: &[Namespace]) -> Result<HashMap<String, Instant>> {
        let began = Instant::now();
        let rate = f64::from(u32::try_from(self.rate)?);
        let updates = futures::stream::iter(0..self.rate * self.seconds).map(|number| async move {
            let due = began + Duration::from_secs_f64(number as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
            let at = (number * 7) % self.pods;
            let breaks = number % BREAKS == 0;
            let api: Api<Pod> = namespaces[at % NAMESPACES].api();
            let sent = Instant::now();
            let name = name(at);
            api.patch_status(&name, &PatchParams::default(), &Patch::Strategic(status(number, breaks))).await?;
            anyhow::Ok(breaks.then_some((name, sent)))
        });
        let written: Vec<Option<(String, Instant)>> = updates.buffer_unordered(AT_ONCE).try_collect().await?;
        let mut first = HashMap::new();
        for (name, at) in written.into_iter().flatten() {
            first.entry(name).and_modify(|known: &mut Instant| *known = (*known).min(at)).or_insert(at);
        }
        Ok(first)
    }
}

fn report(what: &str, figure: f64, unit: &str, bar: f64) {
    println!("{what:<60} {figure:>9.2} {unit:<4} (bar {bar} {unit}){}", if figure <= bar { "" } else { "  MISSED" });
}

fn name(at: usize) -> String {
    format!("pod-{at}-5bdc96c8f4-x2k9p")
}

/// A container with as many variables as real ones have.
fn template(at: usize) -> Value {
    let environment: Vec<Value> = (0..40)
        .map(|variable| json!({"name": format!("VARIABLE_{variable}"), "value": format!("{at}-{}", "v".repeat(50))}))
        .collect();
    json!({"schedulerName": "nobody", "containers": [{"name": "app", "image": "registry.example.com/team/app:1.2.3",
        "env": environment, "resources": {"limits": {"memory": "256Mi"}}}]})
}

fn pod(at: usize) -> Value {
    let labels: HashMap<String, String> =
        (0..8).map(|label| (format!("example.com/label-{label}"), format!("value-{at}"))).collect();
    json!({"metadata": {"name": name(at), "labels": labels, "annotations": {"example.com/checksum": "c".repeat(200)}},
        "spec": template(at)})
}

fn deployment(at: usize) -> Value {
    let labels = json!({"app": format!("app-{at}")});
    json!({"metadata": {"name": format!("app-{at}")}, "spec": {"replicas": 0, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": template(at)}}})
}

/// What a kubelet would write: of a container that runs, or of one that crashes.
fn status(number: usize, breaks: bool) -> Value {
    let now = jiff::Timestamp::now();
    let state = if breaks {
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}})
    } else {
        json!({"running": {"startedAt": "2026-01-01T08:00:00Z"}})
    };
    let last = json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now}});
    json!({"status": {"phase": "Running", "message": format!("update {number}"),
        "containerStatuses": [{"name": "app", "image": "i", "imageID": "", "ready": !breaks,
            "restartCount": if breaks { 7 } else { 0 }, "state": state, "lastState": if breaks { last } else { json!({}) }}]}})
}

/// A field of the process's memory, in MiB.
fn memory(pid: u32, field: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(field)).context("the field")?;
    Ok(line.split_whitespace().nth(1).context("a number")?.parse::<f64>()? / 1_024.0)
}

/// The processor time that the process has spent.
fn processor(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit_once(") ").context("the name")?.1;
    let ticks: u64 = after.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap_or_default()).sum();
    // In hundredths of a second, on every Linux that there is.
    Ok(Duration::from_millis(ticks * 10))
}
