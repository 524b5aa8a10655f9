#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::unnecessary_box_returns, reason = "objects hold their views boxed")]
#![allow(clippy::needless_pass_by_value, reason = "literals of JSON read better without a borrow")]

mod faults;
mod releases;
mod runs;

use marple_core::SignalStatus::{self, Firing, Resolved};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-01-01T10:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn view<T: DeserializeOwned>(json: Value) -> Box<T> {
    Box::new(serde_json::from_value(json).unwrap())
}

fn seen(object: Object) -> Observation {
    Observation::Seen(object, Scope::Cluster)
}

fn owned(kind: &str, name: &str) -> Value {
    json!([{"apiVersion": "v1", "kind": kind, "name": name, "uid": "u", "controller": true}])
}

fn pod_status(uid: &str, status: Value) -> Object {
    Object::Pod(view(json!({
        "metadata": {"name": "cart-1", "namespace": "shop", "uid": uid, "ownerReferences": owned("ReplicaSet", "cart-7d4")},
        "spec": {"nodeName": "worker-1"}, "status": status})))
}

/// A pod that can't get its image.
fn broken(uid: &str) -> Object {
    pod_status(
        uid,
        json!({
            "phase": "Pending",
            "conditions": [{"type": "ContainersReady", "status": "False", "lastTransitionTime": "2026-01-01T09:00:00Z"}],
            "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}}]}),
    )
}

fn ready(since: &str) -> Object {
    let condition = json!([{"type": "Ready", "status": "True", "lastTransitionTime": since}]);
    pod_status("u1", json!({"phase": "Running", "conditions": condition}))
}

fn replica_set(replicas: u32) -> Object {
    Object::ReplicaSet(view(json!({
        "metadata": {"name": "cart-7d4", "namespace": "shop", "ownerReferences": owned("Deployment", "cart")},
        "spec": {"replicas": replicas}})))
}

fn mount_failure(uid: &str, last: &str) -> Object {
    Object::Event(view(json!({
        "metadata": {"name": "cart-1.1", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "cart-1", "uid": uid},
        "reason": "FailedMount", "message": "no secret", "count": 3,
        "firstTimestamp": "2026-01-01T09:50:00Z", "lastTimestamp": last})))
}

/// As it is by default, but that an image that can't be pulled is told at once.
fn config() -> ForwarderConfig {
    let mut config = ForwarderConfig::default();
    config.conditions.image_pull.hold = marple_core::Period::seconds(0);
    config
}

fn picture() -> Picture {
    Picture::new("production", config())
}

fn brief(signals: &[Signal]) -> Vec<(&str, SignalStatus)> {
    signals.iter().map(|signal| (signal.name.as_str(), signal.status)).collect()
}

#[test]
fn a_signal_names_the_pod_and_the_deployment_that_owns_it_by_references() {
    let mut picture = picture();
    picture.take(seen(replica_set(1)), at(NOW));
    let signals = picture.take(seen(broken("u1")), at(NOW));
    let expected: Signal = serde_json::from_value(json!({
        "source": "forwarder", "fingerprint": signals[0].fingerprint, "status": "firing", "name": "PodImagePullFailing",
        "severity": "warning", "subject": {"kind": "Pod", "namespace": "shop", "name": "cart-1"},
        "labels": {"alertname": "PodImagePullFailing", "cluster": "production", "severity": "warning", "namespace": "shop", "node": "worker-1",
            "deployment": "cart", "pod": "cart-1", "container": "app", "reason": "ImagePullBackOff"},
        "annotations": {"summary": "Image ? of container app of Pod shop/cart-1 can't be pulled: no", "description": "no"},
        "starts_at": "2026-01-01T09:00:00Z",
    }))
    .unwrap();
    assert_eq!(signals, [expected]);
}

#[test]
fn an_image_is_told_its_hold_after_the_first_pull_that_failed_whichever_reason_shows() {
    let mut picture = Picture::new("production", ForwarderConfig::default());
    let pulling = |reason: &str| {
        pod_status(
            "u1",
            json!({"phase": "Pending",
                "conditions": [{"type": "ContainersReady", "status": "False", "lastTransitionTime": "2026-01-01T09:00:00Z"}],
                "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": reason}}}]}),
        )
    };
    assert_eq!(picture.take(seen(pulling("ContainerCreating")), at("2026-01-01T09:50:00Z")), []);
    assert_eq!(picture.take(seen(pulling("ErrImagePull")), at(NOW)), []);
    assert_eq!(picture.take(seen(pulling("ImagePullBackOff")), at("2026-01-01T10:00:15Z")), []);
    let due = at("2026-01-01T10:00:30Z");
    assert_eq!(picture.next_due(), Some(due));
    assert_eq!(brief(&picture.due(due)), [("PodImagePullFailing", Firing)]);
}

#[test]
fn a_condition_keeps_its_fingerprint_over_pods_of_the_same_name() {
    let first = picture().take(seen(broken("u1")), at(NOW));
    let other = picture().take(seen(broken("u2")), at(NOW));
    assert_eq!(first[0].fingerprint, other[0].fingerprint);
}

