//! What the objects themselves say of less common faults.

use super::*;

const LONG_AGO: &str = "2026-01-02T11:00:00Z";

pub(super) fn cluster_wide(kind: &str, name: &str, rest: &Value) -> Value {
    with(json!({"kind": kind, "metadata": {"name": name, "creationTimestamp": OLD}}), rest)
}

pub(super) fn node(patch: &Value) -> Value {
    cluster_wide(
        "Node",
        "worker-1",
        &with(json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}), patch),
    )
}

#[test]
fn an_autoscaler_that_goes_up_and_down_is_told_and_one_that_follows_the_load_is_not() {
    let hpa = object(
        "HorizontalPodAutoscaler",
        "shop",
        "cart",
        &json!({"spec": {"maxReplicas": 9, "scaleTargetRef": {"kind": "Deployment", "name": "cart"}}}),
    );
    let of = |ups: i64, downs: i64| {
        let rescale = |message: &str, count: i64| {
            with(
                event("HorizontalPodAutoscaler", "shop", "cart", "SuccessfulRescale", message),
                &json!({"type": "Normal", "count": count}),
            )
        };
        let events = [
            rescale("New size: 6; reason: cpu resource utilization (percentage of request) above target", ups),
            rescale("New size: 2; reason: All metrics below target", downs),
        ];
        found(&scene(vec![deployment("shop", "cart"), hpa.clone()], &events, vec![]))
    };
    assert_eq!(of(4, 4), one("autoscaler-flapping", "HorizontalPodAutoscaler shop/cart"));
    assert_eq!(of(5, 1), []);
}

#[test]
fn a_webhook_whose_service_is_gone_or_down_is_told_and_one_that_may_fail_does_not_alarm() {
    let configuration = |policy: &str| {
        cluster_wide(
            "ValidatingWebhookConfiguration",
            "guard",
            &json!({"webhooks": [{"name": "policy.example.com", "failurePolicy": policy,
                "clientConfig": {"service": {"namespace": "guard", "name": "policy"}}}]}),
        )
    };
    let gone = |policy: &str| {
        let mut scene = scene(vec![configuration(policy)], &[], vec![]);
        scene.missing.insert(ObjectRef::namespaced("Service", "guard", "policy"));
        scene
    };
    let guard = "ValidatingWebhookConfiguration guard";
    assert_eq!(found(&gone("Fail")), one("webhook-service-missing", guard));
    let severity = |policy: &str| run(&gone(policy))[0].severity;
    assert_eq!((severity("Fail"), severity("Ignore")), (marple_core::Severity::Critical, marple_core::Severity::Info));
    let down = vec![configuration("Fail"), service("guard", "policy", 443)];
    let names = found(&scene(down, &[], vec![]));
    assert!(names.contains(&one("webhook-service-without-endpoints", "Service guard/policy")[0]), "{names:?}");
    let mut well = workload("guard", "policy", pod("guard", "policy"));
    well.extend([configuration("Fail"), service("guard", "policy", 443)]);
    assert_eq!(found(&scene(well, &[], vec![])), []);
}

#[test]
fn an_api_that_nobody_answers_points_at_its_server() {
    let api = |status: &str| {
        cluster_wide(
            "APIService",
            "v1beta1.metrics.k8s.io",
            &json!({"spec": {"service": {"namespace": "kube-system", "name": "metrics-server"}}, "status": {"conditions": [
                {"type": "Available", "status": status, "reason": "MissingEndpoints", "message": "endpoints for service/metrics-server in \"kube-system\" have no addresses with port name \"https\""}]}}),
        )
    };
    assert_eq!(
        found(&scene(vec![api("False")], &[], vec![])),
        one("api-service-unavailable", "Service kube-system/metrics-server")
    );
    assert_eq!(found(&scene(vec![api("True")], &[], vec![])), []);
}

#[test]
fn a_class_that_is_missing_is_the_culprit() {
    let ingress = object("Ingress", "shop", "web", &json!({"spec": {"ingressClassName": "ngnix", "rules": []}}));
    let mut scene_of = scene(vec![ingress], &[], vec![]);
    assert_eq!(found(&scene_of), []);
    scene_of.missing.insert(ObjectRef::cluster("IngressClass", "ngnix"));
    assert_eq!(found(&scene_of), one("ingress-class-missing", "IngressClass ngnix"));
}

