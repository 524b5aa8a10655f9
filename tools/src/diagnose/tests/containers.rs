use crate::scene::{Change, Rollout};

use super::*;

const CART: &str = "Deployment shop/cart";

fn crashed(code: i64, reason: &str) -> Value {
    with_container(
        pod("shop", "cart"),
        &json!({"resources": {"limits": {"memory": "64Mi"}}}),
        &with(
            waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container"),
            &json!({"restartCount": 5, "lastState": ended(code, reason, "2026-01-02T11:58:00Z")}),
        ),
    )
}

fn of(pod: Value, events: &[Value], logs: Vec<Log>) -> Scene {
    scene(broken_workload("shop", "cart", pod), events, logs)
}

#[test]
fn a_crash_loop_tells_the_code_and_the_logs_own_words() {
    let line =
        r#"{"time":"2026-01-02T11:58:00Z","level":"ERROR","msg":"index is corrupt","service":"cart","shard":"7"}"#;
    let scene = of(crashed(3, "Error"), &[], vec![log("shop", "cart", true, line)]);
    assert_eq!(
        statement(&scene, "container-crash-loop"),
        "Container app of Pod shop/cart-5d-a exits with code 3 and was restarted 5 times; its log says: index is corrupt (shard=7)"
    );
}

#[test]
fn a_restart_of_yesterday_is_history() {
    let status = json!({"restartCount": 1, "lastState": ended(3, "Error", "2026-01-01T13:00:00Z")});
    let pod = with_container(pod("shop", "cart"), &json!({}), &status);
    assert_eq!(run(&scene(workload("shop", "cart", pod), &[], vec![])), []);
}

#[test]
fn a_container_that_restarted_and_is_ready_again_is_seen() {
    let status = json!({"restartCount": 1, "lastState": ended(3, "Error", "2026-01-02T11:30:00Z")});
    let pod = with_container(pod("shop", "cart"), &json!({}), &status);
    let findings = run(&scene(workload("shop", "cart", pod), &[], vec![]));
    assert_eq!(names(&findings), ["container-restarted"]);
    assert_eq!(findings[0].at, Some("2026-01-02T11:30:00Z".parse().unwrap()));
}

#[test]
fn a_kill_for_memory_tells_the_limit_and_blames_the_owner() {
    let scene = of(crashed(137, "OOMKilled"), &[], vec![]);
    assert_eq!(found(&scene), one("container-oom-killed", CART));
    let finding = run(&scene).into_iter().find(|finding| finding.condition == "container-oom-killed").unwrap();
    assert_eq!(
        finding.statement,
        "Container app of Pod shop/cart-5d-a was killed for memory: it grew to its limit of 64Mi 0 s after it began; it has restarted 5 times"
    );
    assert_eq!(
        finding.remedies[0].command.as_deref(),
        Some("kubectl set resources -n shop deployment/cart -c app --limits=memory=128Mi")
    );
    let mut cut = scene.clone();
    let change = |from: &str| Change {
        field: "containers[app].resources.limits.memory".to_owned(),
        from: Some(from.to_owned()),
        to: Some("64Mi".to_owned()),
    };
    let rollout =
        |from| Rollout { at: cut.now, revision: "2".to_owned(), by: None, writer: None, changes: vec![change(from)] };
    let (cut_down, raised) = (rollout("1Gi"), rollout("32Mi"));
    let set = |scene: &Scene| {
        let killed = run(scene).into_iter().find(|finding| finding.condition == "container-oom-killed").unwrap();
        killed.remedies[0].command.clone()
    };
    cut.rollouts.insert(ObjectRef::namespaced("Deployment", "shop", "cart"), cut_down);
    assert!(set(&cut).unwrap().ends_with("--limits=memory=1Gi"), "back to what it was");
    cut.rollouts.insert(ObjectRef::namespaced("Deployment", "shop", "cart"), raised);
    assert!(set(&cut).unwrap().ends_with("--limits=memory=128Mi"), "a limit that was raised is no cut");
    let killed = of(crashed(137, "Error"), &[], vec![]);
    assert_eq!(found(&killed), []);
}

