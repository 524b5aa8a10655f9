//! Resident memory of the forwarder, its change history and the links that it tells included, the time from an event to its
//! signal, and the processor time of an event, on a cluster of many pods.
//!
//! `cargo bench --workspace --bench memory -- [pods] [broken] [stream|pages] [history|signals] [events/s]`, by default
//! `10000 0 stream history 500`. The API server is played by a process of its own, so that its memory and its time don't
//! count; its objects are as large as real ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use jiff::Timestamp;
use marple_core::Signal;
use marple_forwarder::change::{Batch, Kept};
use marple_forwarder::{Atlas, Chronicle, Deliver, DeliverError, Forwarder, ForwarderConfig, KnownError, topology};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Pods that break one after another once all is known.
const BREAKS: usize = 500;
/// Of how many events one breaks a pod; the others alter nothing that is told.
const EVENTS: usize = 10;
/// How long after the list the events begin.
const AFTER: Duration = Duration::from_secs(8);

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |at: usize, default: usize| arguments.get(at).map_or(default, |text| text.parse().expect("a number"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if arguments.first().is_some_and(|first| first == "serve") {
        let streams = arguments[3] == "stream";
        let cluster = Cluster { pods: number(1, 0), broken: number(2, 0), streams, rate: number(4, 0) };
        runtime.block_on(cluster.serve());
    } else {
        let lists = arguments.get(2).map_or("stream", String::as_str);
        let history = arguments.get(3).is_none_or(|word| word == "history");
        runtime.block_on(measure(number(0, 10_000), number(1, 0), lists, history, number(4, 500)));
    }
}

async fn measure(pods: usize, broken: usize, lists: &str, history: bool, rate: usize) {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["serve", &pods.to_string(), &broken.to_string(), lists, &rate.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = kube::Client::try_from(kube::Config::new(url.trim().parse().unwrap())).unwrap();
    println!("before: {}", resident());
    let inbox = Arc::new(Inbox::default());
    let cancel = CancellationToken::new();
    let mut config = ForwarderConfig::default();
    config.changes.enabled = history;
    let forwarder = Forwarder::new(client, "bench", config, inbox.clone(), None)
        .with_history(inbox.clone())
        .with_topology(inbox.clone());
    let running = tokio::spawn(forwarder.run(cancel.clone()));
    wait_for(|| inbox.count() > broken).await;
    println!("{pods} pods, {broken} of them broken, listed by {lists}: {}", resident());
    if history {
        // Deployments and ConfigMaps of the cluster below.
        wait_for(|| inbox.states.load(Ordering::Relaxed) >= pods / 10 + pods / 5).await;
        println!("with the history of {} objects: {}", inbox.states.load(Ordering::Relaxed), resident());
    }
    let before = processor();
    let began = inbox.count();
    wait_for(|| inbox.count() >= broken + BREAKS).await;
    let events = (broken + BREAKS - began) * EVENTS;
    let spent = processor().saturating_sub(before).as_secs_f64() * 1_000.0;
    println!("{rate} events/s, of ten one that breaks a pod: {:.3} ms of processor time each", spent / events as f64);
    println!(
        "after {BREAKS} more broke: {}; links of {} objects told",
        resident(),
        inbox.charted.load(Ordering::Relaxed)
    );
    let mut delays = inbox.delays.lock().unwrap().split_off(broken);
    delays.sort_unstable();
    let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
    println!("from event to signal: p50 {:?}, p99 {:?}, most {:?}", at(50), at(99), at(100));
    cancel.cancel();
    running.await.unwrap().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
}

async fn wait_for(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(5);
    while !holds() {
        assert!(Instant::now() < deadline, "not in 300 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Resident memory now and at most, as the kernel counts it.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    };
    format!("resident {:.1} MiB, at most {:.1} MiB", field("VmRSS:"), field("VmHWM:"))
}

/// The processor time that this process has spent.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    // In hundredths of a second, on every Linux that there is.
    Duration::from_millis(ticks * 10)
}

/// What came: how long each took from the start that its object tells, how many states of objects, and of how many the
/// links.
#[derive(Default)]
struct Inbox {
    delays: Mutex<Vec<Duration>>,
    states: AtomicUsize,
    charted: AtomicUsize,
}

#[async_trait::async_trait]
impl Chronicle for Inbox {
    async fn record(&self, batch: Batch) -> Result<(), DeliverError> {
        self.states.fetch_add(batch.entries.len(), Ordering::Relaxed);
        Ok(())
    }

    async fn kept(&self, _: &str, _: &str) -> Result<Kept, KnownError> {
        Ok(Kept::default())
    }
}

#[async_trait::async_trait]
impl Atlas for Inbox {
    async fn chart(&self, batch: topology::Batch) -> Result<(), DeliverError> {
        self.charted.fetch_add(batch.entries.len(), Ordering::Relaxed);
        Ok(())
    }
}

impl Inbox {
    fn count(&self) -> usize {
        self.delays.lock().unwrap().len()
    }
}

#[async_trait::async_trait]
impl Deliver for Inbox {
    async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError> {
        let now = Timestamp::now();
        let delay = |signal: &Signal| Duration::try_from(now.duration_since(signal.starts_at)).unwrap_or_default();
        self.delays.lock().unwrap().extend(signals.iter().map(delay));
        Ok(())
    }
}

/// A cluster of that many pods, ten a Deployment with ten ReplicaSets of which one is in use, two `ConfigMap`s a Deployment, a
/// node for a hundred pods.
#[derive(Clone, Copy)]
struct Cluster {
    pods: usize,
    broken: usize,
    streams: bool,
    /// Events a second.
    rate: usize,
}

impl Cluster {
    async fn serve(self) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(answer).with_state(self);
        axum::serve(listener, router).await.unwrap();
    }

    fn count(self, plural: &str) -> usize {
        match plural {
            "pods" | "replicasets" => self.pods,
            "deployments" => self.pods / 10,
            "nodes" => self.pods.div_ceil(100),
            "events" | "configmaps" => self.pods / 5,
            _ => 0,
        }
    }

    fn object(self, plural: &str, at: usize) -> Value {
        match plural {
            "pods" if at < self.broken => pod(at, Some(Timestamp::now())),
            "pods" => pod(at, None),
            "replicasets" => replica_set(at),
            "events" => event(at, self.pods),
            "deployments" => deployment(at),
            "configmaps" => config_map(at),
            kind => json!({"metadata": metadata(kind, at), "spec": {"replicas": 2}, "status": {"conditions": []}}),
        }
    }
}

async fn answer(State(cluster): State<Cluster>, uri: Uri, Query(query): Query<HashMap<String, String>>) -> Response {
    let plural = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let has = |name: &str| query.contains_key(name);
    let count = cluster.count(&plural);
    if has("sendInitialEvents") && !cluster.streams {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 422, "reason": "Invalid", "message": "no"});
        return (StatusCode::UNPROCESSABLE_ENTITY, status.to_string()).into_response();
    }
    if has("watch") {
        let added = if has("sendInitialEvents") { count } else { 0 };
        let kind = plural.clone();
        let all = stream::iter(0..added).map(move |at| json!({"type": "ADDED", "object": cluster.object(&kind, at)}));
        let mark = json!({"type": "BOOKMARK", "object": {"kind": "X", "apiVersion": "v1", "metadata":
            {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}}});
        let later = if plural == "pods" { events(cluster).boxed() } else { stream::pending().boxed() };
        return body(all.chain(stream::iter(has("sendInitialEvents").then_some(mark))).chain(later));
    }
    let number = |name: &str| query.get(name).and_then(|text| text.parse().ok());
    let from = number("continue").unwrap_or(0_usize);
    let to = (from + number("limit").unwrap_or(count)).min(count);
    let items: Vec<Value> = (from..to).map(|at| cluster.object(&plural, at)).collect();
    let next = if to < count { to.to_string() } else { String::new() };
    json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1", "continue": next}, "items": items})
        .to_string()
        .into_response()
}

