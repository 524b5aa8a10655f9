//! From the socket to the incident: alerts a second, posts a second, latency, processor time and memory.
//!
//! `cargo bench -p marple-runner --bench intake` prints one line a scenario. The server runs in a process of its own, so
//! that its processor time and memory are its own; the client in another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use marple_core::ObjectRef;
use marple_runner::api::{ApiState, Telemetry, serve};
use marple_runner::clock::Clock;
use marple_runner::correlate::{CorrelateConfig, Correlator, Known, Owners, Related};
use marple_runner::store::{IncidentFilter, Incidents as _, Signals as _, SqliteStore};
use marple_tools::redact::{RedactConfig, Redactor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What is sent.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    alerts: usize,
    /// Alerts a post.
    each: usize,
    connections: usize,
    /// Pods a workload.
    pods: usize,
}

const SCENARIOS: [Scenario; 4] = [
    Scenario { name: "posts of 50", alerts: 200_000, each: 50, connections: 8, pods: 50 },
    Scenario { name: "posts of one", alerts: 30_000, each: 1, connections: 64, pods: 50 },
    Scenario { name: "10,000 at once", alerts: 10_000, each: 1, connections: 1_000, pods: 50 },
    Scenario { name: "storm of 10,000", alerts: 10_000, each: 50, connections: 4, pods: 20 },
];

/// Ownership as a cluster would tell it, at once.
struct Numbered(usize);

