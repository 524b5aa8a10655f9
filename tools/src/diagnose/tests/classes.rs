//! Less common classes of faults, each with its like that is none.

use super::*;
use crate::scene::{Change, Rollout};

const CART: &str = "Deployment shop/cart";

fn crashes(pod: Value, line: &str) -> Scene {
    let status = with(
        waiting("CrashLoopBackOff", "back-off"),
        &json!({"restartCount": 5, "lastState": ended(1, "Error", "2026-01-02T11:58:00Z")}),
    );
    let objects = broken_workload("shop", "cart", with_container(pod, &json!({}), &status));
    scene(objects, &[], vec![log("shop", "cart", true, line)])
}

#[test]
fn a_pod_that_is_given_no_token_tells_who_turned_it_off() {
    let line = "unable to load in-cluster configuration: open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory";
    let off = json!({"spec": {"automountServiceAccountToken": false, "serviceAccountName": "cart"}});
    assert_eq!(found(&crashes(with(pod("shop", "cart"), &off), line)), one("account-token-not-mounted", CART));
    let named = with(pod("shop", "cart"), &json!({"spec": {"serviceAccountName": "cart"}}));
    let mut by_account = crashes(named.clone(), line);
    by_account.insert(object("ServiceAccount", "shop", "cart", &json!({"automountServiceAccountToken": false})));
    assert_eq!(found(&by_account), one("account-token-not-mounted", "ServiceAccount shop/cart"));
    assert_eq!(found(&crashes(named, line)), [], "nobody is seen to have turned it off");
    let given = json!({"spec": {"volumes": [{"name": "kube-api-access-x", "projected": {"sources": [{"serviceAccountToken": {}}]}}]}});
    assert_eq!(found(&crashes(with(with(pod("shop", "cart"), &off), &given), line)), [], "it has one");
}

#[test]
fn a_port_that_takes_a_privilege_is_no_wrong_configuration() {
    let of = |line: &str| found(&crashes(pod("shop", "cart"), line));
    for line in [
        "listen tcp :80: bind: permission denied",
        "Error: listen EACCES: permission denied 0.0.0.0:443",
        "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)",
    ] {
        assert_eq!(of(line), one("port-needs-privilege", CART), "{line}");
    }
    let full = "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)";
    assert_eq!(of(full), one("port-already-used", CART));
    let file = "nginx: [emerg] open() \"/etc/nginx/x\" failed (13: Permission denied)";
    assert_eq!(of(file), one("configuration-unreadable", CART));
}

#[test]
fn a_readiness_gate_that_nobody_opens_is_told_and_one_of_just_now_is_not() {
    let gated = |since: &str, gate: Value| {
        let mut conditions = vec![
            json!({"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady"}),
            json!({"type": "ContainersReady", "status": "True", "lastTransitionTime": since}),
        ];
        conditions.extend(Some(gate).filter(|gate| !gate.is_null()));
        let patch = json!({"spec": {"readinessGates": [{"conditionType": "lb.example.com/healthy"}]}, "status": {"conditions": conditions}});
        found(&scene(workload("shop", "cart", with(pod("shop", "cart"), &patch)), &[], vec![]))
    };
    let long = "2026-01-02T11:00:00Z";
    assert_eq!(gated(long, Value::Null), one("readiness-gate-shut", CART));
    let shut = json!({"type": "lb.example.com/healthy", "status": "False", "reason": "Unhealthy"});
    assert_eq!(gated(long, shut), one("readiness-gate-shut", CART));
    assert_eq!(gated(long, json!({"type": "lb.example.com/healthy", "status": "True"})), []);
    assert_eq!(gated("2026-01-02T11:59:30Z", Value::Null), []);
}

#[test]
fn a_paused_deployment_is_told_with_what_it_holds_back() {
    let paused = with(
        deployment("shop", "cart"),
        &json!({"spec": {"paused": true, "replicas": 3}, "status": {"updatedReplicas": 1}}),
    );
    let objects = vec![paused, replica_set("shop", "cart"), pod("shop", "cart")];
    let told = scene(objects, &[], vec![]);
    assert_eq!(found(&told), one("deployment-paused", CART));
    assert_eq!(
        statement(&told, "deployment-paused"),
        "Deployment shop/cart is paused, so that what is changed in it is not rolled out: 1 of 3 replicas are of its present specification"
    );
}