#[test]
fn a_missing_config_map_is_the_culprit() {
    let message = "configmap \"cart-config\" not found";
    let spec = json!({"env": [{"name": "DATABASE_URL", "valueFrom": {"configMapKeyRef": {"name": "cart-config", "key": "url"}}}]});
    let pod = with_container(pod("shop", "cart"), &spec, &waiting("CreateContainerConfigError", message));
    let scene = of(pod.clone(), &[], vec![]);
    assert_eq!(found(&scene), one("config-map-missing", "ConfigMap shop/cart-config"));
    assert_eq!(
        statement(&scene, "config-map-missing"),
        "ConfigMap shop/cart-config does not exist; container app of Pod shop/cart-5d-a needs it for env DATABASE_URL and can't be created"
    );
    let mut objects = broken_workload("shop", "cart", pod);
    objects.push(object("ConfigMap", "shop", "cart-config", &json!({"data": {"url": "x"}})));
    assert_eq!(found(&super::scene(objects, &[], vec![])), [], "it has arrived");
}

#[test]
fn of_several_variables_that_a_config_map_gives_the_one_without_its_key_is_told() {
    let variable = |name: &str, key: &str| json!({"name": name, "valueFrom": {"configMapKeyRef": {"name": "cart-config", "key": key}}});
    let spec = json!({"env": [variable("CURRENCY", "currency"), variable("RATE_TABLE", "rates")]});
    let message = "couldn't find key rates in ConfigMap shop/cart-config";
    let pod = with_container(pod("shop", "cart"), &spec, &waiting("CreateContainerConfigError", message));
    let mut objects = broken_workload("shop", "cart", pod);
    objects.push(object("ConfigMap", "shop", "cart-config", &json!({"data": {"currency": "EUR"}})));
    let told = statement(&scene(objects, &[], vec![]), "configuration-key-missing");
    assert!(told.contains("needs it for env RATE_TABLE"), "{told}");
}

#[test]
fn a_missing_secret_and_a_missing_key_are_told_apart() {
    let of = |message: &str| {
        let pod = with_container(pod("shop", "cart"), &json!({}), &waiting("CreateContainerConfigError", message));
        let mut objects = broken_workload("shop", "cart", pod);
        objects.push(object("ConfigMap", "shop", "cart-config", &json!({"data": {"URL": "x"}})));
        found(&scene(objects, &[], vec![]))
    };
    assert_eq!(of("secret \"cart-db\" not found"), one("secret-missing", "Secret shop/cart-db"));
    assert_eq!(
        of("couldn't find key url in ConfigMap shop/cart-config"),
        one("configuration-key-missing", "ConfigMap shop/cart-config")
    );
    assert_eq!(
        of("container has runAsNonRoot and image will run as root (pod: \"x\", container: app)"),
        one("security-context-refused", CART)
    );
}

#[test]
fn a_volume_without_its_source_blames_the_source() {
    let pending = with(pod("shop", "cart"), &json!({"status": {"phase": "Pending"}}));
    let of = |message: &str| {
        let pod = with_container(pending.clone(), &json!({}), &waiting("ContainerCreating", ""));
        found(&of(pod, &[pod_event("cart", "FailedMount", message)], vec![]))
    };
    assert_eq!(
        of("MountVolume.SetUp failed for volume \"files\" : configmap \"cart-files\" not found"),
        one("volume-source-missing", "ConfigMap shop/cart-files")
    );
    assert_eq!(
        of("MountVolume.SetUp failed for volume \"files\" : secret \"cart-tls\" not found"),
        one("volume-source-missing", "Secret shop/cart-tls")
    );
    assert_eq!(of("MountVolume.SetUp failed for volume \"files\" : object \"shop\"/\"cart-files\" not registered"), []);
}

#[test]
fn a_key_that_a_volume_takes_and_that_is_not_there_blames_its_source() {
    let item = |key: &str| json!([{"key": key, "path": key}]);
    let volumes = json!({"spec": {"volumes": [
        {"name": "config", "configMap": {"name": "cart-config", "items": item("app.yaml")}},
        {"name": "tls", "secret": {"secretName": "cart-tls", "items": item("tls.crt")}},
        {"name": "all", "projected": {"sources": [{"configMap": {"name": "other"}},
            {"secret": {"name": "cart-key", "items": item("key")}}]}},
    ]}, "status": {"phase": "Pending"}});
    let pending = with_container(with(pod("shop", "cart"), &volumes), &json!({}), &waiting("ContainerCreating", ""));
    let said = |volume: &str, what: &str| {
        let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {what}");
        of(pending.clone(), &[pod_event("cart", "FailedMount", &message)], vec![])
    };
    let config = said("config", "configmap references non-existent config key: app.yaml");
    assert_eq!(found(&config), one("volume-source-key-missing", "ConfigMap shop/cart-config"));
    assert_eq!(
        found(&said("tls", "references non-existent secret key: tls.crt")),
        one("volume-source-key-missing", "Secret shop/cart-tls")
    );
    assert_eq!(
        found(&said("all", "references non-existent secret key: key")),
        one("volume-source-key-missing", "Secret shop/cart-key")
    );
    let mut arrived = config;
    arrived.insert(object("ConfigMap", "shop", "cart-config", &json!({"data": {"app.yaml": "x"}})));
    assert_eq!(found(&arrived), []);
}

