//! What is well, or of somebody else, and reads like a fault.

use marple_core::{Confidence, Verdict};

use super::conclusions::{calls, cause, concluded, crashing, missing_config, of, symptom};
use super::*;

const CART: &str = "Deployment shop/cart";

/// `cart` serves and writes this line twice.
fn serves(line: &str) -> Scene {
    let mut scene = scene(
        workload("shop", "cart", pod("shop", "cart")),
        &[],
        vec![log("shop", "cart", false, &format!("{line}\n{line}\n"))],
    );
    scene.subjects = vec![of("Deployment", "shop", "cart")];
    scene
}

#[test]
fn what_a_server_says_of_its_clients_is_not_its_own_fault() {
    for line in [
        "POST /login invalid credentials for user bob",
        "login of bob: Invalid username or password",
        "2026-01-02 11:59:00.000 UTC [77] FATAL:  password authentication failed for user \"x\"",
        "http: TLS handshake error from 10.0.0.1:4321: tls: first record does not look like a TLS handshake",
        "rate limit exceeded",
        r#"{"msg":"permission denied","path":"/admin"}"#,
        r#"{"level":"error","msg":"401 Unauthorized","remote_addr":"10.0.0.1","method":"GET"}"#,
    ] {
        assert_eq!(found(&serves(line)), [], "{line}");
    }
    for (line, condition) in [
        ("ERROR cannot log in to the ledger: invalid credentials", "credentials-refused"),
        (
            "org.postgresql.util.PSQLException: FATAL: password authentication failed for user \"x\"",
            "credentials-refused",
        ),
        ("redis client: NOAUTH Authentication required.", "credentials-refused"),
        ("ERROR open /data/orders: permission denied", "file-access-denied"),
        ("Get \"http://stock:8443/\": http: server gave HTTP response to HTTPS client", "protocol-mismatch"),
    ] {
        assert_eq!(found(&serves(line)), one(condition, CART), "{line}");
    }
}

#[test]
fn what_a_program_says_while_it_serves_explains_little_of_an_alert_on_its_resources() {
    let line = "ERROR cannot log in to the ledger: invalid credentials";
    let conclude = |name: &str| concluded(&mut serves(line), &[symptom(name, &of("Deployment", "shop", "cart"))]);
    assert_eq!(conclude("CPUThrottlingHigh").confidence, Confidence::Low);
    assert_eq!(conclude("HighErrorRate").confidence, Confidence::Medium);
}

#[test]
fn what_an_account_may_not_while_its_program_is_ready_is_not_sure() {
    let line = r#"User "system:serviceaccount:shop:cart" cannot list resource "nodes" in API group """#;
    let mut serving = serves(line);
    assert_eq!(found(&serving), one("forbidden-by-rbac-while-serving", "ServiceAccount shop/cart"));
    let conclusion = concluded(&mut serving, &[symptom("HighErrorRate", &of("Deployment", "shop", "cart"))]);
    assert_eq!(conclusion.confidence, Confidence::Medium);
    let mut ended = scene(crashing("shop", "cart"), &[], vec![log("shop", "cart", true, line)]);
    let conclusion = concluded(&mut ended, &[symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))]);
    assert_eq!(conclusion.confidence, Confidence::High);
}

#[test]
fn names_by_which_others_ask_and_paths_and_mail_are_not_what_is_called() {
    for line in [
        r#"10.0.0.1 - - "GET /api HTTP/1.1" 502 157 "https://shop.example.com/" "Bot (+http://www.google.com/bot.html)""#,
        r#"{"host":"shop.example.com","status":502}"#,
        "k8s.io/client-go/tools/reflector.go:229: failed to list: dial tcp 192.168.1.10:6443: connect: connection refused",
        "send mail to bob@example.com: i/o timeout",
        "upstream timed out, client: 10.0.0.1, server: shop.example.com, upstream: \"http://10.244.1.7:8080/\"",
    ] {
        assert_eq!(found(&serves(line)), [], "{line}");
    }
    for line in [
        "Post \"https://api.bank.com/v1\": dial tcp: lookup api.bank.com on 10.96.0.10:53: no such host",
        "POST https://api.bank.com/v1 answered status=503",
        r#"{"msg":"upstream answered","url":"https://api.bank.com/v1","status":503}"#,
        "connect to api.bank.com:443: connection timed out",
        "dial postgres://u:p@db.bank.com:5432/x: connection refused",
    ] {
        assert_eq!(found(&serves(line)), one("dependency-outside-unreachable", ""), "{line}");
    }
    let mut scene = serves("Get \"https://shop.bank.com/\": i/o timeout");
    assert_eq!(found(&scene), one("dependency-outside-unreachable", ""));
    scene.insert(object("Ingress", "shop", "web", &json!({"spec": {"rules": [{"host": "shop.bank.com"}]}})));
    assert_eq!(found(&scene), [], "the cluster itself serves it");
}

