#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::needless_pass_by_value, reason = "literals of JSON read better without a borrow")]

mod custom;

use jiff::Timestamp;
use kube::api::DynamicObject;
use marple_core::{Change, ChangeKind};
use serde_json::{Value, json};

use super::Family;
use crate::change::compare::{Seen, When, altered};
use crate::change::read;
use crate::config::Values;

const ROOM: usize = usize::MAX;

const NOW: &str = "2026-01-02T12:00:00Z";

/// An object of a kind, written by `helm` when it was made and by `kubectl-edit` just now.
fn object(kind: &str, version: u32, patch: Value) -> DynamicObject {
    let mut object = json!({
        "apiVersion": "v1", "kind": kind,
        "metadata": {"name": "cart", "namespace": "shop", "uid": "u-1", "resourceVersion": version.to_string(), "generation": version,
            "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [
                {"manager": "helm", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1": {}},
                {"manager": "kubectl-edit", "operation": "Update", "time": if version > 1 { NOW } else { "2026-01-01T00:00:00Z" }, "fieldsV1": {}}]}});
    merge(&mut object, &patch);
    serde_json::from_value(object).unwrap()
}

fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

fn changes(kind: &str, values: Values, before: Value, after: Value) -> Vec<Change> {
    changes_of(&Family::named(kind).unwrap(), values, before, after)
}

fn changes_of(family: &Family, values: Values, before: Value, after: Value) -> Vec<Change> {
    let (old, new) = (object(&family.name, 1, before), object(&family.name, 2, after));
    let (before, after) =
        (read::state(family, &old, values, ROOM).unwrap(), read::state(family, &new, values, ROOM).unwrap());
    let now: Timestamp = NOW.parse().unwrap();
    let changes = altered(&before, &Seen { state: &after, object: &new }, When { cluster: "test", late: false, now });
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Altered && change.at == now), "{changes:?}");
    changes
}

/// What is told of a change, field by field.
fn told(kind: &str, before: Value, after: Value) -> Vec<String> {
    let changes = changes(kind, Values::Clear, before, after);
    changes.into_iter().flat_map(|change| change.fields).map(|field| field.bounded().to_string()).collect()
}

fn is_told(kind: &str, before: Value, after: Value, fields: &[&str]) {
    assert_eq!(told(kind, before.clone(), after.clone()), fields, "{kind}");
    assert_eq!(told(kind, before.clone(), before), [""; 0], "{kind}: nothing changed");
    assert_eq!(told(kind, after.clone(), after), [""; 0], "{kind}: nothing changed");
}

fn ignored(kind: &str) -> bool {
    let object = object(kind, 1, json!({}));
    read::state(&Family::named(kind).unwrap(), &object, Values::Clear, ROOM).is_none()
}

fn container(patch: Value) -> Value {
    let mut container = json!({"name": "app", "image": "cart:1", "args": ["--cache", "8"], "command": ["cart"],
        "env": [{"name": "URL", "value": "http://db"}, {"name": "OLD", "value": "1"}],
        "resources": {"limits": {"memory": "64Mi"}}, "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        "ports": [{"containerPort": 8080, "protocol": "TCP"}], "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
    merge(&mut container, &patch);
    container
}

fn workload(replicas: u32, containers: Value, volumes: Value) -> Value {
    json!({"spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "cart"}}, "template": {
        "metadata": {"labels": {"app": "cart"}, "annotations": {}}, "spec": {"containers": containers, "volumes": volumes}}}})
}

#[test]
fn a_workloads_template_and_numbers_are_told_field_by_field() {
    let before = workload(2, json!([container(json!({}))]), json!([{"name": "data", "configMap": {"name": "cart-1"}}]));
    let new = container(json!({"image": "cart:2", "args": ["--cache", "64"], "command": ["cart", "serve"],
        "env": [{"name": "URL", "value": "http://db2"}, {"name": "NEW", "value": "1"}],
        "resources": {"limits": {"memory": "32Mi"}}, "readinessProbe": {"httpGet": {"port": 9090}}}));
    let mut after = workload(
        3,
        json!([{"name": "proxy", "image": "proxy:1"}, new]),
        json!([{"name": "data", "configMap": {"name": "cart-2"}}]),
    );
    after["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = json!("now");
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        is_told(
            kind,
            before.clone(),
            after.clone(),
            &[
                "containers[app].image: cart:1 → cart:2",
                "containers[proxy].image: set to proxy:1",
                "replicas: 2 → 3",
                "containers[app].resources.limits.memory: 64Mi → 32Mi",
                "containers[app].env[NEW].value: set to 1",
                "containers[app].env[OLD].value: removed, was 1",
                "containers[app].env[URL].value: http://db → http://db2",
                "containers[app].command: cart → cart serve",
                "containers[app].args: --cache 8 → --cache 64",
                "containers[app].readinessProbe.httpGet.port: 8080 → 9090",
                "volumes[data].configMap.name: cart-1 → cart-2",
                "template.annotations.kubectl.kubernetes.io/restartedAt: set to now",
            ],
        );
    }
}

