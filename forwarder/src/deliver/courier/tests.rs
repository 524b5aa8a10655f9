#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod outage;

use std::sync::{Arc, Mutex as Lock};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use marple_core::{Period, SignalStatus::Firing};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::RunnerEndpoint;
use crate::change::Reached;
use crate::deliver::fixture::signal;

/// A runner that takes or doesn't, and notes what it took: what was posted and under which number of which stream.
#[derive(Clone, Default)]
struct Runner(Arc<Lock<State_>>);

#[derive(Default)]
struct State_ {
    away: bool,
    /// The signal that it refuses.
    refuses: Option<u64>,
    took: Vec<(String, Option<Sequence>)>,
    /// What it says that it was told of conditions.
    told: Vec<Telling>,
    /// How far watches have come, as it was told.
    reached: Vec<String>,
}

impl Runner {
    async fn start(&self) -> HttpDeliver {
        let router = Router::new()
            .route("/api/signals", post(take).get(|| async { Json(json!([])) }))
            .route("/api/signals/told", get(told))
            .route("/api/changes", post(take))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        rustls::crypto::ring::default_provider().install_default().ok();
        HttpDeliver::new(&RunnerEndpoint { url, token: None, timeout: Period::seconds(5) }).unwrap()
    }

    fn away(&self, away: bool) {
        self.0.lock().unwrap().away = away;
    }

    fn took(&self) -> Vec<(String, Option<Sequence>)> {
        self.0.lock().unwrap().took.clone()
    }

    /// How far watches have come, as it was told.
    fn reached(&self) -> Vec<String> {
        self.0.lock().unwrap().reached.clone()
    }

    fn contents(&self) -> Vec<String> {
        self.took().into_iter().map(|(content, _)| content).collect()
    }

    /// Waits until so many were taken.
    async fn has(&self, count: usize) {
        until(|| std::future::ready(self.took().len() >= count)).await;
    }
}

async fn told(State(runner): State<Runner>) -> Json<Vec<Telling>> {
    Json(runner.0.lock().unwrap().told.clone())
}

async fn take(State(runner): State<Runner>, headers: HeaderMap, Json(body): Json<Value>) -> StatusCode {
    let mut state = runner.0.lock().unwrap();
    if state.away {
        return StatusCode::BAD_GATEWAY;
    }
    let numbers: Vec<u64> = match body.as_array() {
        Some(signals) => {
            let pod = |signal: &Value| {
                signal["subject"]["name"].as_str().unwrap().trim_start_matches("cart-").parse().unwrap()
            };
            signals.iter().map(pod).collect()
        }
        None => vec![],
    };
    if state.refuses.is_some_and(|refused| numbers.contains(&refused)) {
        return StatusCode::BAD_REQUEST;
    }
    let names = body["entries"].as_array().into_iter().flatten().map(|entry| entry["object"]["name"].as_str().unwrap());
    let names = names.collect::<Vec<_>>().join(" ");
    let content = match body["cluster"].as_str() {
        None => format!("{numbers:?}"),
        Some(cluster) if names.is_empty() => cluster.to_owned(),
        Some(_) => names,
    };
    let reached = body["reached"].as_array().into_iter().flatten().map(|one| one["version"].to_string());
    state.reached.extend(reached);
    let sequence = headers.get(Sequence::HEADER).map(|value| value.to_str().unwrap().parse().unwrap());
    state.took.push((content, sequence));
    StatusCode::OK
}

/// Waits until it holds.
async fn until(holds: impl AsyncFn() -> bool) {
    let held = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), held).await.expect("it did not come to hold in 5 s");
}

fn entry(name: &str) -> crate::change::Entry {
    let object = marple_core::ObjectRef::namespaced("ConfigMap", "shop", name);
    crate::change::Entry { object, changes: vec![], state: None }
}

fn changes(cluster: &str) -> Batch {
    Batch { cluster: cluster.to_owned(), ..Batch::default() }
}

async fn spooling(runner: &Runner, folder: &TempDir, most: &str) -> Arc<Courier> {
    let file = folder.path().join("spool.db");
    Arc::new(Courier::spooling(runner.start().await, &file, most.parse().unwrap()).await.unwrap())
}

fn run(courier: &Arc<Courier>) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let (courier, cancel) = (Arc::clone(courier), CancellationToken::new());
    let stop = cancel.clone();
    (cancel, tokio::spawn(async move { courier.run(stop).await }))
}

#[tokio::test]
async fn each_lane_has_numbers_of_its_own_in_order() {
    let runner = Runner::default();
    let courier = Courier::direct(runner.start().await);
    courier.deliver(vec![signal(1, Firing)]).await.unwrap();
    courier.record(changes("a")).await.unwrap();
    courier.deliver(vec![signal(2, Firing)]).await.unwrap();
    let took = runner.took();
    let numbers: Vec<u64> = took.iter().map(|(_, sequence)| sequence.unwrap().number).collect();
    assert_eq!((runner.contents().join(" "), numbers), ("[1] a [2]".to_owned(), vec![1, 1, 2]));
    assert_eq!(took[0].1.unwrap().stream, took[2].1.unwrap().stream);
    assert_ne!(took[0].1.unwrap().stream, took[1].1.unwrap().stream);
    runner.away(true);
    let error = courier.deliver(vec![signal(3, Firing)]).await.unwrap_err();
    assert_eq!(error.class(), "unreachable", "without a spool who delivers tries again");
}

