//! How soon a replay answers, and how fast.
//!
//! `cargo bench --workspace --bench replay [-- FILE]`: the demo's bundle, or the one that is named. A start is all from the
//! file to the first answer.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use marple_evals::{Bundle, Replay, ReplayOptions};
use tokio_util::sync::CancellationToken;

/// How often a start and a request are made.
const STARTS: usize = 20;
const REQUESTS: usize = 2_000;

/// The most that a start and a get may take.
const START: Duration = Duration::from_millis(300);
const GET: Duration = Duration::from_millis(2);

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(run());
}

async fn run() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let demo = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/bundles/ledger-outage.bundle"));
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).map_or(demo, PathBuf::from);
    println!("{}: {} bytes", file.display(), std::fs::metadata(&file).unwrap().len());
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let began = Instant::now();
        let replay = start(&file).await;
        reqwest::get(format!("{}/version", replay.kubernetes_url())).await.unwrap().error_for_status().unwrap();
        starts.push(began.elapsed());
    }
    let started = told("start to first answer", &mut starts);
    assert!(started <= START, "{started:?}");

    let replay = start(&file).await;
    let pods = replay.bundle().kubernetes.resources.iter().find(|resource| resource.is_pods()).unwrap();
    let pod = pods.objects.last().unwrap();
    let (namespace, name) = (pod.namespace().to_owned(), pod.name().to_owned());
    let kubernetes = replay.kubernetes_url();
    let mut get = None;
    for (what, url) in [
        ("get of a pod", format!("{kubernetes}/api/v1/namespaces/{namespace}/pods/{name}")),
        ("list of all pods", format!("{kubernetes}/api/v1/pods")),
        ("list of events", format!("{kubernetes}/api/v1/events")),
        ("instant query", format!("{}/api/v1/query?query=sum%20by%20(namespace)%20(up)", replay.prometheus_url())),
    ] {
        let client = reqwest::Client::new();
        let mut times = Vec::new();
        for _ in 0..REQUESTS {
            let began = Instant::now();
            client.get(&url).send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap();
            times.push(began.elapsed());
        }
        let median = told(what, &mut times);
        get.get_or_insert(median);
    }
    assert!(get.unwrap() <= GET, "{get:?}");
}

async fn start(file: &std::path::Path) -> Replay {
    let bundle = Arc::new(Bundle::read(file).unwrap());
    Replay::serve(bundle, ReplayOptions::default(), CancellationToken::new()).await.unwrap()
}

/// Prints how long it took, and gives the median.
fn told(what: &str, times: &mut [Duration]) -> Duration {
    times.sort();
    let at = |share: usize| *times.get((times.len() * share / 100).min(times.len() - 1)).unwrap();
    println!("{what}: p50 {:?}, p99 {:?}", at(50), at(99));
    at(50)
}