#[test]
fn a_route_that_leads_nowhere_names_what_is_missing() {
    let route = |status: Value| {
        object(
            "HTTPRoute",
            "shop",
            "web",
            &json!({"spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "cart", "port": 80}]}]}, "status": status}),
        )
    };
    let with_cart = |port: u16, status: Value| {
        let mut objects = workload("shop", "cart", pod("shop", "cart"));
        objects.extend([service("shop", "cart", port), route(status)]);
        scene(objects, &[], vec![])
    };
    assert_eq!(found(&with_cart(80, json!({}))), []);
    assert_eq!(found(&with_cart(8080, json!({}))), one("route-port-unknown", "HTTPRoute shop/web"));
    let refused = json!({"parents": [{"conditions": [{"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners", "message": "No listener allows the route's namespace"}]}]});
    assert_eq!(found(&with_cart(80, refused)), one("route-not-accepted", "HTTPRoute shop/web"));
    let mut without = scene(vec![route(json!({}))], &[], vec![]);
    without.missing.insert(ObjectRef::namespaced("Service", "shop", "cart"));
    without.missing.insert(ObjectRef::namespaced("Gateway", "shop", "edge"));
    assert_eq!(
        found(&without),
        [one("route-gateway-missing", "Gateway shop/edge"), one("route-service-missing", "Service shop/cart")].concat()
    );
}

#[test]
fn a_gateway_that_is_not_programmed_tells_why() {
    let gateway = |status: &str| {
        let condition = json!({"type": "Programmed", "status": status, "reason": "AddressNotAssigned", "message": "no address is free"});
        object(
            "Gateway",
            "shop",
            "edge",
            &json!({"spec": {"gatewayClassName": "fast"}, "status": {"conditions": [condition]}}),
        )
    };
    assert_eq!(found(&scene(vec![gateway("False")], &[], vec![])), one("gateway-not-programmed", "Gateway shop/edge"));
    assert_eq!(found(&scene(vec![gateway("True")], &[], vec![])), []);
    let mut classless = scene(vec![gateway("Unknown")], &[], vec![]);
    classless.missing.insert(ObjectRef::cluster("GatewayClass", "fast"));
    assert_eq!(found(&classless), one("gateway-class-missing", "GatewayClass fast"));
}

#[test]
fn a_certificate_that_has_expired_is_known_by_the_cluster_itself() {
    let secret = |valid: &str| {
        object(
            "Secret",
            "shop",
            "web-tls",
            &json!({"type": "kubernetes.io/tls", "data": {"tls.crt": format!("437 bytes, valid {valid}")}}),
        )
    };
    let ingress = object("Ingress", "shop", "web", &json!({"spec": {"tls": [{"secretName": "web-tls"}], "rules": []}}));
    let of = |valid: &str| scene(vec![secret(valid), ingress.clone()], &[], vec![]);
    let expired = of("2025-01-01T00:00:00Z to 2026-01-01T00:00:00Z");
    assert_eq!(found(&expired), one("secret-certificate-expired", "Secret shop/web-tls"));
    assert_eq!(
        statement(&expired, "secret-certificate-expired"),
        "Secret shop/web-tls, the certificate of Ingress shop/web, holds a certificate that expired 36 h ago, at 2026-01-01T00:00:00Z"
    );
    assert_eq!(
        found(&of("2025-01-01T00:00:00Z to 2026-01-05T00:00:00Z")),
        one("certificate-expires-soon", "Secret shop/web-tls")
    );
    assert_eq!(found(&of("2025-01-01T00:00:00Z to 2027-01-01T00:00:00Z")), []);
}

#[test]
fn a_certificate_that_is_not_issued_tells_what_the_issuer_said() {
    let certificate = |since: &str| {
        object(
            "Certificate",
            "shop",
            "web",
            &json!({"spec": {"secretName": "web-tls", "issuerRef": {"name": "le", "kind": "ClusterIssuer"}}, "status": {"conditions": [
                {"type": "Issuing", "status": "False", "reason": "Failed", "message": "The certificate request has failed to complete and will be retried: acme: urn:ietf:params:acme:error:rateLimited", "lastTransitionTime": since},
                {"type": "Ready", "status": "False", "reason": "DoesNotExist", "message": "Issuing certificate as Secret does not exist", "lastTransitionTime": since}]}}),
        )
    };
    let failed = scene(vec![certificate(LONG_AGO)], &[], vec![]);
    assert_eq!(found(&failed), one("certificate-not-issued", "Certificate shop/web"));
    assert!(statement(&failed, "certificate-not-issued").contains("rateLimited"));
    assert_eq!(found(&scene(vec![certificate("2026-01-02T11:59:00Z")], &[], vec![])), []);
}

#[test]
fn what_detectors_say_of_a_node_is_told() {
    let of_event = |reason: &str, message: &str| {
        found(&scene(vec![node(&json!({}))], &[event("Node", "", "worker-2", reason, message)], vec![]))
    };
    let told = |reason: &str, message: &str| {
        let mut about = event("Node", "x", "worker-1", reason, message);
        about["involvedObject"] = json!({"kind": "Node", "name": "worker-1"});
        found(&scene(vec![node(&json!({}))], &[about], vec![]))
    };
    assert_eq!(
        told("SystemOOM", "System OOM encountered, victim process: java, pid: 4"),
        one("node-out-of-memory", "Node worker-1")
    );
    assert_eq!(told("ConntrackFull", "Conntrack table is full"), one("node-conntrack-full", "Node worker-1"));
    assert_eq!(
        told("KernelLog", "nf_conntrack: nf_conntrack: table full, dropping packet"),
        one("node-conntrack-full", "Node worker-1")
    );
    assert_eq!(
        told("FreeDiskSpaceFailed", "Failed to garbage collect required amount of images"),
        one("node-frees-no-disk", "Node worker-1")
    );
    assert_eq!(
        told("InvalidDiskCapacity", "invalid capacity 0 on image filesystem"),
        [],
        "every kubelet says it as it starts"
    );
    assert_eq!(of_event("SystemOOM", "x"), [], "about another object");
    let condition = |kind: &str| {
        node(
            &json!({"status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": kind, "status": "True", "reason": "R", "message": "it is so"}]}}),
        )
    };
    assert_eq!(found(&scene(vec![condition("ReadonlyFilesystem")], &[], vec![])), one("node-problem", "Node worker-1"));
    assert_eq!(found(&scene(vec![condition("EtcdIsVoter")], &[], vec![])), []);
    let mut inodes = event("Node", "x", "worker-1", "EvictionThresholdMet", "Attempting to reclaim inodes");
    inodes["involvedObject"] = json!({"kind": "Node", "name": "worker-1"});
    assert_eq!(
        found(&scene(vec![condition("DiskPressure")], &[inodes], vec![])),
        one("node-inodes-exhausted", "Node worker-1")
    );
}

