//! The whole program, measured from outside: `cargo build --release && cargo bench -p marple-tests --bench program`.
//!
//! Size, time to ready, resident memory idle and in a storm, and the time from an alert to the sink beyond the group
//! wait. Each figure is printed beside its bar.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::{Json, Router, extract::State, routing::post};
use marple_tests::program::{Program, binary};
use marple_tests::usage;
use marple_tests::webhook::webhook;
use serde_json::{Value, json};

const NO_CLUSTER: &str = "cluster: { enabled: false }\nforwarder: { enabled: false }\n";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let size = std::fs::metadata(binary()?)?.len();
    report("program size, stripped", size as f64 / 1_048_576.0, "MiB", 40.0);
    ready().await?;
    storm().await?;
    latency(10).await?;
    latency(1).await?;
    Ok(())
}

fn report(what: &str, figure: f64, unit: &str, bar: f64) {
    println!("{what:<70} {figure:>9.2} {unit:<5} (bar {bar} {unit}){}", if figure <= bar { "" } else { "  MISSED" });
}

async fn ready() -> anyhow::Result<()> {
    let mut program = Program::serve(NO_CLUSTER, &[]).await?;
    let mut times = Vec::new();
    for _ in 0..10 {
        program.stop().await?;
        let started = Instant::now();
        program.start().await?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    report("start to ready, median of 10", times[5], "ms", 300.0);
    report("start to ready, worst of 10", times[9], "ms", 300.0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("resident memory, idle", resident(&program, "VmRSS:"), "MiB", 40.0);
    program.stop().await
}

/// 10,000 alerts of 200 workloads in posts of 50.
async fn storm() -> anyhow::Result<()> {
    let mut program = Program::serve(&format!("{NO_CLUSTER}investigation: {{ group_wait: 1s }}\n"), &[]).await?;
    let client = marple_tests::program::client();
    let started = Instant::now();
    for batch in 0..200 {
        let alerts: Vec<Value> = (0..50)
            .map(|index| {
                alert(&format!("KubePodCrashLooping{index}"), &format!("workload-{batch}"), &format!("pod-{index}"))
            })
            .collect();
        let answer = client
            .post(program.url("/api/alerts"))
            .bearer_auth(marple_tests::program::TOKEN)
            .json(&webhook(&alerts))
            .send()
            .await?;
        assert_eq!(answer.status().as_u16(), 200, "{}", answer.text().await?);
    }
    println!(
        "{:<58} {:>9.0} /s",
        "alerts taken in the storm, one client, durable",
        10_000.0 / started.elapsed().as_secs_f64()
    );
    let signals = loop {
        let incidents = program.get("/api/incidents?limit=1000").await?;
        let incidents = incidents.as_array().cloned().unwrap_or_default();
        let signals: u64 = incidents.iter().filter_map(|incident| incident["signals"].as_u64()).sum();
        if signals >= 10_000 || started.elapsed() > Duration::from_mins(1) {
            break signals;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    println!(
        "{:<58} {signals:>9} of 10000 in {:.2} s",
        "alerts that became part of an incident",
        started.elapsed().as_secs_f64()
    );
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("resident memory, highest in a storm of 10,000 alerts", resident(&program, "VmHWM:"), "MiB", 150.0);
    program.stop().await
}

type Arrivals = Arc<Mutex<BTreeMap<String, Instant>>>;

/// 100 alerts a second, so many in a row of each workload, to a webhook sink; from the first of a workload to the sink.
async fn latency(of_each: usize) -> anyhow::Result<()> {
    let arrivals = Arrivals::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let sink = format!("http://{}/hook", listener.local_addr()?);
    let router = Router::new().route("/hook", post(arrived)).with_state(arrivals.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let wait = Duration::from_secs(2);
    let mut program = Program::serve(
        &format!(
            "{NO_CLUSTER}investigation: {{ group_wait: 2s }}\nreceivers:\n  hook: {{ webhook: {{ url: \"{sink}\" }} }}\n"
        ),
        &[],
    )
    .await?;
    let client = marple_tests::program::client();
    let mut sent = BTreeMap::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for index in 0..2_000 {
        ticks.tick().await;
        let name = format!("workload-{}", index / of_each);
        sent.entry(name.clone()).or_insert_with(Instant::now);
        let answer = client
            .post(program.url("/api/alerts"))
            .bearer_auth(marple_tests::program::TOKEN)
            .json(&webhook(&[alert(&format!("KubeDeploymentReplicasMismatch{}", index % of_each), &name, "")]))
            .send()
            .await?;
        assert_eq!(answer.status().as_u16(), 200);
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while arrivals.lock().unwrap().len() < sent.len() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let arrivals = arrivals.lock().unwrap().clone();
    let missing: BTreeSet<_> = sent.keys().filter(|name| !arrivals.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{} never arrived", missing.len());
    let mut beyond: Vec<f64> = sent
        .iter()
        .map(|(name, sent)| arrivals[name].duration_since(*sent).saturating_sub(wait).as_secs_f64() * 1_000.0)
        .collect();
    beyond.sort_by(f64::total_cmp);
    let incidents = 100 / of_each;
    let what = format!("alert to sink beyond the group wait, 100/s of {incidents} incidents/s");
    report(&format!("{what}, p50"), beyond[beyond.len() / 2], "ms", 250.0);
    report(&format!("{what}, p99"), beyond[beyond.len() * 99 / 100], "ms", 250.0);
    program.stop().await
}

async fn arrived(State(arrivals): State<Arrivals>, Json(body): Json<Value>) {
    if let Some(name) = body["incident"]["subject"]["name"].as_str() {
        arrivals.lock().unwrap().entry(name.to_owned()).or_insert_with(Instant::now);
    }
}

fn alert(name: &str, deployment: &str, pod: &str) -> Value {
    let mut labels =
        json!({ "alertname": name, "namespace": "bench", "deployment": deployment, "severity": "warning" });
    if !pod.is_empty() {
        labels["instance"] = json!(pod);
    }
    marple_tests::webhook::alert(&labels)
}

/// A field of the program's memory, in MiB.
fn resident(program: &Program, field: &str) -> f64 {
    usage::memory(program.pid().unwrap(), field).unwrap()
}
