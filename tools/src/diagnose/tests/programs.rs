//! What programs say themselves.

use super::*;

const CART: &str = "Deployment shop/cart";

/// `cart` crashes and ends with these lines.
fn crashes(text: &str) -> Scene {
    let status = with(
        waiting("CrashLoopBackOff", "back-off"),
        &json!({"restartCount": 5, "lastState": ended(1, "Error", "2026-01-02T11:58:00Z")}),
    );
    let pod = with_container(pod("shop", "cart"), &json!({}), &status);
    scene(broken_workload("shop", "cart", pod), &[], vec![log("shop", "cart", true, text)])
}

/// `cart` serves and writes these lines.
fn serves(text: &str) -> Scene {
    scene(workload("shop", "cart", pod("shop", "cart")), &[], vec![log("shop", "cart", false, text)])
}

#[test]
fn each_sign_of_a_program_has_its_condition() {
    for (line, condition) in [
        ("accept4: too many open files; retrying", "open-files-exhausted"),
        ("Error: EMFILE: too many open files, watch '/app'", "open-files-exhausted"),
        ("failed to create fsnotify watcher: too many open files", "file-watches-exhausted"),
        ("inotify_add_watch on '/app' failed: No space left on device", "file-watches-exhausted"),
        ("java.lang.OutOfMemoryError: unable to create new native thread", "processes-exhausted"),
        ("bash: fork: retry: Resource temporarily unavailable", "processes-exhausted"),
        ("java.lang.OutOfMemoryError: Java heap space", "heap-exhausted"),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "heap-exhausted"),
        ("listen tcp :8080: bind: address already in use", "port-already-used"),
        ("open /var/cache/x: read-only file system", "file-system-read-only"),
        ("mkdir /data/db: permission denied", "file-access-denied"),
        ("Error: yaml: line 12: could not find expected ':'", "configuration-unreadable"),
        ("nginx: [emerg] unknown directive \"servr\" in /etc/nginx/nginx.conf:3", "configuration-unreadable"),
        ("/etc/coredns/Corefile:4 - Error during parsing: Unknown directive 'forwrd'", "configuration-unreadable"),
        ("flag provided but not defined: -workerz", "configuration-unreadable"),
        ("E0102 11:57:00.0 1 leaderelection.go:330] leader election lost", "leader-election-lost"),
        ("http: server gave HTTP response to HTTPS client", "protocol-mismatch"),
        ("ssl routines:ssl3_get_record:wrong version number", "protocol-mismatch"),
        ("error while loading shared libraries: libssl.so.3: cannot open shared object file", "library-missing"),
        ("ModuleNotFoundError: No module named 'flask'", "library-missing"),
        (
            "x509: certificate has expired or is not yet valid: current time 2026-01-02T11:00:00Z is before 2026-01-03T00:00:00Z",
            "clock-skew",
        ),
        ("JWT: token used before issued", "clock-skew"),
        (
            "x509: certificate has expired or is not yet valid: current time 2026-01-02T11:00:00Z is after 2025-12-01T00:00:00Z",
            "certificate-expired",
        ),
        ("x509: certificate signed by unknown authority", "certificate-untrusted"),
        ("x509: certificate is valid for a.example, not b.example", "certificate-for-another-name"),
        ("FATAL: password authentication failed for user \"cart\"", "credentials-refused"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "credentials-refused"),
        ("unexpected status 401 Unauthorized from the ledger", "credentials-refused"),
        ("FATAL: sorry, too many clients already", "connections-exhausted"),
        ("HikariPool-1 - Connection is not available, request timed out after 30000ms", "connections-exhausted"),
        ("getaddrinfo EAI_AGAIN db", "name-resolution-failing"),
        ("write /data/wal: no space left on device", "disk-full"),
    ] {
        let found = found(&crashes(line)).into_iter().map(|(condition, _)| condition).collect::<Vec<_>>();
        assert_eq!(found, [condition], "{line}");
    }
}

#[test]
fn what_a_program_says_once_while_it_serves_is_passing_and_what_it_said_long_ago_is_over() {
    let line = "2026-01-02T11:58:00Z accept: too many open files";
    assert_eq!(found(&serves(line)), []);
    assert_eq!(found(&serves(&format!("{line}\n{line}"))), one("open-files-exhausted", CART));
    let old = line.replace("11:58", "11:30");
    assert_eq!(found(&serves(&format!("{old}\n{old}"))), []);
}

#[test]
fn what_a_program_said_well_before_its_end_is_not_why_it_ended() {
    let early = "open /tmp/x: read-only file system, going on without\n";
    let work = (0..25).map(|index| format!("order {index} placed\n")).collect::<String>();
    assert_eq!(found(&crashes(&format!("{early}{work}panic: index out of range"))), []);
    let trace = (0..25).map(|index| format!("\tat com.shop.Order.place(Order.java:{index})\n")).collect::<String>();
    assert_eq!(
        found(&crashes(&format!("java.lang.OutOfMemoryError: Java heap space\n{trace}"))),
        one("heap-exhausted", CART)
    );
}

#[test]
fn a_program_that_serves_has_taken_its_configuration() {
    let line = "request refused: invalid character 'x' looking for beginning of value";
    assert_eq!(found(&serves(&format!("{line}\n{line}"))), []);
}