#[test]
fn a_hook_that_fails_is_told_from_the_program() {
    let pod =
        with_container(pod("shop", "cart"), &json!({}), &waiting("PostStartHookError", "Exec lifecycle hook failed"));
    let event = pod_event("cart", "FailedPostStartHook", "PostStartHook failed");
    assert_eq!(
        found(&scene(broken_workload("shop", "cart", pod), &[event], vec![])),
        one("post-start-hook-failed", "Deployment shop/cart")
    );
}

#[test]
fn an_image_without_a_variant_for_the_node_is_no_missing_image() {
    let message =
        "Back-off pulling image: ErrImagePull: failed to resolve: no match for platform in manifest: not found";
    let pod = with_container(pod("shop", "cart"), &json!({}), &waiting("ImagePullBackOff", message));
    assert_eq!(
        found(&scene(broken_workload("shop", "cart", pod), &[], vec![])),
        one("image-without-platform", "Deployment shop/cart")
    );
    let status = with(
        waiting("CrashLoopBackOff", "x"),
        &json!({"restartCount": 3, "lastState": ended(1, "Error", "2026-01-02T11:58:00Z")}),
    );
    let pod = with_container(super::pod("shop", "cart"), &json!({}), &status);
    let mut objects = broken_workload("shop", "cart", pod);
    objects.push(node(&json!({"status": {"nodeInfo": {"architecture": "arm64"}}})));
    let line = "standard_init_linux.go:228: exec user process caused: exec format error";
    let crashing = scene(objects, &[], vec![log("shop", "cart", true, line)]);
    assert_eq!(found(&crashing), one("image-wrong-architecture", "Deployment shop/cart"));
    assert!(statement(&crashing, "image-wrong-architecture").contains("its node is arm64"));
}

#[test]
fn a_volume_that_belongs_to_an_earlier_claim_is_the_culprit() {
    let claim = object(
        "PersistentVolumeClaim",
        "shop",
        "data",
        &json!({"spec": {"volumeName": "pv-1", "storageClassName": ""}, "status": {"phase": "Pending"}}),
    );
    let volume = cluster_wide(
        "PersistentVolume",
        "pv-1",
        &json!({"spec": {"claimRef": {"namespace": "shop", "name": "old"}}, "status": {"phase": "Released"}}),
    );
    assert_eq!(found(&scene(vec![claim, volume], &[], vec![])), one("volume-released", "PersistentVolume pv-1"));
}

