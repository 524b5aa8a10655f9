#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::needless_pass_by_value, reason = "literals of JSON read better without a borrow")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::object::{Kind, Pod};
use crate::picture::Observation;
use crate::watch::view::Views;

/// One answer of the API server, and what the request for it must ask.
struct Answer {
    wants: &'static str,
    status: u16,
    lines: Vec<Value>,
    /// Whether the answer stays open, as a watch does.
    open: bool,
}

fn answer(wants: &'static str, status: u16, lines: Vec<Value>) -> Answer {
    Answer { wants, status, lines, open: false }
}

fn open(wants: &'static str, lines: Vec<Value>) -> Answer {
    Answer { wants, status: 200, lines, open: true }
}

/// A client whose API server gives these answers in turn, and checks what is asked.
fn client(script: Vec<Answer>) -> kube::Client {
    let script = Arc::new(Mutex::new(VecDeque::from(script)));
    let service = tower::service_fn(move |request: Request<kube::client::Body>| {
        let script = script.clone();
        async move {
            let asked = request.uri().to_string();
            let answer = script.lock().unwrap().pop_front().unwrap_or_else(|| panic!("not expected: {asked}"));
            for wanted in answer.wants.split(' ') {
                match wanted.strip_prefix('!') {
                    Some(unwanted) => assert!(!asked.contains(unwanted), "{asked} asks {unwanted}"),
                    None => assert!(asked.contains(wanted), "{asked} doesn't ask {wanted}"),
                }
            }
            let lines = answer.lines.into_iter().map(|line| Ok::<_, Infallible>(Bytes::from(format!("{line}\n"))));
            let rest = if answer.open {
                futures::stream::pending().left_stream()
            } else {
                futures::stream::empty().right_stream()
            };
            let body = Body::from_stream(futures::stream::iter(lines).chain(rest));
            Ok::<_, Infallible>(Response::builder().status(answer.status).body(body).unwrap())
        }
    });
    kube::Client::new(service, "default")
}

fn pod(name: &str, version: u32) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "resourceVersion": version.to_string()}})
}

fn event(type_: &str, object: Value) -> Value {
    json!({"type": type_, "object": object})
}

/// The mark that ends a streamed list.
fn listed(version: u32) -> Value {
    let metadata =
        json!({"resourceVersion": version.to_string(), "annotations": {"k8s.io/initial-events-end": "true"}});
    event("BOOKMARK", json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata}))
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "no", "reason": reason, "code": code})
}

fn page(pods: Vec<Value>, version: u32, next: &str) -> Value {
    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": version.to_string(), "continue": next}, "items": pods})
}

/// What the watch sees of this script, in short, until so much has been seen.
async fn sees(script: Vec<Answer>, count: usize) -> Vec<String> {
    let (sender, mut observations) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let api = kube::Api::<Pod>::all(client(script));
    let watch = Watch::new(Views(api), Scope::Cluster, sender, Duration::from_mins(5), cancel.clone());
    let running = tokio::spawn(watch.run());
    let mut seen = Vec::new();
    while seen.len() < count {
        seen.push(match observations.recv().await.expect("the watch ended") {
            Observation::Listing(Kind::Pod, Scope::Cluster) => "listing".to_owned(),
            Observation::Seen(object, Scope::Cluster) => format!("{} is", object.key().name),
            Observation::Gone(key) => format!("{} gone", key.name),
            Observation::Listed(Kind::Pod, Scope::Cluster) => "listed".to_owned(),
            Observation::Forbidden(Kind::Pod, Scope::Cluster) => "forbidden".to_owned(),
            other => panic!("{other:?}"),
        });
    }
    cancel.cancel();
    running.await.unwrap();
    seen
}

#[tokio::test(start_paused = true)]
async fn a_list_is_streamed_where_the_api_server_can() {
    let script = vec![open(
        "/api/v1/pods? watch=true sendInitialEvents=true allowWatchBookmarks=true",
        vec![event("ADDED", pod("a", 1)), listed(5), event("MODIFIED", pod("a", 6)), event("DELETED", pod("a", 7))],
    )];
    assert_eq!(sees(script, 5).await, ["listing", "a is", "listed", "a is", "a gone"]);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_refuses_streamed_lists_is_listed_in_pages() {
    let script = vec![
        answer("sendInitialEvents=true", 422, vec![status(422, "Invalid")]),
        answer("limit=500 !watch=true !continue", 200, vec![page(vec![pod("a", 1)], 5, "next")]),
        answer("limit=500 continue=next", 200, vec![page(vec![pod("b", 2)], 5, "")]),
        open("watch=true resourceVersion=5 !sendInitialEvents", vec![event("ADDED", pod("c", 6))]),
    ];
    assert_eq!(sees(script, 5).await, ["listing", "a is", "b is", "listed", "c is"]);
}

#[tokio::test(start_paused = true)]
async fn a_streamed_list_that_fails_inside_is_taken_in_pages() {
    let script = vec![
        answer("sendInitialEvents=true", 200, vec![event("ERROR", status(500, "InternalError"))]),
        answer("limit=500", 200, vec![page(vec![pod("a", 1)], 5, "")]),
        open("resourceVersion=5", vec![]),
    ];
    assert_eq!(sees(script, 4).await, ["listing", "listing", "a is", "listed"]);
}

#[tokio::test(start_paused = true)]
async fn a_streamed_list_that_never_ends_is_taken_in_pages() {
    let script = vec![
        open("sendInitialEvents=true", vec![event("ADDED", pod("a", 1))]),
        answer("limit=500", 200, vec![page(vec![pod("a", 1)], 5, "")]),
        open("resourceVersion=5", vec![]),
    ];
    assert_eq!(sees(script, 5).await, ["listing", "a is", "listing", "a is", "listed"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_cut_goes_on_from_where_it_was() {
    let script = vec![
        answer("sendInitialEvents=true", 200, vec![listed(5), event("ADDED", pod("a", 6))]),
        answer("watch=true resourceVersion=6", 503, vec![status(503, "ServiceUnavailable")]),
        answer("watch=true resourceVersion=6", 200, vec![event("MODIFIED", pod("a", 8))]),
        open("watch=true resourceVersion=8", vec![event("ADDED", pod("b", 9))]),
    ];
    assert_eq!(sees(script, 5).await, ["listing", "listed", "a is", "a is", "b is"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_too_far_behind_lists_anew() {
    for gone in [
        answer("resourceVersion=5", 200, vec![event("ERROR", status(410, "Expired"))]),
        answer("resourceVersion=5", 410, vec![status(410, "Expired")]),
    ] {
        let script = vec![
            answer("sendInitialEvents=true", 200, vec![event("ADDED", pod("a", 1)), listed(5)]),
            gone,
            open("sendInitialEvents=true", vec![event("ADDED", pod("b", 7)), listed(9)]),
        ];
        assert_eq!(sees(script, 6).await, ["listing", "a is", "listed", "listing", "b is", "listed"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_kind_is_told_and_tried_again_slowly() {
    let start = tokio::time::Instant::now();
    let script = vec![
        answer("sendInitialEvents=true", 403, vec![status(403, "Forbidden")]),
        answer("sendInitialEvents=true", 403, vec![status(403, "Forbidden")]),
        open("sendInitialEvents=true", vec![listed(5)]),
    ];
    assert_eq!(sees(script, 4).await, ["forbidden", "forbidden", "listing", "listed"]);
    assert_eq!(start.elapsed().as_secs(), 600);
}