#[test]
fn what_vanished_while_the_watch_was_away_is_resolved_by_the_next_listing() {
    let mut picture = picture();
    picture.take(Observation::Listing(Kind::Pod, Scope::Cluster), at(NOW));
    assert_eq!(brief(&picture.take(seen(broken("u1")), at(NOW))), [("PodImagePullFailing", Firing)]);
    assert_eq!(picture.take(Observation::Listed(Kind::Pod, Scope::Cluster), at(NOW)), []);
    picture.take(Observation::Listing(Kind::Pod, Scope::Cluster), at(NOW));
    let signals = picture.take(Observation::Listed(Kind::Pod, Scope::Cluster), at(NOW));
    assert_eq!(brief(&signals), [("PodImagePullFailing", Resolved)]);
    assert_eq!((picture.objects(), picture.conditions()), (0, 0));
}

#[test]
fn a_listing_that_breaks_off_resolves_nothing() {
    let mut picture = picture();
    picture.take(seen(broken("u1")), at(NOW));
    picture.take(Observation::Listing(Kind::Pod, Scope::Cluster), at(NOW));
    picture.take(Observation::Listing(Kind::Pod, Scope::Cluster), at(NOW));
    assert_eq!(picture.take(seen(broken("u1")), at(NOW)), []);
    assert_eq!(picture.take(Observation::Listed(Kind::Pod, Scope::Cluster), at(NOW)), []);
}

#[test]
fn a_pod_that_was_replaced_under_its_name_is_another() {
    let mut picture = picture();
    picture.take(seen(broken("u1")), at(NOW));
    let signals = picture.take(seen(broken("u2")), at("2026-01-01T10:01:00Z"));
    assert_eq!(brief(&signals), [("PodImagePullFailing", Resolved), ("PodImagePullFailing", Firing)]);
}

#[test]
fn an_event_is_told_of_the_pod_and_ends_when_the_pod_is_ready_since() {
    let mut picture = picture();
    picture.take(seen(pod_status("u1", json!({"phase": "Pending"}))), at(NOW));
    let signals = picture.take(seen(mount_failure("u1", "2026-01-01T09:59:00Z")), at(NOW));
    assert_eq!(brief(&signals), [("PodVolumeFailing", Firing)]);
    assert_eq!(brief(&picture.take(seen(ready("2026-01-01T10:00:00Z")), at(NOW))), [("PodVolumeFailing", Resolved)]);
}

#[test]
fn an_event_about_a_pod_that_is_well_since_gone_or_another_by_now_says_nothing() {
    let mut picture = picture();
    let old = || seen(mount_failure("u1", "2026-01-01T09:59:00Z"));
    assert_eq!(picture.take(old(), at(NOW)), []);
    picture.take(seen(ready("2026-01-01T09:59:30Z")), at(NOW));
    assert_eq!(picture.take(old(), at(NOW)), []);
    assert_eq!(picture.take(seen(mount_failure("u0", "2026-01-01T09:59:59Z")), at(NOW)), []);
}

#[test]
fn an_event_ends_by_itself_when_nothing_more_is_heard() {
    let mut picture = picture();
    picture.take(seen(pod_status("u1", json!({"phase": "Pending"}))), at(NOW));
    picture.take(seen(mount_failure("u1", "2026-01-01T09:59:00Z")), at(NOW));
    assert_eq!(picture.next_due(), Some(at("2026-01-01T10:09:00Z")));
    assert_eq!(brief(&picture.due(at("2026-01-01T10:09:00Z"))), [("PodVolumeFailing", Resolved)]);
}

#[test]
fn three_restarts_that_were_seen_one_by_one_are_a_crash_loop() {
    let mut picture = picture();
    let restarted = |count: u32, minute: u32| {
        let ended = format!("2026-01-01T10:{minute:02}:00Z");
        seen(pod_status(
            "u1",
            json!({"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": count,
            "state": {"running": {"startedAt": ended}}, "lastState": {"terminated": {"exitCode": 1, "finishedAt": ended}}}]}),
        ))
    };
    assert_eq!(picture.take(restarted(1, 1), at("2026-01-01T10:01:00Z")), []);
    assert_eq!(picture.take(restarted(2, 5), at("2026-01-01T10:05:00Z")), []);
    assert_eq!(picture.take(restarted(2, 5), at("2026-01-01T10:06:00Z")), []);
    let signals = picture.take(restarted(3, 9), at("2026-01-01T10:09:00Z"));
    assert_eq!(brief(&signals), [("PodCrashLooping", Firing)]);
    assert_eq!(picture.next_due(), Some(at("2026-01-01T10:19:00Z")));
}

#[test]
fn namespaces_that_do_not_count_are_not_looked_at() {
    let config = serde_json::from_value(json!({"namespaces": {"exclude": ["sh*"]}})).unwrap();
    let mut picture = Picture::new("production", config);
    assert_eq!(picture.take(seen(broken("u1")), at(NOW)), []);
    assert_eq!(picture.objects(), 0);
}

