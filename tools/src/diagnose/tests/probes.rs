//! Probes that leave too little time, and what is told of their change.

use crate::scene::{Change, Rollout};

use super::conclusions::{concluded, symptom};
use super::*;

const CART: &str = "Deployment shop/cart";

/// `cart`, which its liveness probe ended after so many seconds, with this message and log.
fn killed(lived: i64, message: &str, text: &str, spec: &Value) -> Vec<(String, String)> {
    let finished: Timestamp = "2026-01-02T11:59:00Z".parse().unwrap();
    let started = finished - jiff::SignedDuration::from_secs(lived);
    let ended = json!({"terminated": {"exitCode": 137, "reason": "Error", "startedAt": started.to_string(),
        "finishedAt": finished.to_string()}});
    let status = with(waiting("CrashLoopBackOff", "x"), &json!({"restartCount": 4, "lastState": ended}));
    let probe = json!({"livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 10,
        "periodSeconds": 10, "failureThreshold": 3}});
    let pod = with_container(with_container(pod("shop", "cart"), &probe, &status), spec, &json!({}));
    let events = [
        pod_event("cart", "Unhealthy", message),
        with(
            pod_event("cart", "Killing", "Container app failed liveness probe, will be restarted"),
            &json!({"type": "Normal"}),
        ),
    ];
    found(&scene(broken_workload("shop", "cart", pod), &events, vec![log("shop", "cart", true, text)]))
}

const REFUSED: &str = "Liveness probe failed: Get \"http://10.244.0.9:8080/healthz\": dial tcp 10.244.0.9:8080: connect: connection refused";
const WAITED: &str = "Liveness probe failed: Get \"http://10.244.0.9:8080/healthz\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)";

#[test]
fn a_liveness_probe_that_ends_a_slow_start_is_the_cause() {
    let none = json!({});
    let slow = one("liveness-probe-kills-slow-start", CART);
    assert_eq!(killed(45, REFUSED, "loading the catalogue\nloaded 40 %", &none), slow);
    let symptom = one("liveness-probe-kills", "");
    assert_eq!(killed(45, REFUSED, "loading\nERROR no catalogue", &none), symptom, "the log tells of another reason");
    assert_eq!(killed(900, REFUSED, "loading", &none), symptom, "it had begun");
    let startup = json!({"startupProbe": {"httpGet": {"port": 8080}}});
    assert_eq!(killed(45, REFUSED, "loading", &startup), symptom, "it has the time that it was given");
    let answered = "Liveness probe failed: HTTP probe failed with statuscode: 500";
    assert_eq!(killed(45, answered, "loading", &none), symptom, "it answers");
}

#[test]
fn a_liveness_probe_that_waits_too_short_for_a_program_that_goes_on_is_the_cause() {
    let none = json!({});
    let lately = "2026-01-02T11:58:50Z order placed";
    assert_eq!(killed(900, WAITED, lately, &none), one("liveness-probe-waits-too-short", CART));
    let hung = "2026-01-02T11:50:00Z order placed";
    assert_eq!(killed(900, WAITED, hung, &none), one("liveness-probe-kills", ""), "it had hung");
}

#[test]
fn of_several_changes_that_is_told_first_which_the_cause_is_about() {
    let refused = "Readiness probe failed: Get \"http://10.244.0.9:9999/healthz\": dial tcp 10.244.0.9:9999: connect: connection refused";
    let events = [pod_event("cart", "Unhealthy", refused)];
    let listening = log("shop", "cart", false, r#"{"msg":"listening","port":"8080"}"#);
    let probe = json!({"readinessProbe": {"httpGet": {"path": "/healthz", "port": 9999}, "periodSeconds": 10, "failureThreshold": 3}});
    let pod = with_container(pod("shop", "cart"), &probe, &json!({"ready": false}));
    let mut scene = scene(broken_workload("shop", "cart", pod), &events, vec![listening]);
    let change = |field: &str, from: &str, to: &str| Change {
        field: field.to_owned(),
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
    };
    let at = scene.now - jiff::SignedDuration::from_mins(12);
    let changes = vec![
        change("containers[app].image", "cart:4.2", "cart:4.3"),
        change("containers[app].readinessProbe.httpGet.port", "8080", "9999"),
    ];
    let rollout = Rollout { at, revision: "revision 2".to_owned(), by: None, writer: None, changes };
    scene.rollouts.insert(ObjectRef::namespaced("Deployment", "shop", "cart"), rollout);
    let pod = ObjectRef::namespaced("Pod", "shop", "cart-5d-a");
    let conclusion = concluded(&mut scene, &[symptom("KubePodNotReady", &pod)]);
    let told = "was changed at 11:48 UTC: containers[app].readinessProbe.httpGet.port: 8080 -> 9999";
    assert!(conclusion.summary.contains(told), "{}", conclusion.summary);
}
