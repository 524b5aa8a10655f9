//! Of two that contradict each other, the one that was changed last is blamed.

use super::*;
use crate::scene::{Change, Rollout};

const CART: &str = "Deployment shop/cart";
const LATELY: &str = "2026-01-02T11:45:00Z";

/// `cart`, of which no pod may be created for this reason, with other objects beside it.
fn refused(message: &str, others: Vec<Value>) -> Scene {
    let mut objects = broken_workload("shop", "cart", pod("shop", "cart"));
    objects.truncate(2);
    merge(&mut objects[1], &json!({"status": {"replicas": 0, "readyReplicas": null}}));
    objects.extend(others);
    let message = format!("Error creating: pods \"cart-5d-a\" is forbidden: {message}");
    scene(objects, &[event("ReplicaSet", "shop", "cart-5d", "FailedCreate", &message)], vec![])
}

fn whole(kind: &str, name: &str, rest: &Value) -> Value {
    with(json!({"kind": kind, "metadata": {"name": name, "creationTimestamp": OLD}}), rest)
}

/// That this field was written lately, as a manager of fields has it.
fn written(fields: &Value) -> Value {
    json!({"metadata": {"managedFields": [{"manager": "kubectl-edit", "time": LATELY, "fieldsV1": fields}]}})
}

fn rollout(scene: &mut Scene, object: ObjectRef, at: &str, field: &str, from: Option<&str>, to: Option<&str>) {
    let change = Change { field: field.to_owned(), from: from.map(str::to_owned), to: to.map(str::to_owned) };
    let at = at.parse().unwrap();
    let revision = "recorded as it was changed".to_owned();
    scene.rollouts.insert(object, Rollout { at, revision, by: None, writer: None, changes: vec![change] });
}

fn of(kind: &str, name: &str) -> ObjectRef {
    ObjectRef::namespaced(kind, "shop", name)
}

/// Conditions and culprits without what only tells that something was changed.
fn causes(scene: &Scene) -> Vec<(String, String)> {
    found(scene).into_iter().filter(|(condition, _)| condition != "recent-change").collect()
}

#[test]
fn a_quota_is_told_with_what_the_workload_was_changed_to_ask_for_after_it() {
    let message =
        "exceeded quota: compute, requested: limits.memory=2Gi, used: limits.memory=0, limited: limits.memory=1Gi";
    let quota = object("ResourceQuota", "shop", "compute", &json!({"status": {"hard": {"limits.memory": "1Gi"}}}));
    let of_cart = |at: &str, field: &str| {
        let mut scene = refused(message, vec![quota.clone()]);
        rollout(&mut scene, of("Deployment", "cart"), at, field, Some("64Mi"), Some("2Gi"));
        scene
    };
    let memory = "containers[app].resources.limits.memory";
    let quota_of = |scene: &Scene| assert_eq!(causes(scene), one("quota-exceeded", "ResourceQuota shop/compute"));
    let raised = of_cart(LATELY, memory);
    quota_of(&raised);
    assert!(statement(&raised, "quota-exceeded").ends_with(
        "; what it asks for was changed after the quota: containers[app].resources.limits.memory: 64Mi -> 2Gi"
    ));
    quota_of(&of_cart(LATELY, "containers[app].image"));
    let mut lowered = of_cart("2026-01-02T11:30:00Z", memory);
    rollout(&mut lowered, of("ResourceQuota", "compute"), LATELY, "hard.limits.memory", Some("4Gi"), Some("1Gi"));
    quota_of(&lowered);
    assert!(statement(&lowered, "quota-exceeded").ends_with("; the quota was last changed at 11:45 UTC"));
}

#[test]
fn a_limit_range_is_blamed_where_it_is_newer_than_the_workload() {
    let message = "maximum cpu usage per Container is 1, but limit is 2";
    let range =
        |created: &str| object("LimitRange", "shop", "bounds", &json!({"metadata": {"creationTimestamp": created}}));
    assert_eq!(causes(&refused(message, vec![range(LATELY)])), one("limit-range-refuses", "LimitRange shop/bounds"));
    assert_eq!(causes(&refused(message, vec![range(OLD)])), one("limit-range-refuses", CART));
}

#[test]
fn a_namespace_is_blamed_whose_level_was_set_after_the_workload_was_made() {
    let message = "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false";
    let labels = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    let space = whole("Namespace", "shop", &labels);
    let level = json!({"f:metadata": {"f:labels": {"f:pod-security.kubernetes.io/enforce": {}}}});
    let set = with(space.clone(), &written(&level));
    assert_eq!(causes(&refused(message, vec![set.clone()])), one("pod-security-refuses", "Namespace shop"));
    assert_eq!(causes(&refused(message, vec![space.clone()])), one("pod-security-refuses", CART));
    let other = with(space, &written(&json!({"f:metadata": {"f:labels": {"f:team": {}}}})));
    assert_eq!(causes(&refused(message, vec![other])), one("pod-security-refuses", CART), "another label");
    let mut changed = refused(message, vec![set]);
    rollout(&mut changed, of("Deployment", "cart"), "2026-01-02T11:50:00Z", "containers[app].image", None, Some("b"));
    assert_eq!(causes(&changed), one("pod-security-refuses", CART));
}

