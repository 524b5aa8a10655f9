#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod outage;

use std::sync::{Arc, Mutex as Lock};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use marple_core::{Period, SignalStatus::Firing};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::RunnerEndpoint;
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
}

impl Runner {
    async fn start(&self) -> HttpDeliver {
        let router = Router::new()
            .route("/api/signals", post(take).get(|| async { Json(json!([])) }))
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

    fn contents(&self) -> Vec<String> {
        self.took().into_iter().map(|(content, _)| content).collect()
    }

    /// Waits until so many were taken.
    async fn has(&self, count: usize) {
        until(|| std::future::ready(self.took().len() >= count)).await;
    }
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
    drop(first);
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
