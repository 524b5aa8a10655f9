#![allow(clippy::unwrap_used)]

use k8s_openapi::api::core::v1::Pod;

use super::*;
use crate::watch::script::{Answer, answer, client, event, listed, open, page, pod, status};

/// What is read of this script, in short: so many steps, from a version or with a list first.
async fn steps(script: Vec<Answer>, from: Option<&str>, count: usize) -> Vec<String> {
    let api = Api::<Pod>::all(client(script));
    let config = watcher::Config::default().streaming_lists();
    let steps = read(api, config, from.map(str::to_owned)).take(count);
    let name = |pod: Pod| pod.metadata.name.unwrap();
    let told = steps.map(|step| match step {
        Ok(Step::At(version)) => format!("at {version}"),
        Ok(Step::Behind(version)) => format!("behind {version}"),
        Ok(Step::Event(Event::Init)) => "listing".to_owned(),
        Ok(Step::Event(Event::InitDone)) => "listed".to_owned(),
        Ok(Step::Event(Event::InitApply(pod) | Event::Apply(pod))) => format!("{} is", name(pod)),
        Ok(Step::Event(Event::Delete(pod))) => format!("{} gone", name(pod)),
        Err(error) => match error {
            Error::WatchError(status) => format!("status {}", status.code),
            Error::WatchStartFailed(_) => "not watched".to_owned(),
            Error::InitialListFailed(_) => "not listed".to_owned(),
            other => other.to_string(),
        },
    });
    told.collect().await
}

#[tokio::test(start_paused = true)]
async fn the_watch_begins_before_the_list_so_that_nothing_is_missed_and_tells_how_far_it_is() {
    let mark = event(
        "BOOKMARK",
        serde_json::json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": "12"}}),
    );
    let script = vec![
        answer("limit=1", 200, vec![page(vec![], 5, "")]),
        open("sendInitialEvents=true", vec![event("ADDED", pod("a", 1)), listed(7)]),
        answer("limit=1", 200, vec![page(vec![], 8, "")]),
        answer(
            "watch=true resourceVersion=5 allowWatchBookmarks=true !sendInitialEvents",
            200,
            vec![event("ADDED", pod("b", 6)), mark],
        ),
        open("watch=true resourceVersion=12", vec![event("DELETED", pod("b", 13))]),
    ];
    assert_eq!(
        steps(script, None, 8).await,
        ["listing", "a is", "listed", "behind 8", "at 5", "b is", "at 12", "b gone"]
    );
}

#[tokio::test(start_paused = true)]
async fn from_a_version_there_is_no_list_and_after_a_cut_it_goes_on_from_where_it_was() {
    let script = vec![
        answer("limit=1", 200, vec![page(vec![], 7, "")]),
        answer("watch=true resourceVersion=5", 200, vec![event("MODIFIED", pod("a", 6))]),
        answer("watch=true resourceVersion=6", 503, vec![status(503, "ServiceUnavailable")]),
        answer("watch=true resourceVersion=6", 200, vec![event("DELETED", pod("a", 8))]),
        answer("watch=true resourceVersion=8", 200, vec![event("ERROR", status(410, "Expired"))]),
    ];
    assert_eq!(steps(script, Some("5"), 6).await, ["behind 7", "at 5", "a is", "not watched", "a gone", "status 410"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_of_a_mebibyte_is_read_as_any_other() {
    let mut large = pod("large", 6);
    large["metadata"]["annotations"] = serde_json::json!({"blob": "x".repeat(1 << 20)});
    let script = vec![
        answer("limit=1", 200, vec![page(vec![], 5, "")]),
        open("watch=true resourceVersion=5", vec![event("ADDED", large), event("ADDED", pod("small", 7))]),
    ];
    assert_eq!(steps(script, Some("5"), 4).await, ["behind 5", "at 5", "large is", "small is"]);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_listed_is_tried_again() {
    let script = vec![
        answer("limit=1", 403, vec![status(403, "Forbidden")]),
        answer("limit=1", 200, vec![page(vec![], 5, "")]),
        open("sendInitialEvents=true", vec![listed(5)]),
    ];
    assert_eq!(steps(script, None, 3).await, ["not listed", "listing", "listed"]);
}

#[tokio::test(start_paused = true)]
async fn from_a_version_that_the_cluster_has_not_come_to_all_is_listed_anew() {
    let script = vec![
        answer("limit=1", 200, vec![page(vec![], 50, "")]),
        open("sendInitialEvents=true", vec![event("ADDED", pod("a", 1)), listed(50)]),
        answer("limit=1", 503, vec![status(503, "ServiceUnavailable")]),
        answer("limit=1", 200, vec![page(vec![], 51, "")]),
        open("watch=true resourceVersion=50", vec![event("ADDED", pod("b", 52))]),
    ];
    assert_eq!(
        steps(script, Some("900"), 7).await,
        ["listing", "a is", "listed", "not watched", "behind 51", "at 50", "b is"]
    );
}