#[test]
fn a_time_zone_that_does_not_exist_is_a_wrong_schedule_and_a_refused_run_names_its_quota() {
    let cron = |last: &str| {
        object(
            "CronJob",
            "shop",
            "export",
            &json!({"spec": {"schedule": "0 3 * * *"}, "status": {"lastScheduleTime": last}}),
        )
    };
    let of = |last: &str, reason: &str, message: &str| {
        found(&scene(vec![cron(last)], &[event("CronJob", "shop", "export", reason, message)], vec![]))
    };
    let zone = "invalid timeZone: \"Europe/Berlim\": unknown time zone Europe/Berlim";
    assert_eq!(of(OLD, "UnknownTimeZone", zone), one("cron-job-schedule-invalid", "CronJob shop/export"));
    let full = "Error creating job: jobs.batch \"export-1\" is forbidden: exceeded quota: jobs, requested: count/jobs.batch=1, used: count/jobs.batch=5, limited: count/jobs.batch=5";
    assert_eq!(of(OLD, "FailedCreate", full), one("quota-exceeded", "ResourceQuota shop/jobs"));
    assert_eq!(of("2026-01-02T11:59:30Z", "FailedCreate", full), [], "a run began since");
}

#[test]
fn a_probe_that_asks_in_the_wrong_way_is_told_from_a_program_that_does_not_answer() {
    let of = |probe: Value, message: &str| {
        let spec = json!({"readinessProbe": probe});
        let pod = with_container(pod("shop", "cart"), &spec, &json!({"ready": false}));
        let event = pod_event("cart", "Unhealthy", &format!("Readiness probe failed: {message}"));
        found(&scene(broken_workload("shop", "cart", pod), &[event], vec![]))
    };
    let exec = json!({"exec": {"command": ["/bin/grpc_health_probe"]}});
    let absent = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"/bin/grpc_health_probe\": stat /bin/grpc_health_probe: no such file or directory: unknown";
    assert_eq!(of(exec.clone(), absent), one("readiness-probe-wrong-command", CART));
    assert_eq!(of(exec, "cat: /tmp/ready: No such file or directory"), one("readiness-probe-failing", ""));
    let https = json!({"httpGet": {"port": 8080, "scheme": "HTTPS"}});
    let plain = "Get \"https://10.0.0.5:8080/\": http: server gave HTTP response to HTTPS client";
    assert_eq!(of(https.clone(), plain), one("readiness-probe-wrong-scheme", CART));
    let slow =
        "Get \"https://10.0.0.5:8080/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
    assert_eq!(of(https, slow), one("readiness-probe-failing", ""));
}

#[test]
fn a_stateful_set_tells_that_a_broken_pod_of_an_earlier_revision_is_not_replaced() {
    let held = |own: &str, policy: &str| {
        let set = object(
            "StatefulSet",
            "shop",
            "db",
            &json!({"spec": {"replicas": 1, "podManagementPolicy": policy}, "status": {"updateRevision": "db-2"}}),
        );
        let pod = json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "db-0", "creationTimestamp": OLD,
            "labels": {"controller-revision-hash": own}, "ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": true}]},
            "spec": {}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}});
        statement(&scene(vec![set, pod], &[], vec![]), "stateful-set-held-up")
    };
    assert!(held("db-1", "OrderedReady").ends_with(
        "Pod shop/db-0 is the first that is not. That one is of an earlier revision, and is not replaced by itself as long as it is not ready"
    ));
    assert!(held("db-2", "OrderedReady").ends_with("is the first that is not"));
    assert!(held("db-1", "Parallel").ends_with("is the first that is not"));
}

#[test]
fn a_pod_that_does_not_heed_the_request_to_end_is_told_within_its_long_grace_period() {
    let ending = |until: &str, grace: i64| {
        let patch = json!({"metadata": {"deletionTimestamp": until, "deletionGracePeriodSeconds": grace}});
        let told = scene(workload("shop", "cart", with(pod("shop", "cart"), &patch)), &[], vec![]);
        found(&told)
            .into_iter()
            .filter(|(word, _)| word.contains("end") || word.contains("deletion"))
            .collect::<Vec<_>>()
    };
    assert_eq!(ending("2026-01-02T12:50:00Z", 3_600), one("pod-slow-to-end", CART));
    assert_eq!(ending("2026-01-02T12:00:20Z", 30), [], "it was just asked to");
}