#[test]
fn an_access_log_of_long_ago_is_over() {
    let line =
        |minute: u8| format!("10.0.0.1 - - [02/Jan/2026:11:{minute}:00 +0000] \"POST https://api.bank.com/ status=503");
    assert_eq!(found(&serves(&line(58))), one("dependency-outside-unreachable", ""));
    assert_eq!(found(&serves(&line(20))), []);
}

/// `cart` with these containers behind a Service that sends to 8080.
fn behind_service(containers: &Value, more: &Value) -> Scene {
    let mut objects = workload("shop", "cart", with(pod("shop", "cart"), &json!({"spec": {"containers": containers}})));
    objects.push(with(service("shop", "cart", 80), &json!({"spec": {"ports": [{"port": 80, "targetPort": 8080}]}})));
    merge(&mut objects[3], more);
    scene(objects, &[], vec![])
}

#[test]
fn a_port_that_nobody_declares_is_no_fault_of_a_service_whose_pods_may_listen_there() {
    let app = |more: &Value| with(json!({"name": "app", "image": "a"}), more);
    let proxy =
        json!({"name": "istio-proxy", "image": "p", "ports": [{"name": "http-envoy-prom", "containerPort": 15090}]});
    let metrics = json!({"ports": [{"name": "metrics", "containerPort": 9090}]});
    let probed = with(metrics.clone(), &json!({"readinessProbe": {"httpGet": {"port": 8080}}}));
    let none = json!({});
    assert_eq!(found(&behind_service(&json!([app(&none), proxy]), &none)), []);
    assert_eq!(found(&behind_service(&json!([app(&probed)]), &none)), []);
    assert_eq!(found(&behind_service(&json!([app(&metrics)]), &json!({"spec": {"clusterIP": "None"}}))), []);
    let mut open = behind_service(&json!([app(&metrics)]), &none);
    assert_eq!(found(&open), one("service-target-port-undeclared", "Service shop/cart"));
    let conclusion = concluded(&mut open, &[symptom("HighErrorRate", &of("Deployment", "shop", "cart"))]);
    assert_eq!((conclusion.verdict, conclusion.cause), (Verdict::Inconclusive, None), "from above it is a guess");
    let patched = |scene: &Scene| run(scene)[0].remedies[0].command.clone().unwrap().contains("patch");
    assert!(!patched(&open));
    open.extend(workload("shop", "web", pod("shop", "web")));
    open.logs.push(log("shop", "web", false, &"Get \"http://cart:80/\": connection refused\n".repeat(2)));
    let conclusion = concluded(&mut open, &[symptom("HighErrorRate", &of("Deployment", "shop", "web"))]);
    assert_eq!(cause(&conclusion), "Service shop/cart");
    assert!(conclusion.remedies[0].command.as_ref().unwrap().contains("targetPort\":9090"));
}

#[test]
fn a_service_that_selects_nothing_on_purpose_is_no_fault() {
    let objects = |selector: Value| {
        let mut objects = workload("shop", "db", pod("shop", "db"));
        objects.push(with(service("shop", "db-repl", 5432), &json!({"spec": {"selector": selector}})));
        objects
    };
    let mut replica = scene(objects(json!({"app": "db", "role": "replica"})), &[], vec![]);
    let told = run(&replica);
    assert_eq!(names(&told), ["service-selects-nothing"]);
    assert_eq!(told[0].severity, marple_core::Severity::Info);
    assert!(!told[0].remedies[0].command.as_ref().unwrap().contains("null"));
    let space = ObjectRef::cluster("Namespace", "shop");
    assert_eq!(concluded(&mut replica, &[symptom("HighErrorRate", &space)]).cause, None);
    replica.extend(workload("shop", "web", pod("shop", "web")));
    replica.logs.push(log("shop", "web", false, &"dial tcp: db-repl:5432: connect: connection refused\n".repeat(2)));
    let conclusion = concluded(&mut replica, &[symptom("HighErrorRate", &of("Deployment", "shop", "web"))]);
    assert_eq!(cause(&conclusion), "Service shop/db-repl", "somebody misses it");
    let mistyped = scene(objects(json!({"app": "bd", "tier": "db"})), &[], vec![]);
    assert!(run(&mistyped).iter().all(|finding| finding.severity == marple_core::Severity::Critical));
}