#[tokio::test]
async fn what_comes_while_the_runner_is_away_is_delivered_by_the_next_process_before_anything_newer() {
    let (runner, folder) = (Runner::default(), tempfile::tempdir().unwrap());
    runner.away(true);
    let first = spooling(&runner, &folder, "1MiB").await;
    first.deliver(vec![signal(1, Firing)]).await.unwrap();
    first.record(changes("a")).await.unwrap();
    let (cancel, running) = run(&first);
    cancel.cancel();
    running.await.unwrap();
    first.close().await;
    runner.away(false);

    let second = spooling(&runner, &folder, "1MiB").await;
    let untold = second.kept("test", "ConfigMap").await.unwrap_err().to_string();
    assert_eq!(untold, "what the runner holds: 2 posts in the spool come first");
    second.deliver(vec![signal(2, Firing)]).await.unwrap();
    assert_eq!(runner.contents(), [""; 0], "nothing newer goes first");
    let (cancel, running) = run(&second);
    runner.has(3).await;
    assert_eq!(runner.contents(), ["[1]", "a", "[2]"]);
    let streams: Vec<_> = runner.took().iter().map(|(_, sequence)| sequence.unwrap().stream).collect();
    assert!(streams[0] != streams[2], "the next process has a stream of its own");
    until(async || second.firing().await.is_ok()).await;
    second.deliver(vec![signal(3, Firing)]).await.unwrap();
    assert_eq!(runner.contents().last().unwrap(), "[3]", "at once, for the spool is empty");
    cancel.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn of_what_is_refused_as_a_whole_the_rest_arrives() {
    let (runner, folder) = (Runner::default(), tempfile::tempdir().unwrap());
    runner.away(true);
    let courier = spooling(&runner, &folder, "1MiB").await;
    courier.deliver(vec![signal(1, Firing), signal(13, Firing), signal(2, Firing)]).await.unwrap();
    courier.deliver(vec![signal(13, Firing)]).await.unwrap();
    courier.deliver(vec![signal(4, Firing)]).await.unwrap();
    runner.0.lock().unwrap().refuses = Some(13);
    runner.away(false);
    let (cancel, running) = run(&courier);
    runner.has(3).await;
    assert_eq!(runner.contents(), ["[1]", "[2]", "[4]"]);
    cancel.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn where_the_spool_is_full_who_delivers_waits() {
    let (runner, folder) = (Runner::default(), tempfile::tempdir().unwrap());
    runner.away(true);
    let courier = spooling(&runner, &folder, "1KiB").await;
    let mut taken = 0_u64;
    let full = loop {
        match courier.deliver(vec![signal(taken, Firing)]).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!((1..4).contains(&taken), "{taken}");
    assert_eq!(full.class(), "busy");
}

#[tokio::test]
async fn who_leads_again_takes_nothing_back_that_another_has_told_meanwhile() {
    let (runner, folder) = (Runner::default(), tempfile::tempdir().unwrap());
    runner.away(true);
    let courier = spooling(&runner, &folder, "1MiB").await;
    courier.lead().await.unwrap();
    let at = |second| Timestamp::from_second(second).unwrap();
    let fired = |number, second| Signal { starts_at: at(second), ..signal(number, Firing) };
    // Of the second another was told that it ended since, of the third before; of the first and fourth it heard nothing.
    courier.deliver(vec![fired(1, 10), fired(2, 10), fired(3, 10)]).await.unwrap();
    courier.deliver(vec![fired(2, 12)]).await.unwrap();
    let reached =
        Reached { kind: "A".to_owned(), namespace: String::new(), form: String::new(), version: "7".to_owned() };
    courier.record(Batch { reached: vec![reached.clone()], ..changes("a") }).await.unwrap();
    courier.record(Batch { reached: vec![reached], entries: vec![entry("map")], ..changes("a") }).await.unwrap();
    let told = |number, ended| Telling {
        fingerprint: marple_core::Fingerprint::from_bits(number),
        told_at: at(5),
        ended_at: Some(at(ended)),
    };
    runner.0.lock().unwrap().told = vec![told(2, 20), told(3, 6)];

    // It leads no longer, and nothing leaves; and then it does again.
    let (cancel, running) = run(&courier);
    cancel.cancel();
    running.await.unwrap();
    runner.away(false);
    assert_eq!(runner.contents(), [""; 0]);
    courier.lead().await.unwrap();
    let (cancel, running) = run(&courier);
    until(async || courier.emptied().await.is_ok()).await;
    assert_eq!(runner.contents(), ["[1, 3]", "map"]);
    assert_eq!(runner.reached(), [""; 0], "how far it had come is not told");

    // What it spools from then on is of its own time.
    runner.away(true);
    courier.deliver(vec![fired(2, 13)]).await.unwrap();
    runner.away(false);
    runner.has(3).await;
    assert_eq!(runner.contents(), ["[1, 3]", "map", "[2]"]);
    cancel.cancel();
    running.await.unwrap();
}