#[test]
fn old_revisions_are_not_kept() {
    let mut picture = picture();
    picture.take(seen(replica_set(1)), at(NOW));
    assert_eq!(picture.objects(), 1);
    picture.take(seen(replica_set(0)), at(NOW));
    assert_eq!(picture.objects(), 0);
}

#[test]
fn what_the_runner_holds_is_resolved_only_once_its_kind_was_listed() {
    let mut picture = picture();
    let told = picture.take(seen(broken("u1")), at(NOW));
    let mut restarted = Picture::new("production", ForwarderConfig::default());
    restarted.adopt(told, []);
    restarted.take(Observation::Forbidden(Kind::Pod, Scope::Cluster), at(NOW));
    assert_eq!(restarted.settle(at(NOW)), []);
    restarted.take(Observation::Listing(Kind::Pod, Scope::Cluster), at(NOW));
    restarted.take(Observation::Listed(Kind::Pod, Scope::Cluster), at(NOW));
    assert_eq!(brief(&restarted.settle(at(NOW))), [("PodImagePullFailing", Resolved)]);
}

#[test]
fn what_the_runner_holds_of_a_kind_that_may_not_be_watched_is_over_after_an_hour() {
    let told = picture().take(seen(broken("u1")), at(NOW));
    let mut restarted = picture();
    restarted.adopt(told, []);
    restarted.take(Observation::Forbidden(Kind::Pod, Scope::Cluster), at(NOW));
    restarted.take(Observation::Forbidden(Kind::Pod, Scope::Cluster), at("2026-01-01T10:30:00Z"));
    assert_eq!(restarted.settle(at("2026-01-01T11:00:00Z")), [], "events may tell of it");
    restarted.take(Observation::Listing(Kind::Event, Scope::Cluster), at(NOW));
    restarted.take(Observation::Listed(Kind::Event, Scope::Cluster), at(NOW));
    assert_eq!(restarted.settle(at("2026-01-01T10:59:59Z")), []);
    assert_eq!(brief(&restarted.settle(at("2026-01-01T11:00:00Z"))), [("PodImagePullFailing", Resolved)]);
}

#[test]
fn after_a_restart_nothing_is_over_before_all_were_heard_who_may_tell_of_it() {
    let told = picture().take(seen(broken("u1")), at(NOW));
    let mut restarted = picture();
    restarted.adopt(told, []);
    restarted.take(Observation::Listing(Kind::Pod, Scope::Cluster), at(NOW));
    assert_eq!(restarted.take(seen(broken("u1")), at(NOW)), []);
    assert_eq!(restarted.take(seen(ready("2026-01-01T10:00:00Z")), at(NOW)), []);
    assert_eq!(restarted.settle(at(NOW)), [], "the pods are not all listed");
    restarted.take(Observation::Listed(Kind::Pod, Scope::Cluster), at(NOW));
    assert_eq!(brief(&restarted.settle(at(NOW))), [("PodImagePullFailing", Resolved)]);
    assert_eq!(restarted.conditions(), 0);
}

#[test]
fn what_is_refused_in_one_namespace_holds_up_nothing_of_another() {
    let told = picture().take(seen(broken("u1")), at(NOW));
    let config = serde_json::from_value(json!({"namespaces": {"include": ["shop", "till"]}})).unwrap();
    let mut restarted = Picture::new("production", config);
    restarted.adopt(told, []);
    restarted.take(Observation::Forbidden(Kind::Pod, Scope::Namespace("till".to_owned())), at(NOW));
    restarted.take(Observation::Listing(Kind::Pod, Scope::Namespace("shop".to_owned())), at(NOW));
    restarted.take(Observation::Listed(Kind::Pod, Scope::Namespace("shop".to_owned())), at(NOW));
    assert_eq!(brief(&restarted.settle(at(NOW))), [("PodImagePullFailing", Resolved)]);
}

#[test]
fn what_another_forwarder_tells_is_left_to_it() {
    let told = picture().take(seen(broken("u1")), at(NOW));
    let of = |cluster: &str, include: &str| {
        let config = serde_json::from_value(json!({"namespaces": {"include": [include]}})).unwrap();
        let mut other = Picture::new(cluster, config);
        other.adopt(told.clone(), []);
        let scope = Scope::Namespace(include.to_owned());
        other.take(Observation::Listing(Kind::Pod, scope.clone()), at(NOW));
        other.take(Observation::Listed(Kind::Pod, scope), at(NOW));
        other.settle(at(NOW))
    };
    assert_eq!(of("production", "till"), [], "of another namespace");
    assert_eq!(of("staging", "shop"), [], "of another cluster");
    assert_eq!(brief(&of("production", "shop")), [("PodImagePullFailing", Resolved)]);
}

#[test]
fn the_same_condition_in_two_clusters_is_two() {
    let here = picture().take(seen(broken("u1")), at(NOW));
    let there = Picture::new("staging", config()).take(seen(broken("u1")), at(NOW));
    assert_ne!(here[0].fingerprint, there[0].fingerprint);
}