fn body(lines: impl Stream<Item = Value> + Send + 'static) -> Response {
    Response::new(Body::from_stream(lines.map(|line| Ok::<_, Infallible>(Bytes::from(format!("{line}\n"))))))
}

/// Events at a rate, by which pods break one after another and others stay well, from some seconds after the list on.
fn events(cluster: Cluster) -> impl Stream<Item = Value> {
    let began = tokio::time::Instant::now() + AFTER;
    stream::iter(0..BREAKS * EVENTS)
        .then(move |number| async move {
            tokio::time::sleep_until(began + Duration::from_secs_f64(number as f64 / cluster.rate as f64)).await;
            let breaks = number.is_multiple_of(EVENTS);
            let at = cluster.broken + BREAKS + number % cluster.pods.saturating_sub(cluster.broken + BREAKS).max(1);
            let at = if breaks { cluster.broken + number / EVENTS } else { at };
            json!({"type": "MODIFIED", "object": pod(at, breaks.then(Timestamp::now))})
        })
        .chain(stream::pending())
}

fn metadata(kind: &str, at: usize) -> Value {
    // As servers send them: managed fields are a third of a real object.
    let fields: HashMap<String, Value> =
        (0..60).map(|field| (format!("f:field-{field}"), json!({"f:key": {}, ".": {}}))).collect();
    let labels: HashMap<String, String> =
        (0..8).map(|label| (format!("app.kubernetes.io/label-{label}"), format!("value-{at}"))).collect();
    json!({
        "name": name(kind, at), "namespace": format!("team-{}", at % 50),
        "uid": format!("00000000-0000-0000-0000-{at:012}"), "resourceVersion": "1", "generation": 1,
        "creationTimestamp": "2026-01-01T08:00:00Z", "labels": labels,
        "annotations": {"example.com/checksum": "c".repeat(600)},
        "managedFields": [{"manager": "kubelet", "operation": "Update", "fieldsV1": fields}],
    })
}