/// `cart`, which takes this Secret or ConfigMap, written at this time.
fn takes(how: &Value, written: &str, line: &str) -> Scene {
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    merge(&mut objects[2]["spec"], how);
    let kept = object("Secret", "shop", "db", &json!({"data": {"password": "cGFzc3dvcmQ="}}));
    objects.push(kept);
    let mut told = scene(objects, &[], vec![log("shop", "cart", false, line)]);
    let change = Change { field: "data.password".to_owned(), from: None, to: None };
    let rollout = Rollout {
        at: written.parse().unwrap(),
        revision: "last written by helm, which holds these fields".to_owned(),
        by: None,
        writer: None,
        changes: vec![change],
    };
    told.rollouts.insert(ObjectRef::namespaced("Secret", "shop", "db"), rollout);
    told
}

#[test]
fn configuration_that_was_written_after_the_pods_began_is_told_where_they_take_it_only_once() {
    let env = json!({"containers": [{"name": "app", "envFrom": [{"secretRef": {"name": "db"}}]}]});
    let stale = |how: &Value, written: &str| {
        let told = found(&takes(how, written, "all is well"));
        told.into_iter().any(|(word, culprit)| word == "configuration-newer-than-pods" && culprit == "Secret shop/db")
    };
    let (after, before) = ("2026-01-02T11:30:00Z", "2026-01-01T11:30:00Z");
    assert!(stale(&env, after));
    assert!(!stale(&env, before));
    let mounted = |mount: Value| {
        json!({"volumes": [{"name": "db", "secret": {"secretName": "db"}}],
            "containers": [{"name": "app", "volumeMounts": [with(json!({"name": "db", "mountPath": "/etc/db"}), &mount)]}]})
    };
    assert!(stale(&mounted(json!({"subPath": "password"})), after));
    assert!(!stale(&mounted(json!({})), after), "a volume is updated");
}

