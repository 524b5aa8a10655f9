#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use tokio::sync::mpsc;

use super::*;
use crate::object::{Kind, Pod};
use crate::picture::Observation;
use crate::watch::script::{Answer, answer, client, event, listed, open, page, pod, status};
use crate::watch::view::Views;

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

#[tokio::test(start_paused = true)]
async fn an_object_with_faults_ends_no_list_and_no_watch() {
    let odd = |name: &str| {
        serde_json::json!({"metadata": {"name": name, "namespace": "shop", "resourceVersion": "6", "creationTimestamp": 7},
            "spec": "none", "status": {"phase": {}, "containerStatuses": {"app": []}}})
    };
    let script = vec![
        answer("sendInitialEvents=true", 422, vec![status(422, "Invalid")]),
        answer("limit=500", 200, vec![page(vec![odd("a"), pod("b", 2)], 5, "")]),
        open("watch=true resourceVersion=5", vec![event("ADDED", odd("c")), event("MODIFIED", pod("b", 7))]),
    ];
    assert_eq!(sees(script, 6).await, ["listing", "a is", "b is", "listed", "c is", "b is"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_no_object_is_passed_over_and_the_watch_goes_on() {
    let script = vec![
        answer(
            "sendInitialEvents=true",
            200,
            vec![listed(5), event("ADDED", serde_json::json!("text")), event("ADDED", pod("a", 6))],
        ),
        open("watch=true", vec![event("ADDED", pod("b", 7))]),
    ];
    assert_eq!(sees(script, 4).await, ["listing", "listed", "a is", "b is"]);
}

/// A kubelet's warning of a pod, as one of many.
fn warning(number: u32) -> serde_json::Value {
    let now = jiff::Timestamp::now();
    event(
        "ADDED",
        serde_json::json!({
            "metadata": {"name": format!("cart-{number}.1"), "namespace": "shop", "resourceVersion": (6 + number).to_string()},
            "involvedObject": {"apiVersion": "v1", "kind": "Endpoints", "namespace": "shop", "name": format!("cart-{number}")},
            "type": "Warning", "reason": "FailedToUpdateEndpoint", "message": "no", "count": 3,
            "firstTimestamp": now, "lastTimestamp": now}),
    )
}

/// More would make another request, which the script doesn't know: no watch fails.
#[tokio::test(start_paused = true)]
async fn of_fifty_thousand_events_each_is_seen_by_one_watch_and_no_more_is_kept_than_may_be() {
    const EVENTS: u32 = 50_000;
    let mark = serde_json::json!({"kind": "Event", "apiVersion": "v1",
        "metadata": {"resourceVersion": "5", "annotations": {"k8s.io/initial-events-end": "true"}}});
    let script = vec![Answer::of(
        "sendInitialEvents=true",
        [event("BOOKMARK", mark)].into_iter().chain((0..EVENTS).map(warning)),
    )];
    let (sender, mut observations) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let api = kube::Api::<crate::object::Event>::all(client(script));
    let watch = Watch::new(Views(api), Scope::Cluster, sender, Duration::from_mins(5), cancel.clone());
    let running = tokio::spawn(watch.run());
    let mut config = crate::ForwarderConfig::default();
    config.conditions.warning_event.enabled = true;
    let mut picture = crate::picture::Picture::new("test", config);
    let (mut seen, mut told, mut most) = (0, 0, 0);
    while seen < EVENTS {
        let observation = observations.recv().await.expect("the watch ended");
        seen += u32::from(matches!(observation, Observation::Seen(..)));
        told += picture.take(observation, jiff::Timestamp::now()).len();
        most = most.max(picture.conditions()).max(picture.objects());
    }
    assert_eq!((most, told), (4_096, 4_096), "each that is taken up is told");
    cancel.cancel();
    running.await.unwrap();
}
