//! What no object should say: faults of its form, clocks that are wrong, storms.

use std::time::Duration;

use super::*;

#[test]
fn an_object_without_a_name_is_passed_over() {
    let mut picture = picture();
    for text in ["{}", r#"{"metadata": {"name": 7}}"#, r#"{"metadata": [], "status": "x"}"#] {
        let pod = serde_json::from_str(text).unwrap();
        assert_eq!(picture.take(seen(Object::Pod(Box::new(pod))), at(NOW)), []);
    }
    assert_eq!((picture.objects(), picture.conditions()), (0, 0));
}

#[test]
fn a_malformed_status_ends_no_condition_of_others_and_shows_none() {
    let mut picture = picture();
    picture.take(seen(broken("u1")), at(NOW));
    let odd = json!({"phase": 3, "conditions": {"type": "Ready"}, "containerStatuses": [7, {"name": ["app"], "state": {"waiting": "x"}}]});
    let signals = picture.take(seen(pod_status("u1", odd)), at(NOW));
    assert_eq!(brief(&signals), [("PodImagePullFailing", Resolved)]);
    assert_eq!((picture.objects(), picture.conditions()), (1, 0));
}

fn unready(since: &str) -> Object {
    pod_status(
        "u1",
        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": since}],
            "containerStatuses": [{"name": "app", "state": {"running": {"startedAt": since}}}]}),
    )
}

#[test]
fn a_clock_that_goes_ahead_neither_hides_a_condition_nor_dates_it_ahead() {
    for ahead in ["2026-01-01T10:00:01Z", "2027-01-01T00:00:00Z", "9999-12-30T22:00:00Z"] {
        let mut picture = picture();
        assert_eq!(picture.take(seen(unready(ahead)), at(NOW)), []);
        assert_eq!(picture.next_due(), Some(at("2026-01-01T10:05:00Z")));
        let signals = picture.due(at("2026-01-01T10:05:00Z"));
        assert_eq!(brief(&signals), [("PodNotReady", Firing)]);
        assert_eq!(signals[0].starts_at, at(NOW));
    }
}

#[test]
fn a_clock_that_goes_behind_is_not_believed_beyond_the_making_of_the_object() {
    let of = |since: &str| {
        Object::Node(view(json!({"metadata": {"name": "worker-1", "creationTimestamp": "2026-01-01T09:59:50Z"},
            "status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": since}]}})))
    };
    for behind in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-01-01T09:00:00Z"] {
        let mut picture = picture();
        assert_eq!(picture.take(seen(of(behind)), at(NOW)), [], "not told early");
        assert_eq!(picture.next_due(), Some(at("2026-01-01T10:00:50Z")));
        assert_eq!(picture.due(at("2026-01-01T10:00:50Z"))[0].starts_at, at("2026-01-01T09:59:50Z"));
    }
}

#[test]
fn what_is_over_some_time_after_an_event_of_a_clock_ahead_is_over_that_time_from_now() {
    let mut picture = picture();
    picture.take(seen(pod_status("u1", json!({"phase": "Pending"}))), at(NOW));
    picture.take(seen(mount_failure("u1", "2026-01-01T13:00:00Z")), at(NOW));
    assert_eq!(picture.next_due(), Some(at("2026-01-01T10:10:00Z")));
    assert_eq!(brief(&picture.due(at("2026-01-01T10:10:00Z"))), [("PodVolumeFailing", Resolved)]);
}

/// As many warnings as a broken network makes, each of another pod: what is kept of them has a bound, and what pods
/// themselves show is told as ever.
#[test]
fn fifty_thousand_events_in_a_minute_are_bounded() {
    let mut picture = picture();
    picture.take(Observation::Forbidden(Kind::Pod, Scope::Cluster), at(NOW));
    let start = at(NOW);
    let mut told = 0;
    for number in 0..50_000_u32 {
        let now = start + Duration::from_millis(u64::from(number)).mul_f64(1.2);
        let event = Object::Event(view(json!({
            "metadata": {"name": format!("cart-{number}.1"), "namespace": "shop"},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": format!("cart-{number}")},
            "reason": "FailedCreatePodSandBox", "message": "no network", "count": 3,
            "firstTimestamp": NOW, "lastTimestamp": now.to_string()})));
        told += picture.take(seen(event), now).len();
        assert!(picture.conditions() <= 4096);
    }
    assert_eq!((told, picture.objects()), (4096, 0));
    let node = json!({"metadata": {"name": "worker-1"}, "status": {"conditions": [
        {"type": "NetworkUnavailable", "status": "True", "lastTransitionTime": NOW}]}});
    let signals = picture.take(seen(Object::Node(view(node))), at("2026-01-01T10:01:00Z"));
    assert_eq!(brief(&signals), [("NodeNetworkUnavailable", Firing)]);
    assert_eq!(picture.due(at("2026-01-01T11:00:00Z")).len(), 4096, "room comes back");
    assert_eq!(picture.conditions(), 1);
}