#[test]
fn an_image_that_may_be_mistyped_or_forbidden_is_told_with_both() {
    let message = "Back-off pulling image \"ngnix\": ErrImagePull: failed to resolve reference \"docker.io/library/ngnix:latest\": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed";
    let pulled = with_container(pod("shop", "cart"), &json!({"image": "ngnix"}), &waiting("ImagePullBackOff", message));
    let remedies = |pod: &Value| {
        let findings = run(&of(pod.clone(), &[], vec![]));
        let told = findings.iter().find(|finding| finding.condition == "image-absent-or-denied").unwrap();
        told.remedies.iter().map(|remedy| remedy.title.clone()).collect::<Vec<_>>()
    };
    let (name, secret) =
        ("Correct the image's name, where it is mistyped", "Name a pull secret that may read this repository");
    assert_eq!(remedies(&pulled), [name, secret]);
    let with_secret = with(pulled, &json!({"spec": {"imagePullSecrets": [{"name": "registry"}]}}));
    assert_eq!(remedies(&with_secret), [secret, name]);
}

#[test]
fn a_registry_that_is_not_reached_is_no_reason_to_change_the_image() {
    let message = "Back-off pulling image \"x\": ErrImagePull: dial tcp: lookup registry.local: no such host";
    let image = json!({"image": "registry.local/cart:2"});
    let mut scene = of(with_container(pod("shop", "cart"), &image, &waiting("ImagePullBackOff", message)), &[], vec![]);
    let mut commands = |from: &str| {
        let change = Change {
            field: "containers[app].image".to_owned(),
            from: Some(from.to_owned()),
            to: Some("registry.local/cart:2".to_owned()),
        };
        let rollout =
            Rollout { at: scene.now, revision: "2".to_owned(), by: None, writer: None, changes: vec![change] };
        scene.rollouts.insert(ObjectRef::namespaced("Deployment", "shop", "cart"), rollout);
        let findings = run(&scene);
        let told = findings.iter().find(|finding| finding.condition == "image-registry-unreachable").unwrap();
        told.remedies.iter().filter_map(|remedy| remedy.command.clone()).collect::<Vec<_>>()
    };
    let same = commands("registry.local/cart:1");
    assert!(same.iter().all(|command| command.starts_with("kubectl describe")), "{same:?}");
    assert!(commands("old.local/cart:1").contains(&"kubectl rollout undo -n shop deployment/cart".to_owned()));
}

#[test]
fn each_reason_of_a_failed_pull_is_its_own_condition() {
    let of = |reason: &str, message: &str| {
        let pod =
            with_container(pod("shop", "cart"), &json!({"image": "registry.local/cart:9"}), &waiting(reason, message));
        found(&of(pod, &[], vec![]))
    };
    let failed = |why: &str| {
        of(
            "ImagePullBackOff",
            &format!(
                "Back-off pulling image \"registry.local/cart:9\": ErrImagePull: failed to pull and unpack image: {why}"
            ),
        )
    };
    assert_eq!(
        failed("failed to resolve reference \"registry.local/cart:9\": registry.local/cart:9: not found"),
        one("image-not-found", CART)
    );
    assert_eq!(failed("unexpected status: 401 Unauthorized"), one("image-pull-denied", CART));
    assert_eq!(failed("dial tcp: lookup registry.local: no such host"), one("image-registry-unreachable", CART));
    assert_eq!(
        failed("429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit"),
        one("image-pull-rate-limited", CART)
    );
    assert_eq!(
        of("InvalidImageName", "couldn't parse image name \"Cart:9\": invalid reference format"),
        one("image-name-invalid", CART)
    );
    assert_eq!(
        of("ErrImageNeverPull", "Container image \"cart:9\" is not present with pull policy of Never"),
        one("image-not-on-node", CART)
    );
    assert_eq!(of("ContainerCreating", ""), []);
}