#[test]
fn an_admission_policy_is_named_with_its_binding_and_blamed_where_it_is_newer() {
    let message =
        "ValidatingAdmissionPolicy 'owned' with binding 'owned-shop' denied request: each workload needs a label team";
    let policy = |created: &str| {
        whole("ValidatingAdmissionPolicy", "owned", &json!({"metadata": {"creationTimestamp": created}}))
    };
    let newer = refused(message, vec![policy(LATELY)]);
    assert_eq!(causes(&newer), one("admission-policy-denies", "ValidatingAdmissionPolicy owned"));
    assert_eq!(
        statement(&newer, "admission-policy-denies"),
        "ValidatingAdmissionPolicy owned, bound by ValidatingAdmissionPolicyBinding owned-shop, denies the pods of Deployment shop/cart: each workload needs a label team; ValidatingAdmissionPolicy owned was last changed at 11:45 UTC"
    );
    assert_eq!(causes(&refused(message, vec![policy(OLD)])), one("admission-policy-denies", CART));
    let mut unseen = refused(message, vec![]);
    assert_eq!(causes(&unseen), one("admission-policy-denies", "ValidatingAdmissionPolicy owned"));
    rollout(&mut unseen, of("Deployment", "cart"), LATELY, "labels.team", Some("a"), None);
    assert_eq!(causes(&unseen), one("admission-policy-denies", CART));
    let binding = "ValidatingAdmissionPolicyBinding";
    let bound = whole(binding, "owned-shop", &json!({"metadata": {"creationTimestamp": LATELY}}));
    let lately_bound = refused(message, vec![policy(OLD), bound]);
    assert_eq!(causes(&lately_bound), one("admission-policy-denies", "ValidatingAdmissionPolicyBinding owned-shop"));
}