#[test]
fn credentials_blame_the_only_secret_that_the_container_takes_them_from() {
    let mut scene = crashes("FATAL: password authentication failed for user \"cart\"");
    let from =
        |secrets: &[&str]| json!(secrets.iter().map(|name| json!({"secretRef": {"name": name}})).collect::<Vec<_>>());
    let pod = ObjectRef::namespaced("Pod", "shop", "cart-5d-a");
    let mut set = |secrets: &[&str]| {
        scene.objects.get_mut(&pod).unwrap()["spec"]["containers"][0]["envFrom"] = from(secrets);
        found(&scene)
    };
    assert_eq!(set(&["cart-db"]), one("credentials-refused", "Secret shop/cart-db"));
    assert_eq!(set(&["cart-db", "cart-mail"]), one("credentials-refused", CART));
}

#[test]
fn an_unreadable_configuration_blames_the_config_map_that_holds_it() {
    let mut scene = crashes("failed to parse config /etc/cart/cart.yaml: yaml: line 3");
    let pod = ObjectRef::namespaced("Pod", "shop", "cart-5d-a");
    scene.objects.get_mut(&pod).unwrap()["spec"]["volumes"] =
        json!([{"name": "config", "configMap": {"name": "cart-config"}}]);
    assert_eq!(found(&scene), one("configuration-unreadable", "ConfigMap shop/cart-config"));
}

#[test]
fn a_name_server_that_does_not_answer_leads_to_its_pods() {
    let line = "dial tcp: lookup db on 10.96.0.10:53: read udp 10.0.0.3:4->10.96.0.10:53: i/o timeout";
    let mut with_dns = crashes(line);
    with_dns.extend(vec![service("kube-system", "kube-dns", 53)]);
    let names = found(&with_dns).into_iter().collect::<Vec<_>>();
    assert!(names.contains(&one("name-server-unanswered", "Service kube-system/kube-dns")[0]), "{names:?}");
    assert!(!names.iter().any(|(condition, _)| condition.starts_with("dependency-")), "no double blame: {names:?}");
}

#[test]
fn a_log_full_of_errors_is_a_symptom_of_the_one_that_is_asked_about() {
    let text = (0..12)
        .map(|index| {
            let level = if index % 3 == 0 { "ERROR" } else { "INFO" };
            format!("2026-01-02T11:59:{index:02}Z {level} order {index}: index out of range\n")
        })
        .collect::<String>();
    let mut few = serves(&text);
    assert_eq!(found(&few), []);
    few.subjects = vec![ObjectRef::namespaced("Deployment", "shop", "cart")];
    assert_eq!(found(&few), [], "four are too few");
    let mut many = serves(&text.repeat(2));
    many.subjects = few.subjects.clone();
    assert_eq!(found(&many), one("errors-in-log", ""));
}

#[test]
fn a_dependency_that_only_a_log_names_is_found() {
    let scene = |line: &str| {
        let mut scene = crashes(line);
        scene.extend(workload("payments", "db", pod("payments", "db")));
        scene.extend(vec![service("payments", "db", 5432)]);
        scene
    };
    let refused = scene("cannot connect to db.payments.svc:5432: connection refused");
    assert_eq!(found(&refused), one("dependency-refused", "Service payments/db"));
    let graph = crate::scene::Graph::of(&refused);
    let dependencies = graph.dependencies(&ObjectRef::namespaced("Deployment", "shop", "cart"));
    assert!(dependencies.iter().any(|edge| edge.to == ObjectRef::namespaced("Deployment", "payments", "db")));
    let mut mistyped = scene("dial tcp: lookup dbs.payments on 10.96.0.10:53: no such host");
    mistyped.missing.insert(ObjectRef::namespaced("Service", "payments", "dbs"));
    assert_eq!(found(&mistyped), one("dependency-wrong-name", CART));
    let mut failing = scene("dial tcp: lookup dbs.payments on 10.96.0.10:53: server misbehaving");
    failing.missing.insert(ObjectRef::namespaced("Service", "payments", "dbs"));
    assert_eq!(found(&failing), one("dependency-wrong-name", CART));
    let mut nowhere = scene("getaddrinfo ENOTFOUND db.paymnts");
    nowhere.missing.insert(ObjectRef::namespaced("Service", "paymnts", "db"));
    nowhere.missing.insert(ObjectRef::cluster("Namespace", "paymnts"));
    assert_eq!(
        statement(&nowhere, "dependency-wrong-name"),
        "Deployment shop/cart calls db.paymnts, a Service in Namespace paymnts, which does not exist; Service payments/db does"
    );
}

#[test]
fn what_a_program_says_of_its_own_service_blames_nobody_else() {
    let mut scene = crashes("GET http://cart:8080/healthz: connection refused");
    scene.extend(vec![service("shop", "cart", 8080)]);
    let names = found(&scene).into_iter().map(|(condition, _)| condition).collect::<Vec<_>>();
    assert_eq!(names, ["service-without-ready-endpoints"]);
}

#[test]
fn a_service_whose_pods_listen_elsewhere_is_the_culprit() {
    let of = |says: &str| {
        let mut scene = crashes("dial tcp: http://stock:80/: connection refused");
        scene.extend(workload("shop", "stock", pod("shop", "stock")));
        scene.extend(vec![with(
            service("shop", "stock", 80),
            &json!({"spec": {"ports": [{"port": 80, "targetPort": 9090}]}}),
        )]);
        scene.logs.push(log("shop", "stock", false, says));
        found(&scene)
    };
    let refused = one("dependency-refused", "Service shop/stock");
    assert_eq!(
        of("listening on :8080"),
        [refused.clone(), one("service-target-port-unserved", "Service shop/stock")].concat()
    );
    assert_eq!(
        of("listening on 127.0.0.1:9090"),
        [refused.clone(), one("listens-on-loopback-only", "Deployment shop/stock")].concat()
    );
    assert_eq!(of("listening on :9090"), refused);
}
