//! Which of several things that are said is the cause: the other side of a call that failed, or the program itself.

use marple_core::{Confidence, Verdict};

use super::conclusions::{calls, cause, concluded, crashing, missing_config, of, symptom};
use super::*;

/// `cart` crashes with this log and names a database in a setting, which is broken for the want of a ConfigMap.
fn broken_dependency(host: &str, text: &str) -> Scene {
    let mut cart = crashing("shop", "cart");
    calls(&mut cart, &format!("http://{host}:5432"));
    cart[2]["spec"]["containers"][0]["envFrom"] = json!([{"secretRef": {"name": "cart-db"}}]);
    let mut objects = [cart, missing_config("shop", host)].concat();
    objects.push(service("shop", host, 5432));
    scene(objects, &[], vec![log("shop", "cart", true, text)])
}

fn crash_alert() -> crate::diagnose::Symptom {
    symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))
}

#[test]
fn a_call_that_did_not_get_through_is_blamed_on_the_other_side_however_it_is_wrapped() {
    for line in [
        "failed to load config: Get \"http://db:5432/app\": dial tcp 10.96.0.7:5432: connect: connection refused",
        "failed to authenticate: Put \"http://db:5432/v1/auth\": dial tcp 10.96.0.7:5432: connect: connection refused",
        "nginx: [emerg] host not found in upstream \"db\" in /etc/nginx/conf.d/default.conf:3",
        "HikariPool-1 - Connection is not available, request timed out after 30000ms\nCaused by: Connection to db:5432 refused.",
        "connection to server at \"db\" (10.96.0.7), port 5432 failed: Connection refused",
        "HTTPConnectionPool(host='db', port=5432): Max retries exceeded: [Errno 111] Connection refused",
        "Error 111 connecting to db:5432. Connection refused.",
        "Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)",
        "ERROR: Connection timeout to db! <urlopen error timed out>",
        "curl: (7) Failed to connect to db port 5432: Connection refused",
        "wget: bad address 'db'",
        "the db store is not reached: timed out",
    ] {
        let mut scene = broken_dependency("db", line);
        let conclusion = concluded(&mut scene, &[crash_alert()]);
        assert_eq!(cause(&conclusion), "ConfigMap shop/db-config", "{line}: {}", conclusion.summary);
    }
}

#[test]
fn a_pool_that_waits_beside_a_server_that_is_well_is_too_small() {
    let line = "HikariPool-1 - Connection is not available, request timed out after 30000ms";
    let mut scene = scene(crashing("shop", "cart"), &[], vec![log("shop", "cart", true, line)]);
    assert_eq!(found(&scene), one("connections-exhausted", "Deployment shop/cart"));
    let conclusion = concluded(&mut scene, &[crash_alert()]);
    assert_eq!((cause(&conclusion).as_str(), conclusion.confidence), ("Deployment shop/cart", Confidence::Medium));
}

#[test]
fn a_page_instead_of_a_configuration_is_no_unreadable_configuration() {
    let of = |line: &str| found(&scene(crashing("shop", "cart"), &[], vec![log("shop", "cart", true, line)]));
    assert_eq!(of("decode: invalid character '<' looking for beginning of value"), []);
    assert_eq!(
        of("cart.json: invalid character 'x' looking for beginning of value"),
        one("configuration-unreadable", "Deployment shop/cart")
    );
}

#[test]
fn a_setting_explains_a_crash_whose_last_words_are_of_a_failed_call() {
    let conclude = |line: &str| cause(&concluded(&mut broken_dependency("db", line), &[crash_alert()]));
    assert_eq!(conclude("cannot connect to the store: connection refused"), "ConfigMap shop/db-config");
    assert_eq!(conclude("panic: index out of range [7]"), "Deployment shop/cart");
}

#[test]
fn a_call_that_fails_beside_a_defect_of_the_program_or_for_telemetry_does_not_explain_its_end() {
    let refused = "Post \"http://db:5432/v1/items\": dial tcp 10.96.0.7:5432: connect: connection refused";
    let telemetry =
        "traces export: Post \"http://db:5432/v1/traces\": dial tcp 10.96.0.7:5432: connect: connection refused";
    let conclude = |text: &str| concluded(&mut broken_dependency("db", text), &[crash_alert()]);
    for beside in [refused, telemetry] {
        let conclusion = conclude(&format!("{beside}\npanic: index out of range [7]"));
        assert_eq!(cause(&conclusion), "Deployment shop/cart", "{beside}");
        assert!(conclusion.summary.contains("index out of range"), "{}", conclusion.summary);
    }
    assert_eq!(cause(&conclude(&format!("{refused}\npanic: failed to connect database"))), "ConfigMap shop/db-config");
    let work = (0..25).map(|index| format!("order {index} placed\n")).collect::<String>();
    assert_eq!(cause(&conclude(&format!("{refused}\n{work}error: order 26 is corrupt"))), "Deployment shop/cart");
}

/// `cart` serves, and was restarted once at this time with these words.
fn restarted(at: &str, text: &str) -> Scene {
    let status = json!({"restartCount": 1, "lastState": ended(1, "Error", at)});
    let pod = with_container(pod("shop", "cart"), &json!({}), &status);
    scene(workload("shop", "cart", pod), &[], vec![log("shop", "cart", true, text)])
}

