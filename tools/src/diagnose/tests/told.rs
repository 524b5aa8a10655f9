//! What is told of logs and calls: when, from where, and of whom.

use super::*;
use crate::scene::{Change, Rollout};

#[test]
fn errors_of_a_log_tell_when_they_were_and_that_they_are_over() {
    let line = |minute: u8, second: u8, text: &str| format!("2026-01-02T11:{minute:02}:{second:02}Z {text}\n");
    let of = |text: &str| {
        let mut told =
            scene(workload("shop", "cart", pod("shop", "cart")), &[], vec![log("shop", "cart", false, text)]);
        told.subjects = vec![ObjectRef::namespaced("Deployment", "shop", "cart")];
        told
    };
    let failing = (50..58).map(|minute| line(minute, 7, &format!("ERROR order {minute} failed"))).collect::<String>();
    assert_eq!(
        statement(&of(&failing), "errors-in-log"),
        "8 of the latest 8 lines of container app of Pod shop/cart-5d-a are errors, from 11:50 to 11:57 UTC, the last: 2026-01-02T11:57:07Z ERROR order 57 failed"
    );
    let mixed = failing + &line(58, 1, "ERROR disk is slow");
    assert!(
        statement(&of(&mixed), "errors-in-log")
            .ends_with("8 of them alike: 2026-01-02T11:57:07Z ERROR order 57 failed")
    );
    let early = (10..18).map(|minute| line(minute, 7, "ERROR no connection")).collect::<String>();
    let recovered = early.clone() + &(20..59).map(|minute| line(minute, 7, "served")).collect::<String>();
    let over = of(&recovered);
    assert_eq!(found(&over), one("errors-in-log-over", ""));
    assert_eq!(
        statement(&over, "errors-in-log-over"),
        "8 lines of container app of Pod shop/cart-5d-a told of errors, from 11:10 to 11:17 UTC; that is over: none of the 39 lines since does. The last: 2026-01-02T11:17:07Z ERROR no connection"
    );
    assert_eq!(found(&of(&early)), [], "nothing was said since");
}

#[test]
fn a_failing_call_tells_which_key_holds_the_address_and_when_that_was_changed() {
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    for (at, path) in [(0, "/spec/template/spec/containers/0"), (2, "/spec/containers/0")] {
        merge(objects[at].pointer_mut(path).unwrap(), &json!({"envFrom": [{"configMapRef": {"name": "settings"}}]}));
    }
    objects.extend(workload("shop", "db", pod("shop", "db")));
    objects.push(service("shop", "db", 5432));
    objects.push(object("ConfigMap", "shop", "settings", &json!({"data": {"URL": "http://db:5432"}})));
    let line = "2026-01-02T11:58:07Z ERROR dial tcp: db:5432: connect: connection refused\n".repeat(3);
    let mut told = scene(objects, &[], vec![log("shop", "cart", false, &line)]);
    let change = Change {
        field: "data.URL".to_owned(),
        from: Some("http://store:5432".to_owned()),
        to: Some("http://db:5432".to_owned()),
    };
    let rollout = Rollout {
        at: "2026-01-02T11:30:00Z".parse().unwrap(),
        revision: "recorded as it was changed".to_owned(),
        by: None,
        writer: Some("kubectl-edit".to_owned()),
        changes: vec![change],
    };
    told.rollouts.insert(ObjectRef::namespaced("ConfigMap", "shop", "settings"), rollout);
    assert_eq!(
        statement(&told, "dependency-refused"),
        "Deployment shop/cart is refused by Service shop/db (ConfigMap shop/settings names db under URL; ConfigMap shop/settings was changed by kubectl-edit at 11:30 UTC: data.URL: http://store:5432 -> http://db:5432; container app began before that), 3 times in its latest lines, at 11:58 UTC: 2026-01-02T11:58:07Z ERROR dial tcp: db:5432: connect: connection refused"
    );
}

#[test]
fn a_call_that_gets_no_answer_tells_what_is_known_of_who_should_give_it() {
    let db = with_container(
        pod("shop", "db"),
        &json!({"resources": {"limits": {"cpu": "50m"}}}),
        &json!({"restartCount": 3}),
    );
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    objects.extend(workload("shop", "db", db));
    objects.push(service("shop", "db", 5432));
    let line = "ERROR Get \"http://db:5432/\": context deadline exceeded\n".repeat(2);
    let told = scene(objects, &[], vec![log("shop", "cart", false, &line)]);
    assert!(statement(&told, "dependency-timeout").starts_with(
        "Deployment shop/cart gets no answer from Service shop/db (behind it Deployment shop/db: 1 of 1 replicas ready, 3 restarts, CPU limit 50m), 2 times"
    ));
}