#[test]
fn what_controllers_and_tools_note_is_no_change() {
    let template = workload(2, json!([container(json!({}))]), json!([]));
    let mut noise = template.clone();
    merge(
        &mut noise,
        &json!({"metadata": {"generation": 9, "annotations": {
                "deployment.kubernetes.io/revision": "4", "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "meta.helm.sh/release-name": "cart", "argocd.argoproj.io/tracking-id": "x"},
                "labels": {"pod-template-hash": "abc"}},
            "status": {"replicas": 2, "readyReplicas": 1, "conditions": [{"type": "Available", "status": "False"}]}}),
    );
    assert_eq!(told("Deployment", template, noise), [""; 0]);
    for mark in ["control-plane.alpha.kubernetes.io/leader", "cluster-autoscaler.kubernetes.io/last-updated"] {
        let noted = object("ConfigMap", 1, json!({"metadata": {"annotations": {mark: "{}"}}, "data": {"a": "1"}}));
        assert_eq!(read::state(&Family::named("ConfigMap").unwrap(), &noted, Values::Clear, ROOM), None);
    }
}

#[test]
fn a_cron_job_is_told_by_schedule_and_template_and_a_job_only_where_nobody_controls_it() {
    let job = |schedule: &str, image: &str| json!({"spec": {"schedule": schedule, "suspend": false, "jobTemplate": {"spec": {"backoffLimit": 1, "template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}}});
    let fields = ["containers[app].image: a:1 → a:2", "schedule: 0 3 * * * → 0 4 * * *"];
    is_told("CronJob", job("0 3 * * *", "a:1"), job("0 4 * * *", "a:2"), &fields);
    let owned = json!({"metadata": {"ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "n", "uid": "1", "controller": true}]}});
    assert_eq!(read::state(&Family::named("Job").unwrap(), &object("Job", 1, owned), Values::Clear, ROOM), None);
    assert!(!ignored("Job"));
}

#[test]
fn a_pod_or_a_replica_set_is_told_where_no_controller_owns_it() {
    let pod = |image: &str, node: Option<&str>, phase: &str| json!({"spec": {"nodeName": node, "containers": [{"name": "app", "image": image}]}, "status": {"phase": phase}});
    let fields = ["containers[app].image: a:1 → a:2"];
    is_told("Pod", pod("a:1", None, "Pending"), pod("a:2", Some("worker-1"), "Running"), &fields);
    for kind in ["ReplicaSet", "ReplicationController"] {
        let (before, after) = (workload(2, json!([]), json!([])), workload(3, json!([]), json!([])));
        is_told(kind, before, after, &["replicas: 2 → 3"]);
    }
    let controller = json!([{"apiVersion": "apps/v1", "kind": "Owner", "name": "n", "uid": "1", "controller": true}]);
    for kind in ["Pod", "ReplicaSet", "ReplicationController"] {
        let owned = object(kind, 1, json!({"metadata": {"ownerReferences": controller.clone()}}));
        assert_eq!(read::state(&Family::named(kind).unwrap(), &owned, Values::Clear, ROOM), None);
        assert!(!ignored(kind));
    }
}

#[test]
fn configuration_is_told_by_key_and_line_in_clear_or_hashed() {
    let (before, after) = (
        json!({"data": {"timeout": "5s", "app.yaml": "a: 1\nb: 2\n", "old": "x"}, "binaryData": {"blob": "AAAA"}}),
        json!({"data": {"timeout": "50ms", "app.yaml": "a: 1\nb: 3\n", "new": "y"}, "binaryData": {"blob": "BBBB"}}),
    );
    let clear = told("ConfigMap", before.clone(), after.clone());
    let blob = clear.iter().find(|line| line.starts_with("binaryData.blob: (4 bytes, digest ")).unwrap();
    assert_eq!(
        clear,
        [
            "data.app.yaml line 2: b: 2 → b: 3",
            "data.new: set to y",
            "data.old: removed, was x",
            "data.timeout: 5s → 50ms",
            blob,
        ]
    );
    let hashed = changes("ConfigMap", Values::Hashed, before, after);
    let text = format!("{hashed:?}");
    assert!(text.contains("data.timeout") && text.contains("(2 bytes, digest "), "{text}");
    assert!(!text.contains("50ms") && !text.contains("b: 3"), "{text}");
}

#[test]
fn a_large_value_is_told_by_size_and_digest_and_costs_no_more() {
    let large = |letter: &str| json!({"data": {"blob": letter.repeat(1 << 20), "small": letter}});
    let lines = told("ConfigMap", large("a"), large("b"));
    assert!(lines[0].starts_with("data.blob: (1048576 bytes, digest "), "{lines:?}");
    assert_eq!(lines[1], "data.small: a → b");
    // Many values that are short alone are bounded too, and all are still compared.
    let many = |last: &str| {
        let mut data: serde_json::Map<String, Value> =
            (0..600).map(|at| (format!("key-{at:03}"), json!("v".repeat(1_000)))).collect();
        data.insert("key-599".to_owned(), json!(last));
        json!({"data": data})
    };
    let whole = object("ConfigMap", 1, many("1"));
    let state = read::state(&Family::named("ConfigMap").unwrap(), &whole, Values::Clear, ROOM).unwrap();
    let size = serde_json::to_string(&state).unwrap().len();
    assert!(size < 100 << 10, "{size}");
    assert_eq!(told("ConfigMap", many("1"), many("2")).len(), 1);
}

#[test]
fn a_secret_is_told_by_its_keys_and_writers_alone() {
    let secret = |time: &str, keys: Value| {
        json!({"data": {"password": "aHVudGVyMg=="}, "metadata": {"managedFields": [
            {"manager": "kubectl-edit", "operation": "Update", "time": time, "fieldsV1": {"f:data": keys}}]}})
    };
    let before = secret("2026-01-01T00:00:00Z", json!({"f:password": {}, "f:user": {}}));
    let after = secret(NOW, json!({"f:password": {}, "f:token": {}}));
    is_told(
        "Secret",
        before,
        after,
        &[
            "data.token: set to (a value)",
            "data.user: removed, was (a value)",
            "data: written 2026-01-01T00:00:00Z → written 2026-01-02T12:00:00Z",
        ],
    );
    let token = json!({"metadata": {"annotations": {"kubernetes.io/service-account.name": "default"}}});
    assert_eq!(read::state(&Family::named("Secret").unwrap(), &object("Secret", 1, token), Values::Clear, ROOM), None);
}

#[test]
fn a_revision_of_helm_is_told_of_its_release() {
    let revision = |status: &str| json!({"metadata": {"name": "sh.helm.release.v1.cart.v3", "labels": {"owner": "helm", "name": "cart", "version": "3", "status": status}}});
    is_told("Secret", revision("pending-upgrade"), revision("failed"), &["status: pending-upgrade → failed"]);
    assert_eq!(told("Secret", revision("deployed"), revision("superseded")), [""; 0]);
    let change = changes("Secret", Values::Clear, revision("pending-upgrade"), revision("deployed")).remove(0);
    assert_eq!(change.object.to_string(), "HelmRelease shop/cart");
}

#[test]
fn the_way_to_pods_is_told() {
    let service = |app: &str, target: u32| {
        json!({"spec": {"type": "ClusterIP", "selector": {"app": app}, "ports": [{"port": 80, "protocol": "TCP", "targetPort": target}]},
            "metadata": {"annotations": {"endpoints.kubernetes.io/last-change-trigger-time": app}}})
    };
    let fields = ["selector.app: cart → kart", "ports[80/TCP].targetPort: 8080 → 9090"];
    is_told("Service", service("cart", 8080), service("kart", 9090), &fields);
    let ingress = |service: &str, size: &str| {
        json!({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": size}}, "spec": {"rules": [
            {"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]}})
    };
    is_told(
        "Ingress",
        ingress("cart", "1m"),
        ingress("kart", "8m"),
        &[
            "rules[shop.example.com/].service.name: cart → kart",
            "annotations.nginx.ingress.kubernetes.io/proxy-body-size: 1m → 8m",
        ],
    );
    let policy = |port: u32| json!({"spec": {"podSelector": {"matchLabels": {"app": "cart"}}, "ingress": [{"ports": [{"port": port}]}]}});
    let fields = ["ingress[0].ports[0].port: 80 → 81"];
    is_told("NetworkPolicy", policy(80), policy(81), &fields);
}

#[test]
fn rights_are_told_by_what_may_be_done_and_by_whom() {
    let role = |verbs: Value| json!({"rules": [{"apiGroups": ["", "apps"], "resources": ["pods", "deployments"], "verbs": verbs}]});
    let field = |about: &str| format!("rules[{about}]: get,list → get");
    let told: Vec<String> = ["deployments.apps", "deployments", "pods.apps", "pods"].map(field).to_vec();
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    for kind in ["Role", "ClusterRole"] {
        is_told(kind, role(json!(["list", "get"])), role(json!(["get"])), &told);
    }
    let binding = |account: &str| json!({"roleRef": {"kind": "Role", "name": "reader"}, "subjects": [{"kind": "ServiceAccount", "namespace": "shop", "name": account}]});
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        let fields = [
            "subjects[ServiceAccount shop/cart]: removed, was bound",
            "subjects[ServiceAccount shop/kart]: set to bound",
        ];
        is_told(kind, binding("cart"), binding("kart"), &fields);
    }
    let account = |role: &str| json!({"metadata": {"annotations": {"eks.amazonaws.com/role-arn": role}}});
    is_told("ServiceAccount", account("a"), account("b"), &["annotations.eks.amazonaws.com/role-arn: a → b"]);
}

#[test]
fn limits_and_bounds_are_told() {
    let quota = |pods: &str| json!({"spec": {"hard": {"pods": pods}}, "status": {"used": {"pods": pods}}});
    is_told("ResourceQuota", quota("10"), quota("2"), &["hard.pods: 10 → 2"]);
    let range = |memory: &str| json!({"spec": {"limits": [{"type": "Container", "max": {"memory": memory}}]}});
    is_told("LimitRange", range("1Gi"), range("64Mi"), &["limits[Container].max.memory: 1Gi → 64Mi"]);
    is_told("PriorityClass", json!({"value": 1}), json!({"value": 2}), &["value: 1 → 2"]);
    let scaler =
        |most: u32| json!({"spec": {"minReplicas": 1, "maxReplicas": most}, "status": {"currentReplicas": most}});
    is_told("HorizontalPodAutoscaler", scaler(9), scaler(2), &["maxReplicas: 9 → 2"]);
    let budget = |least: u32| json!({"spec": {"minAvailable": least}, "status": {"disruptionsAllowed": least}});
    is_told("PodDisruptionBudget", budget(1), budget(3), &["minAvailable: 1 → 3"]);
}

#[test]
fn a_node_is_told_by_what_keeps_pods_away_and_by_its_labels() {
    let node = |taints: Value, cordoned: bool, zone: &str| {
        json!({"metadata": {"labels": {"zone": zone}, "annotations": {"node.alpha.kubernetes.io/ttl": zone}},
            "spec": {"taints": taints, "unschedulable": cordoned}, "status": {"conditions": [zone]}})
    };
    let taint = json!({"key": "dedicated", "value": "gpu", "effect": "NoSchedule"});
    let by_condition = json!({"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"});
    is_told(
        "Node",
        node(json!([]), false, "a"),
        node(json!([taint, by_condition]), true, "b"),
        &["labels.zone: a → b", "taints[dedicated:NoSchedule]: set to gpu", "unschedulable: false → true"],
    );
    assert_eq!(told("Node", node(json!([]), false, "a"), node(json!([by_condition]), false, "a")), [""; 0]);
}

#[test]
fn storage_namespaces_and_webhooks_are_told() {
    let claim = |size: &str, volume: &str| json!({"spec": {"resources": {"requests": {"storage": size}}, "volumeName": volume}});
    is_told("PersistentVolumeClaim", claim("1Gi", "v"), claim("2Gi", "v"), &["resources.requests.storage: 1Gi → 2Gi"]);
    assert_eq!(told("PersistentVolumeClaim", claim("1Gi", ""), claim("1Gi", "pv-1")), [""; 0]);
    let volume =
        |policy: &str| json!({"spec": {"persistentVolumeReclaimPolicy": policy, "claimRef": {"name": policy}}});
    is_told(
        "PersistentVolume",
        volume("Retain"),
        volume("Delete"),
        &["persistentVolumeReclaimPolicy: Retain → Delete"],
    );
    let class = |policy: &str| json!({"provisioner": "x", "reclaimPolicy": policy});
    is_told("StorageClass", class("Retain"), class("Delete"), &["reclaimPolicy: Retain → Delete"]);
    let namespace = |level: &str| json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}});
    let fields = ["labels.pod-security.kubernetes.io/enforce: baseline → restricted"];
    is_told("Namespace", namespace("baseline"), namespace("restricted"), &fields);
    let webhook = |policy: &str| json!({"webhooks": [{"name": "a.example.com", "failurePolicy": policy, "clientConfig": {"caBundle": policy}}]});
    for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
        is_told(kind, webhook("Ignore"), webhook("Fail"), &["webhooks[a.example.com].failurePolicy: Ignore → Fail"]);
    }
}

#[test]
fn what_delivers_is_told_by_its_revision() {
    let application = |revision: &str| json!({"spec": {"source": {"targetRevision": "main"}}, "status": {"operationState": {"syncResult": {"revision": revision}}, "health": {"status": revision}}});
    is_told("Application", application("abc"), application("def"), &["revision: abc → def"]);
    let kustomization = |revision: &str| json!({"spec": {"path": "./apps"}, "status": {"lastAppliedRevision": revision, "conditions": []}});
    is_told("Kustomization", kustomization("main@1"), kustomization("main@2"), &["revision: main@1 → main@2"]);
    let release = |chart: &str, replicas: u32| json!({"spec": {"values": {"replicas": replicas}}, "status": {"history": [{"chartVersion": chart}]}});
    is_told(
        "HelmRelease",
        release("1.0.0", 2),
        release("1.1.0", 3),
        &["revision: 1.0.0 → 1.1.0", "values.replicas: 2 → 3"],
    );
}

#[test]
fn gateways_and_routes_are_told_by_their_specification() {
    let route = |weight: u32| {
        let backends = json!([{"name": "cart", "weight": weight}, {"name": "kart"}]);
        json!({"spec": {"rules": [{"backendRefs": backends}]}, "status": {"parents": [weight]}})
    };
    for kind in ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "Gateway"] {
        is_told(kind, route(90), route(10), &["rules[0].backendRefs[cart].weight: 90 → 10"]);
    }
}

#[test]
fn what_steers_traffic_scales_and_certifies_is_told_by_its_specification() {
    let service = |subset: &str| {
        let route = json!([{"destination": {"host": "cart", "subset": subset}}]);
        json!({"spec": {"hosts": ["cart"], "http": [{"route": route}]}})
    };
    is_told("VirtualService", service("v1"), service("v2"), &["http[0].route[0].destination.subset: v1 → v2"]);
    let scaled = |most: u32| {
        json!({"spec": {"scaleTargetRef": {"name": "cart"}, "maxReplicaCount": most, "triggers": [{"type": "cron", "metadata": {"end": "x"}}]},
            "status": {"lastActiveTime": most}})
    };
    is_told("ScaledObject", scaled(9), scaled(2), &["maxReplicaCount: 9 → 2"]);
    let certificate = |name: &str| json!({"spec": {"dnsNames": ["shop.example.com", name]}, "status": {"revision": 1}});
    let fields = ["dnsNames: shop.example.com a.example.com → shop.example.com b.example.com"];
    is_told("Certificate", certificate("a.example.com"), certificate("b.example.com"), &fields);
    let rollout = |image: &str| workload(2, json!([{"name": "app", "image": image}]), json!([]));
    is_told("Rollout", rollout("cart:1"), rollout("cart:2"), &["containers[app].image: cart:1 → cart:2"]);
}

#[test]
fn every_kind_is_found_by_its_name_once() {
    for known in super::KNOWN {
        assert_eq!(super::KNOWN.iter().filter(|other| other.kind == known.kind).count(), 1, "{}", known.kind);
        assert_eq!(Family::named(known.kind).unwrap().name, known.kind);
    }
}