#[test]
fn what_an_ended_run_said_is_as_old_as_its_end() {
    let slow = [symptom("HighLatency", &of("Deployment", "shop", "cart"))];
    for line in [
        "FATAL: password authentication failed for user \"cart\"",
        "open /var/cache/x: read-only file system",
        "write /data/wal: no space left on device",
        "User \"system:serviceaccount:shop:cart\" cannot list resource \"pods\" in API group \"\"",
        "Error: environment variable DATABASE_URL is not set",
    ] {
        let mut old = restarted("2026-01-02T10:20:00Z", line);
        let conclusion = concluded(&mut old, &slow);
        assert_eq!((conclusion.verdict, conclusion.cause), (Verdict::Inconclusive, None), "{line}");
        let mut lately = restarted("2026-01-02T11:45:00Z", line);
        assert_eq!(concluded(&mut lately, &slow).verdict, Verdict::Fault, "{line}");
    }
}

#[test]
fn a_kept_pod_of_an_old_run_says_nothing_of_now() {
    let run_of = |at: &str| {
        let owner = json!({"metadata": {"ownerReferences": [{"kind": "Job", "name": "nightly-1", "controller": true}]},
            "spec": {"restartPolicy": "Never"}, "status": {"phase": "Failed"}});
        let status = json!({"ready": false, "state": {"running": null,
            "terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": at, "finishedAt": at}}});
        let limit = json!({"resources": {"limits": {"memory": "64Mi"}}});
        let pod = with_container(with(pod("shop", "nightly"), &owner), &limit, &status);
        let owner =
            json!({"metadata": {"ownerReferences": [{"kind": "CronJob", "name": "nightly", "controller": true}]}});
        let job = object("Job", "shop", "nightly-1", &owner);
        let cron = object("CronJob", "shop", "nightly", &json!({"spec": {"schedule": "0 3 * * *"}}));
        let mut scene = scene(vec![pod, job, cron], &[], vec![log("shop", "nightly", false, "disk quota exceeded")]);
        concluded(&mut scene, &[symptom("KubeJobNotCompleted", &of("CronJob", "shop", "nightly"))])
    };
    assert_eq!(run_of("2025-12-26T03:00:00Z").cause, None);
    let today = run_of("2026-01-02T11:45:00Z");
    assert!(today.summary.contains("killed for memory"), "{}", today.summary);
}

#[test]
fn a_kill_for_memory_is_told_before_the_last_words_of_the_same_run() {
    let status = json!({"restartCount": 9, "lastState": ended(137, "OOMKilled", "2026-01-02T11:48:00Z")});
    let limit = json!({"resources": {"limits": {"memory": "64Mi"}}});
    let pod = with_container(pod("shop", "cart"), &limit, &status);
    let line = "FATAL: password authentication failed for user \"cart\"";
    let mut scene = scene(workload("shop", "cart", pod), &[], vec![log("shop", "cart", true, line)]);
    let conclusion = concluded(&mut scene, &[symptom("HighErrorRate", &of("Deployment", "shop", "cart"))]);
    assert!(conclusion.summary.contains("killed for memory"), "{}", conclusion.summary);
}

#[test]
fn a_client_of_a_slow_server_is_not_its_dependency() {
    let mut objects = workload("shop", "cart", with(pod("shop", "cart"), &json!({"status": {"podIP": "10.244.1.5"}})));
    objects.extend(workload("shop", "web", with(pod("shop", "web"), &json!({"status": {"podIP": "10.244.2.9"}}))));
    objects.push(service("shop", "web", 80));
    let of = |line: &str| {
        let text = format!("{line}\n{line}\n");
        found(&scene(objects.clone(), &[], vec![log("shop", "cart", false, &text)]))
    };
    assert_eq!(of("write tcp 10.244.1.5:8080->10.244.2.9:51234: write: broken pipe"), []);
    assert_eq!(
        of("read tcp 10.244.1.5:51234->10.244.2.9:80: read: connection reset by peer"),
        one("dependency-refused", "Service shop/web")
    );
}

#[test]
fn what_a_callee_says_while_it_is_ready_explains_slow_answers_of_its_silent_caller() {
    let mut cart = workload("shop", "cart", pod("shop", "cart"));
    calls(&mut cart, "http://db:5432");
    let mut objects = [cart, workload("shop", "db", pod("shop", "db"))].concat();
    objects.push(service("shop", "db", 5432));
    let line = "2026-01-02 11:59:00.000 UTC [77] FATAL:  sorry, too many clients already\n";
    let conclude = |name: &str, text: &str| {
        let mut scene = scene(objects.clone(), &[], vec![log("shop", "db", false, text)]);
        concluded(&mut scene, &[symptom(name, &of("Deployment", "shop", "cart"))])
    };
    assert_eq!(cause(&conclude("HighLatency", &line.repeat(2))), "Deployment shop/db");
    assert_eq!(conclude("HighLatency", line).cause, None, "one may be passing");
    assert_eq!(conclude("CPUThrottlingHigh", &line.repeat(2)).cause, None);
}