/// `cart`, whose calls of `db` failed until 11:58:40, and `db` with one pod that got ready then.
fn replaced(until: &str, db: &Value) -> Scene {
    let made = json!({"metadata": {"creationTimestamp": "2026-01-02T11:58:20Z"}, "status": {"conditions": [
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T11:58:41Z"}]}});
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    objects.extend(workload("shop", "db", with(with(pod("shop", "db"), &made), db)));
    objects.push(service("shop", "db", 5432));
    let line =
        |second: u8| format!("2026-01-02T11:58:{second}Z ERROR dial tcp: db:5432: connect: connection refused\n");
    let text = (21..40).map(line).collect::<String>() + until;
    let mut told = scene(objects, &[], vec![log("shop", "cart", false, &text)]);
    told.subjects = vec![ObjectRef::namespaced("Deployment", "shop", "cart")];
    told
}

#[test]
fn calls_that_failed_while_a_pod_was_replaced_are_over_with_that() {
    let over = replaced("", &json!({}));
    assert_eq!(found(&over), one("dependency-recovered", ""));
    assert_eq!(
        statement(&over, "dependency-recovered"),
        "Calls of Deployment shop/cart to Service shop/db failed until 11:58 UTC, while Pod shop/db-5d-a replaced another pod; that is ready since 11:58 UTC, and none fails since. The last said: 2026-01-02T11:58:39Z ERROR dial tcp: db:5432: connect: connection refused"
    );
    let alert = [super::conclusions::symptom("HighErrorRate", &ObjectRef::namespaced("Deployment", "shop", "cart"))];
    let conclusion = super::conclusions::concluded(&mut replaced("", &json!({})), &alert);
    assert_eq!(conclusion.verdict, marple_core::Verdict::NoFault);
    assert!(conclusion.summary.contains("replaced another pod"), "{}", conclusion.summary);
    let goes_on = "2026-01-02T11:59:50Z ERROR dial tcp: db:5432: connect: connection refused\n";
    assert!(found(&replaced(goes_on, &json!({}))).contains(&one("dependency-refused", "Service shop/db")[0]));
    let restarts = json!({"status": {"containerStatuses": [{"name": "app", "ready": true, "restartCount": 2, "state": {"running": {"startedAt": "2026-01-02T11:58:41Z"}}}]}});
    assert!(found(&replaced("", &restarts)).contains(&one("dependency-refused", "Service shop/db")[0]));
}

#[test]
fn a_program_that_came_before_what_it_calls_and_runs_since_is_no_fault() {
    let of_name = |name: &str, text: &str, began: &str| {
        let status = json!({"restartCount": 3, "state": {"running": {"startedAt": began}}, "lastState": ended(1, "Error", "2026-01-02T11:58:00Z")});
        let mut objects = workload("shop", "cart", with_container(pod("shop", "cart"), &json!({}), &status));
        objects.extend(workload("shop", "db", pod("shop", "db")));
        objects.push(service("shop", "db", 5432));
        let mut told = scene(objects, &[], vec![log("shop", "cart", true, text)]);
        let alert = super::conclusions::symptom(name, &ObjectRef::namespaced("Pod", "shop", "cart-5d-a"));
        super::conclusions::concluded(&mut told, &[alert]).verdict
    };
    let of = |text: &str, began: &str| of_name("KubePodCrashLooping", text, began);
    let refused = "ERROR dial tcp: db:5432: connect: connection refused";
    let (long, just_now) = ("2026-01-02T11:58:30Z", "2026-01-02T11:59:50Z");
    assert_eq!(of(refused, long), marple_core::Verdict::NoFault);
    assert_ne!(of(refused, just_now), marple_core::Verdict::NoFault, "it may end the same way");
    assert_ne!(of("panic: index out of range", long), marple_core::Verdict::NoFault, "it may come again");
    let asked = of_name(crate::diagnose::ASKED, refused, long);
    assert_ne!(asked, marple_core::Verdict::NoFault, "the cause of what has passed is wanted");
}