#[test]
fn a_setting_does_not_explain_an_alert_on_the_resources_of_a_caller_that_is_well() {
    let objects = |cart: Vec<Value>| {
        let mut cart = cart;
        calls(&mut cart, "http://db:5432");
        [cart, missing_config("shop", "db"), vec![service("shop", "db", 5432)]].concat()
    };
    let conclude = |cart: Vec<Value>, name: &str| {
        let mut scene = scene(objects(cart), &[], vec![]);
        concluded(&mut scene, &[symptom(name, &of("Deployment", "shop", "cart"))])
    };
    let well = || workload("shop", "cart", pod("shop", "cart"));
    for name in ["CPUThrottlingHigh", "KubeHpaMaxedOut"] {
        assert_eq!(conclude(well(), name).cause, None, "{name}");
    }
    assert_eq!(cause(&conclude(well(), "HighErrorRate")), "ConfigMap shop/db-config");
    let unready = with_container(pod("shop", "cart"), &json!({}), &json!({"ready": false}));
    let conclusion = conclude(broken_workload("shop", "cart", unready), "KubePodNotReady");
    assert_eq!(cause(&conclusion), "ConfigMap shop/db-config");
}

#[test]
fn a_setting_does_not_lead_to_what_somebody_scaled_to_zero() {
    let mut cart = workload("shop", "cart", pod("shop", "cart"));
    calls(&mut cart, "http://db:5432");
    cart.push(with(deployment("shop", "db"), &json!({"spec": {"replicas": 0}, "status": {"readyReplicas": null}})));
    cart.push(service("shop", "db", 5432));
    let mut scene = scene(cart, &[], vec![]);
    let conclusion = concluded(&mut scene, &[symptom("HighErrorRate", &of("Deployment", "shop", "cart"))]);
    assert_eq!(conclusion.cause, None);
}

#[test]
fn a_certificate_that_is_merely_mounted_is_beside_the_last_words() {
    let conclude = |line: &str| {
        let mut objects = crashing("shop", "cart");
        objects[2]["spec"]["volumes"] = json!([{"name": "tls", "secret": {"secretName": "old"}}]);
        let held = "437 bytes, valid 2024-01-01T00:00:00Z to 2025-12-01T00:00:00Z";
        objects.push(object("Secret", "shop", "old", &json!({"data": {"tls.crt": held}})));
        let mut scene = scene(objects, &[], vec![log("shop", "cart", true, line)]);
        concluded(&mut scene, &[symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))])
    };
    let conclusion = conclude("panic: assignment to entry in nil map");
    assert!(conclusion.summary.contains("nil map"), "{}", conclusion.summary);
    assert_eq!(cause(&conclude("error: cannot load the x509 key pair")), "Secret shop/old");
}

#[test]
fn what_held_a_pod_up_before_its_containers_began_is_over() {
    let pending = |status: &Value| {
        let init = json!({"spec": {"initContainers": [{"name": "migrate", "image": "m"}]},
            "status": {"phase": "Pending", "initContainerStatuses": [with(json!({"name": "migrate", "ready": false}), status)]}});
        let pod = with_container(with(pod("shop", "cart"), &init), &json!({}), &waiting("PodInitializing", ""));
        let events = [
            pod_event(
                "cart",
                "FailedMount",
                "MountVolume.SetUp failed for volume \"config\" : failed to sync configmap cache: timed out waiting for the condition",
            ),
            pod_event("cart", "FailedCreatePodSandBox", "Failed to create pod sandbox: cni plugin not initialized"),
        ];
        found(&scene(broken_workload("shop", "cart", pod), &events, vec![]))
    };
    assert_eq!(
        pending(&json!({"state": {"waiting": {"reason": "PodInitializing"}}})),
        [one("pod-sandbox-failed", "Node worker-1"), one("volume-not-mounted", CART)].concat()
    );
    let crashing = json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": ended(1, "Error", "2026-01-02T11:58:00Z")});
    assert_eq!(pending(&crashing), one("init-container-failing", ""));
}

#[test]
fn what_a_program_warned_of_at_its_start_is_not_why_it_ended() {
    let of = |text: &str| found(&scene(crashing("shop", "cart"), &[], vec![log("shop", "cart", true, text)]));
    assert_eq!(of("WARN environment variable SENTRY_DSN not set, reporting disabled\npanic: index out of range"), []);
    assert_eq!(of("error: TLS configuration missing"), []);
    assert_eq!(of("Error: DATABASE_URL must be set"), one("environment-variable-missing", CART));
    assert_eq!(of("KeyError: 'DATABASE_URL'"), one("environment-variable-missing", CART));
    let mut set = scene(crashing("shop", "cart"), &[], vec![log("shop", "cart", true, "Error: DB_URL must be set")]);
    let pod = set.objects.get_mut(&super::conclusions::of("Pod", "shop", "cart-5d-a")).unwrap();
    pod["spec"]["containers"][0]["env"] = json!([{"name": "DB_URL", "value": "x"}]);
    assert_eq!(found(&set), [], "it has a value");
}