fn name(kind: &str, at: usize) -> String {
    format!("{}-{at}-5bdc96c8f4-x2k9p", kind.trim_end_matches('s'))
}

fn owners(kind: &str, name: &str) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": true, "blockOwnerDeletion": true}])
}

fn replica_set(at: usize) -> Value {
    let replicas = if at.is_multiple_of(10) { 10 } else { 0 };
    let mut set = json!({"metadata": metadata("replicasets", at), "spec": {"replicas": replicas},
        "status": {"replicas": replicas}});
    set["metadata"]["ownerReferences"] = owners("Deployment", &name("deployments", at / 10));
    set
}

/// As large as real ones: its pod template is nearly all of it.
fn deployment(at: usize) -> Value {
    let template = json!({"metadata": {"labels": {"app": name("deployments", at)}}, "spec": pod(at, None)["spec"]});
    json!({"metadata": metadata("deployments", at), "status": {"conditions": []},
        "spec": {"replicas": 10, "selector": {"matchLabels": {"app": name("deployments", at)}}, "template": template}})
}

/// Ten settings and a file of two KiB.
fn config_map(at: usize) -> Value {
    let mut data: HashMap<String, String> =
        (0..10).map(|key| (format!("setting-{key}"), format!("value-{at}"))).collect();
    data.insert("app.yaml".to_owned(), "setting: value of some length\n".repeat(70));
    json!({"metadata": metadata("configmaps", at), "data": data})
}

fn event(at: usize, pods: usize) -> Value {
    let pod = pod(at % pods.max(1), None);
    json!({"metadata": metadata("events", at), "reason": "Unhealthy", "type": "Warning", "count": 2,
        "involvedObject": {"kind": "Pod", "namespace": pod["metadata"]["namespace"], "name": pod["metadata"]["name"]},
        "message": "Readiness probe failed", "firstTimestamp": "2026-01-01T08:00:00Z", "lastTimestamp": "2026-01-01T08:00:00Z"})
}

/// A pod, well or crash looping since then.
fn pod(at: usize, broken: Option<Timestamp>) -> Value {
    let environment: Vec<Value> =
        (0..40).map(|variable| json!({"name": format!("VARIABLE_{variable}"), "value": "v".repeat(60)})).collect();
    let state = match broken {
        None => json!({"running": {"startedAt": "2026-01-01T08:00:00Z"}}),
        Some(_) => {
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}})
        }
    };
    let last =
        broken.map_or(json!({}), |at| json!({"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": at}}));
    let mut pod = json!({
        "metadata": metadata("pods", at),
        "spec": {"nodeName": name("nodes", at / 100), "containers": [
            {"name": "app", "image": "registry.example.com/team/app:1.2.3", "env": environment, "resources": {"limits": {"memory": "256Mi"}}}]},
        "status": {"phase": "Running", "startTime": "2026-01-01T08:00:00Z",
            "conditions": [{"type": "Ready", "status": if broken.is_none() { "True" } else { "False" }, "lastTransitionTime": "2026-01-01T08:00:00Z"}],
            "containerStatuses": [{"name": "app", "ready": broken.is_none(), "restartCount": u32::from(broken.is_some()), "state": state, "lastState": last}]},
    });
    pod["metadata"]["ownerReferences"] = owners("ReplicaSet", &name("replicasets", at / 10 * 10));
    pod
}