#[async_trait]
impl Owners for Numbered {
    async fn related(&self, objects: &[ObjectRef]) -> Vec<Option<Related>> {
        let owner = |object: &ObjectRef| {
            let number: usize = object.name.rsplit('-').next().unwrap().parse().unwrap();
            let owner = ObjectRef::namespaced("Deployment", "shop", format!("cart-{}", number / self.0));
            Some(Related { owner: Some(owner), node: None, known: Known::Owners })
        };
        objects.iter().map(owner).collect()
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse::<usize>().ok()).unwrap();
    match arguments.first().map(String::as_str) {
        Some("server") => runtime().block_on(server(SCENARIOS[number(1)])),
        Some("client") => runtime().block_on(client(SCENARIOS[number(1)], &arguments[2])),
        _ => {
            for index in 0..SCENARIOS.len() {
                run(&["server".to_owned(), index.to_string()], Stdio::inherit());
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn run(arguments: &[String], out: Stdio) -> String {
    let child = Command::new(std::env::current_exe().unwrap()).args(arguments).stdout(out).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

async fn server(scenario: Scenario) {
    let began = Instant::now();
    let folder = tempfile::Builder::new().prefix("marple-bench").tempdir_in(".").unwrap();
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    let (cancel, changed) = (CancellationToken::new(), Arc::new(Notify::new()));
    let owners = Arc::new(Numbered(scenario.pods));
    let config = CorrelateConfig::default();
    let (correlator, _) =
        Correlator::new(Arc::new(store.clone()), owners, config, Arc::clone(&changed), Clock::system());
    let state = ApiState::new(
        Arc::new(store.clone()),
        None,
        Telemetry::install(),
        Arc::new(Redactor::new(&RedactConfig::default()).unwrap()),
        [("correlation", correlator.alive())],
    );
    tokio::spawn(correlator.run(cancel.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, state, cancel.clone()));
    let (start, idle) = (began.elapsed(), memory("VmRSS:"));

    let (cpu, began) = (processor_time(), Instant::now());
    let index = SCENARIOS.iter().position(|one| one.name == scenario.name).unwrap();
    let arguments = ["client".to_owned(), index.to_string(), address.to_string()];
    let answered = tokio::task::spawn_blocking(move || run(&arguments, Stdio::piped())).await.unwrap();
    while !store.unprocessed(1).await.unwrap().is_empty() {
        changed.notified().await;
    }
    let took = began.elapsed();
    let cpu = processor_time().checked_sub(cpu).unwrap();
    let mut kept = 0;
    let mut incidents = 0;
    let mut filter = IncidentFilter { limit: 500, ..IncidentFilter::default() };
    loop {
        let page = store.incidents(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        incidents += page.len();
        kept += page.iter().map(|one| one.signals as usize).sum::<usize>();
    }
    println!(
        "{}: {}; all in {incidents} incidents after {:.2} s; lost {}; processor {:.3} ms an alert; \
         memory idle {:.0}, most {:.0} MiB; ready in {:.0} ms",
        scenario.name,
        answered.trim(),
        took.as_secs_f64(),
        scenario.alerts - kept,
        cpu.as_secs_f64() * 1_000.0 / scenario.alerts as f64,
        idle,
        memory("VmHWM:"),
        start.as_secs_f64() * 1_000.0,
    );
    cancel.cancel();
    store.close().await;
}

/// Sends all, each post again until it is accepted; prints rate and latency.
async fn client(scenario: Scenario, address: &str) {
    let posts: Arc<Vec<Vec<u8>>> = Arc::new(
        (0..scenario.alerts / scenario.each).map(|number| post(number * scenario.each, scenario.each)).collect(),
    );
    let (next, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let workers = (0..scenario.connections).map(|_| {
        let (posts, next, refused, address) =
            (Arc::clone(&posts), Arc::clone(&next), Arc::clone(&refused), address.to_owned());
        tokio::spawn(async move {
            let mut latencies = vec![];
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            while let Some(body) = posts.get(next.fetch_add(1, Ordering::Relaxed)) {
                loop {
                    let began = Instant::now();
                    let status = send(&mut stream, body).await;
                    latencies.push(began.elapsed());
                    if status == 200 {
                        break;
                    }
                    assert_eq!(status, 503);
                    refused.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            latencies
        })
    });
    let mut latencies: Vec<Duration> =
        futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    let took = began.elapsed().as_secs_f64();
    latencies.sort();
    let quantile = |part: f64| latencies[((latencies.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
    println!(
        "{:.0} alerts/s, {:.0} posts/s, answer p50 {:.1} ms, p99 {:.1} ms, refused {}",
        scenario.alerts as f64 / took,
        posts.len() as f64 / took,
        quantile(0.5),
        quantile(0.99),
        refused.load(Ordering::Relaxed),
    );
}

async fn send(stream: &mut TcpStream, body: &[u8]) -> u16 {
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::with_capacity(512);
    loop {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the server closed the connection");
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return head.split(' ').nth(1).unwrap().parse().unwrap();
            }
        }
    }
}

/// A webhook as Alertmanager sends it for rules of kubernetes-mixin: about 1 KiB an alert.
fn post(first: usize, count: usize) -> Vec<u8> {
    let alert = |number: usize| {
        format!(
            r#"{{"status":"firing","labels":{{"alertname":"KubePodCrashLooping","cluster":"prod-eu-1","container":"app","endpoint":"http","instance":"10.2.3.4:8080","job":"kube-state-metrics","namespace":"shop","pod":"cart-7d9f8b6c5-{number}","prometheus":"monitoring/k8s","reason":"CrashLoopBackOff","service":"kube-state-metrics","severity":"warning","uid":"3f2b8f5e-6d6e-4a38-9a53-{number:012}"}},"annotations":{{"description":"Pod shop/cart-7d9f8b6c5-{number} (app) is in waiting state (reason: CrashLoopBackOff) on cluster prod-eu-1.","runbook_url":"https://runbooks.prometheus-operator.dev/runbooks/kubernetes/kubepodcrashlooping","summary":"Pod is crash looping."}},"startsAt":"2026-01-02T03:04:05.678Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus.monitoring:9090/graph?g0.expr=max_over_time%28kube_pod_container_status_waiting_reason%7Bjob%3D%22kube-state-metrics%22%2Creason%3D%22CrashLoopBackOff%22%7D%5B5m%5D%29+%3E%3D+1&g0.tab=1","fingerprint":"{:016x}"}}"#,
            (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        )
    };
    let alerts = (first..first + count).map(alert).collect::<Vec<_>>().join(",");
    let body = format!(
        r#"{{"receiver":"marple","status":"firing","alerts":[{alerts}],"groupLabels":{{"namespace":"shop"}},"commonLabels":{{}},"commonAnnotations":{{}},"externalURL":"http://alertmanager:9093","version":"4","groupKey":"{{}}:{{namespace=\"shop\"}}","truncatedAlerts":0}}"#
    );
    let length = body.len();
    let head = format!(
        "POST /api/alerts HTTP/1.1\r\nHost: marple\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// Of this process, all threads, in user and system mode.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // Linux tells in hundredths of a second on all that it is built for.
    Duration::from_millis(ticks * 10)
}

/// A line of this process's status, in MiB.
fn memory(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|one| one.strip_prefix(line)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1_024.0
}