#[test]
fn credentials_that_were_rotated_under_a_program_ask_for_its_restart() {
    let env = json!({"containers": [{"name": "app", "env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]}]});
    let line = "ERROR pq: password authentication failed for user \"cart\"\n".repeat(2);
    let told = takes(&env, "2026-01-02T11:30:00Z", &line);
    let said = statement(&told, "credentials-refused");
    assert!(
        said.contains("; it has them from Secret shop/db, which was written at 11:30 UTC, after it began: "),
        "{said}"
    );
    let restarts = |scene: &Scene| {
        let findings = run(scene);
        let refused = findings.iter().find(|finding| finding.condition == "credentials-refused").unwrap();
        refused
            .remedies
            .iter()
            .any(|remedy| remedy.command.as_deref() == Some("kubectl rollout restart -n shop deployment/cart"))
    };
    assert!(restarts(&told));
    assert!(!restarts(&takes(&env, "2026-01-01T11:00:00Z", &line)));
}

#[test]
fn a_service_that_stands_for_a_name_which_does_not_exist_is_the_cause() {
    let of = |line: &str| {
        let mut objects = workload("shop", "cart", pod("shop", "cart"));
        objects.push(object(
            "Service",
            "shop",
            "bank",
            &json!({"spec": {"type": "ExternalName", "externalName": "api.bnak.example"}}),
        ));
        found(&scene(objects, &[], vec![log("shop", "cart", false, &format!("{line}\n{line}\n"))]))
    };
    let unknown =
        "ERROR Get \"http://bank.shop.svc:80/\": dial tcp: lookup bank.shop.svc on 10.96.0.10:53: no such host";
    assert_eq!(of(unknown), one("service-external-name-unknown", "Service shop/bank"));
    assert_eq!(
        of("ERROR Get \"http://bank.shop.svc:80/\": context deadline exceeded"),
        one("dependency-timeout", "Service shop/bank")
    );
}

#[test]
fn a_certificate_tells_what_it_is_not_for_and_from_when_on_it_is_valid() {
    let secret = |valid: &str, names: Value| {
        object(
            "Secret",
            "shop",
            "web-tls",
            &json!({"data": {"tls.crt": format!("437 bytes, valid {valid}")}, "certificates": {"tls.crt": {"names": names}}}),
        )
    };
    let ingress = object(
        "Ingress",
        "shop",
        "web",
        &json!({"spec": {"tls": [{"secretName": "web-tls", "hosts": ["www.shop.example", "shop.example"]}], "rules": []}}),
    );
    let of = |valid: &str, names: Value| found(&scene(vec![secret(valid, names), ingress.clone()], &[], vec![]));
    let now = "2025-01-01T00:00:00Z to 2027-01-01T00:00:00Z";
    assert_eq!(of(now, json!(["*.shop.example", "shop.example"])), []);
    assert_eq!(of(now, json!(["*.shop.example"])), one("ingress-certificate-for-other-names", "Secret shop/web-tls"));
    assert_eq!(of(now, json!([])), [], "it tells no names");
    let later = "2026-06-01T00:00:00Z to 2027-01-01T00:00:00Z";
    assert_eq!(of(later, json!([])), one("secret-certificate-not-yet-valid", "Secret shop/web-tls"));
}

#[test]
fn a_file_that_is_no_key_of_what_is_mounted_there_blames_that() {
    let mounts = |volume: Value| {
        json!({"spec": {"volumes": [with(json!({"name": "config"}), &volume)],
            "containers": [{"name": "app", "volumeMounts": [{"name": "config", "mountPath": "/etc/cart"}]}]}})
    };
    let of = |volume: Value, line: &str| {
        let mut told = crashes(with(pod("shop", "cart"), &mounts(volume)), line);
        told.insert(object("ConfigMap", "shop", "settings", &json!({"data": {"cart.yaml": "a: 1"}})));
        found(&told)
    };
    let map = json!({"configMap": {"name": "settings"}});
    let missing = |file: &str| format!("panic: open {file}: no such file or directory");
    assert_eq!(
        of(map.clone(), &missing("/etc/cart/config.yaml")),
        one("mounted-file-missing", "ConfigMap shop/settings")
    );
    assert_eq!(of(map.clone(), &missing("/etc/cart/cart.yaml")), [], "it has that");
    assert_eq!(of(map.clone(), &missing("/var/lib/cart/state")), [], "nothing is mounted there");
    assert_eq!(of(json!({"emptyDir": {}}), &missing("/etc/cart/config.yaml")), []);
    let named = json!({"configMap": {"name": "settings", "items": [{"key": "cart.yaml", "path": "config.yaml"}]}});
    assert_eq!(of(named, &missing("/etc/cart/config.yaml")), []);
}

#[test]
fn a_pull_secret_that_was_written_lately_is_blamed_for_an_image_that_is_the_one_of_before() {
    let of = |written: &str| {
        let status = waiting("ImagePullBackOff", "Back-off pulling image: 401 Unauthorized");
        let named = with(pod("shop", "cart"), &json!({"spec": {"imagePullSecrets": [{"name": "registry"}]}}));
        let mut told = scene(broken_workload("shop", "cart", with_container(named, &json!({}), &status)), &[], vec![]);
        told.insert(object("Secret", "shop", "registry", &json!({})));
        let revision = "last written by helm, which holds these fields".to_owned();
        let rollout = Rollout { at: written.parse().unwrap(), revision, by: None, writer: None, changes: vec![] };
        told.rollouts.insert(ObjectRef::namespaced("Secret", "shop", "registry"), rollout);
        let told = found(&told);
        told.into_iter().filter(|(condition, _)| condition.starts_with("image")).collect::<Vec<_>>()
    };
    assert_eq!(of("2026-01-02T11:30:00Z"), one("image-pull-denied", "Secret shop/registry"));
    assert_eq!(of("2026-01-01T11:30:00Z"), one("image-pull-denied", CART), "before the workload was made");
}

#[test]
fn a_claim_that_asks_for_more_than_its_volume_has_tells_both_sizes() {
    let claim = |size: &str| {
        object(
            "PersistentVolumeClaim",
            "shop",
            "data",
            &json!({"spec": {"volumeName": "old-data", "storageClassName": "", "resources": {"requests": {"storage": size}}}, "status": {"phase": "Pending"}}),
        )
    };
    let volume = json!({"kind": "PersistentVolume", "metadata": {"name": "old-data", "creationTimestamp": OLD},
        "spec": {"capacity": {"storage": "5Gi"}}, "status": {"phase": "Available"}});
    let said = event(
        "PersistentVolumeClaim",
        "shop",
        "data",
        "VolumeMismatch",
        "Cannot bind to requested volume \"old-data\": requested PV is too small",
    );
    let told = scene(vec![claim("20Gi"), volume.clone()], &[said], vec![]);
    assert_eq!(found(&told), one("claim-volume-mismatch", "PersistentVolumeClaim shop/data"));
    assert_eq!(
        statement(&told, "claim-volume-mismatch"),
        "PersistentVolumeClaim shop/data does not fit the volume that it asks for, \"old-data\": requested PV is too small. It asks for 20Gi, and the largest free volume of its class, PersistentVolume old-data, has 5Gi"
    );
    let unsaid = scene(vec![claim("2Gi"), volume], &[], vec![]);
    assert!(!found(&unsaid).iter().any(|(condition, _)| condition == "claim-volume-mismatch"));
}