#[test]
fn a_missing_pull_secret_is_the_culprit() {
    let message = "Back-off pulling image \"registry.local/cart:9\": ErrImagePull: unexpected status: 401 Unauthorized";
    let pod = with(pod("shop", "cart"), &json!({"spec": {"imagePullSecrets": [{"name": "registry"}]}}));
    let mut scene = of(with_container(pod, &json!({}), &waiting("ImagePullBackOff", message)), &[], vec![]);
    assert_eq!(found(&scene), one("image-pull-denied", CART));
    scene.missing.insert(ObjectRef::namespaced("Secret", "shop", "registry"));
    assert_eq!(found(&scene), one("image-pull-secret-missing", "Secret shop/registry"));
}

#[test]
fn a_command_that_is_not_there_is_told_from_one_that_may_not_run() {
    let of = |message: &str| {
        let status = with(
            waiting("CrashLoopBackOff", "back-off"),
            &json!({"restartCount": 3, "lastState": with(ended(128, "StartError", "2026-01-02T11:58:00Z"), &json!({"terminated": {"message": message}}))}),
        );
        found(&of(with_container(pod("shop", "cart"), &json!({}), &status), &[], vec![]))
    };
    let runc = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"/srv\":";
    assert_eq!(of(&format!("{runc} stat /srv: no such file or directory")), one("command-not-found", CART));
    assert_eq!(of(&format!("{runc} permission denied")), one("command-not-executable", CART));
    assert_eq!(of("exec /srv: exec format error"), one("image-wrong-architecture", CART));
    assert_eq!(found(&super::containers::of(crashed(1, "Error"), &[], vec![])), []);
}

#[test]
fn a_command_that_ends_at_once_does_not_stay_up() {
    assert_eq!(found(&of(crashed(0, "Completed"), &[], vec![])), one("container-completes", CART));
}