#[test]
fn several_default_classes_are_worth_a_word() {
    let class = |name: &str, default: &str| {
        cluster_wide(
            "StorageClass",
            name,
            &json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": default}}}),
        )
    };
    assert_eq!(
        found(&scene(vec![class("a", "true"), class("b", "true")], &[], vec![])),
        one("storage-class-defaults-several", "")
    );
    assert_eq!(found(&scene(vec![class("a", "true"), class("b", "false")], &[], vec![])), []);
}

#[test]
fn a_workload_that_lacks_some_replicas_is_told_though_it_is_available() {
    let three = with(
        deployment("shop", "cart"),
        &json!({"spec": {"replicas": 3}, "status": {"replicas": 3, "readyReplicas": 2}}),
    );
    let unready = with(pod("shop", "cart"), &unready("ContainersNotReady"));
    let findings = run(&scene(vec![three, replica_set("shop", "cart"), unready], &[], vec![]));
    assert_eq!(names(&findings), ["replicas-unavailable"]);
    assert_eq!(findings[0].severity, marple_core::Severity::Warning);
}

#[test]
fn a_daemon_set_that_is_asked_about_tells_which_nodes_it_leaves_out() {
    let set = object(
        "DaemonSet",
        "shop",
        "agent",
        &json!({"spec": {"template": {"spec": {"containers": []}}}, "status": {"desiredNumberScheduled": 0}}),
    );
    let tainted = |key: &str| node(&json!({"spec": {"taints": [{"key": key, "effect": "NoSchedule"}]}}));
    let of = |set: &Value, key: &str| {
        let mut scene = scene(vec![set.clone(), tainted(key)], &[], vec![]);
        scene.subjects = vec![ObjectRef::namespaced("DaemonSet", "shop", "agent")];
        found(&scene)
    };
    assert_eq!(of(&set, "gpu"), one("daemon-set-leaves-nodes-out", "DaemonSet shop/agent"));
    assert_eq!(of(&set, "node-role.kubernetes.io/control-plane"), []);
    let tolerant = with(set, &json!({"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}));
    assert_eq!(of(&tolerant, "gpu"), []);
}

#[test]
fn a_policy_that_selects_no_pod_and_one_that_leaves_out_a_port_are_told() {
    let policy = |spec: &Value| object("NetworkPolicy", "shop", "closed", &json!({"spec": spec}));
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    objects.push(policy(&json!({"podSelector": {"matchLabels": {"app": "crat"}}, "policyTypes": ["Ingress"]})));
    assert_eq!(found(&scene(objects.clone(), &[], vec![])), one("network-policy-selects-nothing", ""));
    let calls = json!({"env": [{"name": "DATABASE", "value": "db:5432"}]});
    merge(&mut objects[0]["spec"]["template"]["spec"]["containers"][0], &calls);
    objects.extend(workload("shop", "db", pod("shop", "db")));
    objects.push(service("shop", "db", 5432));
    let of = |port: u16| {
        let mut objects = objects.clone();
        objects[3] =
            policy(&json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": port}]}]}));
        found(&scene(objects, &[], vec![]))
    };
    assert_eq!(of(443), one("network-policy-may-deny", "NetworkPolicy shop/closed"));
    assert_eq!(of(5432), []);
}

#[test]
fn a_class_that_pods_name_and_that_is_missing_is_the_culprit() {
    let of = |message: &str| {
        let mut objects = broken_workload("shop", "cart", pod("shop", "cart"));
        objects.truncate(2);
        merge(&mut objects[1], &json!({"status": {"replicas": 0, "readyReplicas": null}}));
        found(&scene(objects, &[event("ReplicaSet", "shop", "cart-5d", "FailedCreate", message)], vec![]))
    };
    let create = "Error creating: pods \"cart-5d-a\" is forbidden:";
    assert_eq!(
        of(&format!("{create} no PriorityClass with name high was found")),
        one("pod-class-missing", "PriorityClass high")
    );
    assert_eq!(
        of(&format!("{create} pod rejected: RuntimeClass \"sandboxed\" not found")),
        one("pod-class-missing", "RuntimeClass sandboxed")
    );
    assert_eq!(
        of(&format!("{create} unable to create new content in namespace shop because it is being terminated")),
        one("namespace-terminating", "Namespace shop")
    );
}