/// `cart`, whose pod fits no node for this reason, beside these objects.
fn pending(reasons: &str, spec: &Value, others: Vec<Value>) -> Scene {
    let message = format!("0/1 nodes are available: {reasons}.");
    let waits = json!({"spec": {"nodeName": null}, "status": {"phase": "Pending", "containerStatuses": null, "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}});
    let mut objects = workload("shop", "cart", with(with(pod("shop", "cart"), &waits), &json!({"spec": spec})));
    objects.extend(others);
    scene(objects, &[], vec![])
}

#[test]
fn a_node_is_blamed_that_was_tainted_after_the_workload_was_made() {
    let taint = json!({"spec": {"taints": [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]}});
    let node = whole("Node", "worker-1", &taint);
    let reason = "1 node(s) had untolerated taint {dedicated: gpu}";
    let tainted = with(node.clone(), &written(&json!({"f:spec": {"f:taints": {}}})));
    let blamed = pending(reason, &json!({}), vec![tainted.clone()]);
    assert_eq!(causes(&blamed), one("unschedulable-taint", "Node worker-1"));
    assert!(
        statement(&blamed, "unschedulable-taint")
            .ends_with("; Node worker-1 has the taint dedicated; it was last changed at 11:45 UTC")
    );
    assert_eq!(causes(&pending(reason, &json!({}), vec![node])), one("unschedulable-taint", CART));
    let tolerant = json!({"tolerations": [{"key": "dedicated", "operator": "Exists"}]});
    assert_eq!(causes(&pending(reason, &tolerant, vec![tainted])), one("unschedulable-taint", CART));
}

#[test]
fn a_node_is_blamed_that_lost_the_label_which_the_pod_asks_for() {
    let selects = json!({"nodeSelector": {"disk": "fast"}});
    let reason = "1 node(s) didn't match Pod's node affinity/selector";
    let lost = |label: &str| {
        let mut scene = pending(reason, &selects, vec![whole("Node", "worker-1", &json!({}))]);
        let node = ObjectRef::cluster("Node", "worker-1");
        rollout(&mut scene, node, LATELY, &format!("labels.{label}"), Some("fast"), None);
        scene
    };
    assert_eq!(causes(&lost("disk")), one("unschedulable-affinity", "Node worker-1"));
    assert_eq!(causes(&lost("zone")), one("unschedulable-affinity", CART));
}

#[test]
fn who_holds_a_host_port_is_named_and_blamed_where_it_came_later() {
    let ports =
        |port: u16| json!({"containers": [{"name": "app", "ports": [{"containerPort": port, "hostPort": port}]}]});
    let other = |created: &str, port: u16| {
        with(pod("energy", "reader"), &json!({"metadata": {"creationTimestamp": created}, "spec": ports(port)}))
    };
    let reason = "1 node(s) didn't have free ports for the requested pod ports";
    let of = |other: Value| pending(reason, &ports(9100), vec![other, replica_set("energy", "reader")]);
    let later = of(other(LATELY, 9100));
    assert_eq!(causes(&later), one("unschedulable-host-port", "Deployment energy/reader"));
    assert!(
        statement(&later, "unschedulable-host-port")
            .ends_with("; its host port 9100 is taken by Pod energy/reader-5d-a of Deployment energy/reader")
    );
    let before = of(other("2026-01-01T00:00:00Z", 9100));
    assert_eq!(causes(&before), one("unschedulable-host-port", CART));
    assert_eq!(causes(&of(other(LATELY, 9200))), one("unschedulable-host-port", CART), "another port");
}

#[test]
fn a_pod_that_finds_no_room_as_another_took_it_blames_the_other() {
    let gone = json!({"involvedObject": {"kind": "Pod", "namespace": "shop", "name": "cart-5d-z"}, "type": "Normal",
        "reason": "Preempted", "message": "Preempted by pod 1b2c on node worker-1", "eventTime": LATELY,
        "related": {"kind": "Pod", "namespace": "batch", "name": "train-5d-a"}});
    let made = with(
        event("ReplicaSet", "shop", "cart-5d", "SuccessfulCreate", "Created pod: cart-5d-z"),
        &json!({"type": "Normal"}),
    );
    let train = with(pod("batch", "train"), &json!({"spec": {"priorityClassName": "urgent"}}));
    let objects =
        || pending("1 Insufficient cpu", &json!({}), vec![train.clone(), replica_set("batch", "train")]).objects;
    let of = |events: &[Value]| scene(objects().into_values().collect(), events, vec![]);
    let preempted = of(&[gone, made]);
    assert_eq!(
        causes(&preempted),
        [one("pod-preempted", "Deployment batch/train"), one("unschedulable-resources", "Deployment batch/train")]
            .concat()
    );
    assert!(statement(&preempted, "unschedulable-resources").ends_with(
        "; Pod shop/cart-5d-z had to go 15 min ago to make room for Pod batch/train-5d-a of Deployment batch/train, of priority class urgent"
    ));
    assert_eq!(causes(&of(&[])), one("unschedulable-resources", CART));
}

/// `cart`, which ends as it may not list pods, with these objects.
fn forbidden(others: Vec<Value>) -> Scene {
    let line = r#"pods is forbidden: User "system:serviceaccount:shop:cart" cannot list resource "pods" in API group "" in the namespace "shop""#;
    let mut objects = super::conclusions::crashing("shop", "cart");
    objects.extend(others);
    scene(objects, &[], vec![log("shop", "cart", true, line)])
}

fn binding(account: &str, rest: &Value) -> Value {
    let binds = json!({"roleRef": {"kind": "Role", "name": "reader"}, "subjects": [{"kind": "ServiceAccount", "name": account}]});
    object("RoleBinding", "shop", "cart-reads", &with(binds, rest))
}

#[test]
fn what_took_a_right_away_is_blamed_and_else_the_account() {
    let account = one("forbidden-by-rbac", "ServiceAccount shop/cart");
    let role = || object("Role", "shop", "reader", &json!({"rules": []}));
    assert_eq!(causes(&forbidden(vec![binding("cart", &json!({})), role()])), account);
    let dangling = forbidden(vec![binding("cart", &json!({}))]);
    assert_eq!(causes(&dangling), one("forbidden-by-rbac", "Role shop/reader"));
    assert!(
        statement(&dangling, "forbidden-by-rbac")
            .ends_with("; RoleBinding shop/cart-reads binds it to Role shop/reader, which does not exist")
    );
    let cut = with(role(), &written(&json!({"f:rules": {}})));
    assert_eq!(
        causes(&forbidden(vec![binding("cart", &json!({})), cut])),
        one("forbidden-by-rbac", "Role shop/reader")
    );
    let mistyped = binding("carts", &written(&json!({"f:subjects": {}})));
    assert_eq!(causes(&forbidden(vec![mistyped, role()])), one("forbidden-by-rbac", "RoleBinding shop/cart-reads"));
    assert_eq!(causes(&forbidden(vec![binding("carts", &json!({})), role()])), account, "it was always so");
}

#[test]
fn a_binding_that_was_deleted_is_blamed_and_one_of_another_account_is_not() {
    use marple_core::{Author, Change as Recorded, ChangeKind, FieldChange};
    let of_account = |account: &str| {
        let mut scene = forbidden(vec![]);
        let path = format!("subjects[ServiceAccount shop/{account}]");
        let recorded = Recorded {
            cluster: "test".to_owned(),
            object: of("RoleBinding", "cart-reads"),
            uid: "u".to_owned(),
            version: "1".to_owned(),
            at: LATELY.parse().unwrap(),
            found_late: false,
            by: Author::default(),
            kind: ChangeKind::Deleted,
            fields: vec![FieldChange { path, before: Some("bound".to_owned()), after: None }],
            left_out: 0,
        };
        scene.learn(vec![recorded], "2026-01-02T11:50:00Z".parse().unwrap());
        scene
    };
    let deleted = of_account("cart");
    assert_eq!(causes(&deleted), one("forbidden-by-rbac", "RoleBinding shop/cart-reads"));
    assert!(
        statement(&deleted, "forbidden-by-rbac")
            .ends_with("; RoleBinding shop/cart-reads, which bound it, was deleted at 11:45 UTC")
    );
    assert_eq!(causes(&of_account("mail")), one("forbidden-by-rbac", "ServiceAccount shop/cart"));
}

#[test]
fn of_a_service_and_its_pods_or_callers_the_one_that_was_changed_last_is_blamed() {
    let call = json!({"env": [{"name": "DATABASE", "value": "http://db:5432"}]});
    let objects = |ports: &Value| {
        let mut objects = workload("shop", "cart", pod("shop", "cart"));
        merge(&mut objects[0]["spec"]["template"]["spec"]["containers"][0], &call);
        objects.extend(workload("shop", "db", pod("shop", "db")));
        objects.push(with(service("shop", "db", 5433), ports));
        objects
    };
    let line = "ERROR dial tcp: db:5432: connect: connection refused\n".repeat(2);
    let of_ports = |ports: &Value| causes(&scene(objects(ports), &[], vec![log("shop", "cart", false, &line)]));
    assert_eq!(
        of_ports(&written(&json!({"f:spec": {"f:ports": {}}}))),
        one("dependency-wrong-port", "Service shop/db")
    );
    assert_eq!(of_ports(&json!({})), one("dependency-wrong-port", CART));

    let unselected = |labels: Option<&str>| {
        let mut objects = workload("shop", "cart", pod("shop", "cart"));
        objects.push(with(service("shop", "cart", 80), &json!({"spec": {"selector": {"app": "cart", "tier": "web"}}})));
        merge(&mut objects[0]["spec"]["template"]["metadata"]["labels"], &json!({"tier": "front"}));
        let mut told = scene(objects, &[], vec![]);
        if let Some(field) = labels {
            rollout(&mut told, of("Deployment", "cart"), LATELY, field, Some("web"), Some("front"));
        }
        causes(&told)
    };
    assert_eq!(unselected(Some("metadata.labels.tier")), one("service-selects-nothing", CART));
    assert_eq!(unselected(Some("containers[app].image")), one("service-selects-nothing", "Service shop/cart"));
    assert_eq!(unselected(None), one("service-selects-nothing", "Service shop/cart"));
}

#[test]
fn a_name_that_exists_and_is_not_found_leads_to_a_name_server_that_was_changed() {
    let line = "ERROR dial tcp: lookup db.shop.svc on 10.96.0.10:53: no such host\n".repeat(2);
    let name_server = with(
        pod("kube-system", "coredns"),
        &json!({"metadata": {"labels": {"app": "kube-dns"}}, "spec": {"volumes": [{"name": "config", "configMap": {"name": "coredns"}}]}}),
    );
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    objects.extend(workload("shop", "db", pod("shop", "db")));
    objects.push(service("shop", "db", 5432));
    objects.extend(workload("kube-system", "coredns", name_server));
    objects.push(with(service("kube-system", "kube-dns", 53), &json!({"spec": {"clusterIP": "10.96.0.10"}})));
    objects.push(object("ConfigMap", "kube-system", "coredns", &json!({"data": {"Corefile": ".:53"}})));
    let mut told = scene(objects, &[], vec![log("shop", "cart", false, &line)]);
    assert_eq!(causes(&told), one("dependency-unresolved", "Service shop/db"), "nothing speaks against the server");
    let map = ObjectRef::namespaced("ConfigMap", "kube-system", "coredns");
    rollout(
        &mut told,
        map.clone(),
        LATELY,
        "data.Corefile line 3",
        Some("kubernetes cluster.local"),
        Some("kubernetes local"),
    );
    assert_eq!(causes(&told), one("dependency-unresolved", "Service kube-system/kube-dns"));
    let symptoms = [super::conclusions::symptom("HighErrorRate", &of("Deployment", "cart"))];
    let conclusion = super::conclusions::concluded(&mut told, &symptoms);
    assert_eq!(super::conclusions::cause(&conclusion), map.to_string());
}