#[test]
fn a_failing_init_container_holds_the_others_up() {
    let mut value = with_container(pod("shop", "cart"), &json!({}), &waiting("PodInitializing", ""));
    value["spec"]["initContainers"] = json!([{"name": "migrate", "image": "m"}]);
    value["status"]["initContainerStatuses"] = json!([{"name": "migrate", "ready": false, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": ended(1, "Error", "2026-01-02T11:58:00Z")}]);
    assert_eq!(found(&of(value.clone(), &[], vec![])), one("init-container-failing", ""));
    value["status"]["initContainerStatuses"] = json!([{"name": "migrate", "ready": true, "restartCount": 0, "state": ended(0, "Completed", "2026-01-02T11:58:00Z")}]);
    assert_eq!(found(&of(value, &[], vec![])), []);
}

fn probed(kind: &str, port: u16, status: &Value) -> Value {
    let spec = json!({"ports": [{"name": "http", "containerPort": 8080}],
        kind: {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 10, "failureThreshold": 3}});
    with_container(pod("shop", "cart"), &spec, status)
}

#[test]
fn a_readiness_probe_on_a_port_without_a_listener_blames_the_owner() {
    let refused = "Readiness probe failed: Get \"http://10.244.0.9:9999/healthz\": dial tcp 10.244.0.9:9999: connect: connection refused";
    let scene_of = |port, message: &str, logs| {
        of(probed("readinessProbe", port, &json!({"ready": false})), &[pod_event("cart", "Unhealthy", message)], logs)
    };
    let listening = r#"{"msg":"listening","port":"8080"}"#;
    let logged = scene_of(9999, refused, vec![log("shop", "cart", false, listening)]);
    assert_eq!(found(&logged), one("readiness-probe-wrong-port", CART));
    assert_eq!(
        statement(&logged, "readiness-probe-wrong-port"),
        "The readiness probe of container app of Pod shop/cart-5d-a asks port 9999, where nothing listens: its log says that it listens on 8080"
    );
    assert_eq!(
        found(&scene_of(9999, refused, vec![])),
        one("readiness-probe-undeclared-port", CART),
        "by the declared ports"
    );
    assert_eq!(found(&scene_of(8080, refused, vec![])), one("readiness-probe-failing", ""), "the port is right");
    let not_found = "Readiness probe failed: HTTP probe failed with statuscode: 404";
    assert_eq!(found(&scene_of(8080, not_found, vec![])), one("readiness-probe-wrong-path", CART));
    let failing = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    assert_eq!(found(&scene_of(8080, failing, vec![])), one("readiness-probe-failing", ""));
}

#[test]
fn a_probe_whose_port_the_program_listens_on_beside_others_is_right() {
    let refused = "Readiness probe failed: Get \"http://10.244.0.9:8081/healthz\": dial tcp 10.244.0.9:8081: connect: connection refused";
    let events = [pod_event("cart", "Unhealthy", refused)];
    let probed = || probed("readinessProbe", 8081, &json!({"ready": false}));
    let of = |pod: Value, text: &str| found(&of(pod, &events, vec![log("shop", "cart", false, text)]));
    assert_eq!(of(probed(), "metrics listening on :9090\nhttp listening on :8081"), one("readiness-probe-failing", ""));
    assert_eq!(of(probed(), "metrics listening on :9090"), one("readiness-probe-wrong-port", CART));
    let set = json!({"env": [{"name": "MANAGEMENT_SERVER_PORT", "value": "8081"}]});
    assert_eq!(of(with_container(probed(), &set, &json!({})), "starting"), one("readiness-probe-failing", ""));
    let guess = run(&super::containers::of(probed(), &events, vec![]));
    let guess = guess.iter().find(|finding| finding.condition == "readiness-probe-undeclared-port").unwrap();
    assert!(guess.remedies.iter().all(|remedy| !remedy.command.as_ref().unwrap().contains("patch")));
}

#[test]
fn a_slow_start_is_no_failing_probe() {
    let status = json!({"ready": false, "state": {"running": {"startedAt": "2026-01-02T11:59:40Z"}}});
    let refused = "Readiness probe failed: Get \"http://10.244.0.9:9999/healthz\": dial tcp 10.244.0.9:9999: connect: connection refused";
    let events = [pod_event("cart", "Unhealthy", refused)];
    assert_eq!(found(&of(probed("readinessProbe", 9999, &status), &events, vec![])), []);
    let passed = scene(workload("shop", "cart", probed("readinessProbe", 9999, &json!({}))), &events, vec![]);
    assert_eq!(found(&passed), [], "it is ready by now");
}

#[test]
fn a_liveness_probe_that_kills_is_told_and_one_that_warns_is_not() {
    let status = json!({"restartCount": 4, "ready": false, "lastState": ended(137, "Error", "2026-01-02T11:59:00Z")});
    let message = "Liveness probe failed: HTTP probe failed with statuscode: 500";
    let unhealthy = pod_event("cart", "Unhealthy", message);
    let killing = with(
        pod_event("cart", "Killing", "Container app failed liveness probe, will be restarted"),
        &json!({"type": "Normal"}),
    );
    let of = |events: &[Value]| found(&of(probed("livenessProbe", 8080, &status), events, vec![]));
    assert_eq!(
        of(&[unhealthy.clone(), killing]),
        one("liveness-probe-kills", "").into_iter().chain(one("container-restarted", "")).rev().collect::<Vec<_>>()
    );
    assert_eq!(of(&[unhealthy]), one("container-restarted", ""));
}

#[test]
fn a_pod_of_five_seconds_is_not_judged() {
    let young = json!({"metadata": {"creationTimestamp": "2026-01-02T11:59:55Z"}, "status": {"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}]}});
    let pod = with_container(with(pod("shop", "cart"), &young), &json!({}), &waiting("ContainerCreating", ""));
    assert_eq!(run(&scene(workload("shop", "cart", pod), &[], vec![])), []);
}

#[test]
fn pods_of_one_workload_that_fail_alike_are_one_finding() {
    let mut objects = broken_workload("shop", "cart", crashed(137, "OOMKilled"));
    objects.push(with(objects[2].clone(), &json!({"metadata": {"name": "cart-5d-b"}})));
    let findings = run(&scene(objects, &[], vec![]));
    let killed = findings.iter().filter(|finding| finding.condition == "container-oom-killed").collect::<Vec<_>>();
    assert_eq!(killed.len(), 1);
    assert!(killed[0].statement.ends_with("(and 1 more pod alike)"), "{}", killed[0].statement);
}
