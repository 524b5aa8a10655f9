use super::*;

const CART: &str = "Deployment shop/cart";

/// `cart` of namespace `shop`, which names `db.payments:5432` and whose pod crashes with this log; with `db` there.
fn caller(env: &str, line: &str, others: Vec<Value>) -> Scene {
    let spec = json!({"env": [{"name": "DATABASE", "value": env}]});
    let status = with(
        waiting("CrashLoopBackOff", "back-off"),
        &json!({"restartCount": 5, "lastState": ended(1, "Error", "2026-01-02T11:58:00Z")}),
    );
    let mut objects = broken_workload("shop", "cart", with_container(pod("shop", "cart"), &spec, &status));
    merge(&mut objects[0]["spec"]["template"]["spec"]["containers"][0], &spec);
    objects.extend(others);
    scene(objects, &[], vec![log("shop", "cart", true, line)])
}

fn db() -> Vec<Value> {
    let mut objects = workload("payments", "db", pod("payments", "db"));
    objects.push(service("payments", "db", 5432));
    objects
}

fn refused(address: &str) -> String {
    format!(
        r#"{{"level":"ERROR","msg":"cannot connect to database","address":"{address}","error":"dial tcp 10.96.0.7:5432: connect: connection refused"}}"#
    )
}

#[test]
fn a_refused_call_points_at_the_service() {
    let scene = caller("db.payments:5432", &refused("db.payments:5432"), db());
    assert_eq!(found(&scene), one("dependency-refused", "Service payments/db"));
    assert_eq!(
        statement(&scene, "dependency-refused"),
        "Deployment shop/cart is refused by Service payments/db (env DATABASE of container app names db.payments): cannot connect to database: dial tcp 10.96.0.7:5432: connect: connection refused"
    );
}

#[test]
fn an_address_alone_leads_to_the_service_that_has_it() {
    let line = "dial tcp 10.96.0.7:5432: i/o timeout";
    assert_eq!(found(&caller("x", line, db())), one("dependency-timeout", "Service payments/db"));
    assert_eq!(found(&caller("x", "dial tcp 10.96.9.9:5432: i/o timeout", db())), []);
}

#[test]
fn a_port_that_the_service_does_not_have_blames_the_caller() {
    let scene = caller("db.payments:5433", &refused("db.payments:5433"), db());
    assert_eq!(found(&scene), one("dependency-wrong-port", CART));
}

#[test]
fn a_name_that_does_not_exist_is_wrong_or_missing() {
    let line = "dial tcp: lookup dbs.payments.svc on 10.96.0.10:53: no such host";
    let mut scene = caller("dbs.payments.svc:5432", line, db());
    scene.missing.insert(ObjectRef::namespaced("Service", "payments", "dbs"));
    assert_eq!(found(&scene), one("dependency-wrong-name", CART));
    let mut alone = caller("dbs.payments.svc:5432", line, vec![]);
    alone.missing.insert(ObjectRef::namespaced("Service", "payments", "dbs"));
    assert_eq!(found(&alone), one("dependency-service-missing", "Service payments/dbs"));
}

#[test]
fn a_host_outside_the_cluster_is_named() {
    let line = "Post \"https://api.bank.com/v1\": dial tcp: lookup api.bank.com on 10.96.0.10:53: no such host";
    assert_eq!(found(&caller("x", line, vec![])), one("dependency-outside-unreachable", ""));
}

#[test]
fn one_refused_call_of_a_program_that_serves_is_passing() {
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    objects.extend(db());
    let of = |text: &str| found(&scene(objects.clone(), &[], vec![log("shop", "cart", false, text)]));
    let line = refused("db.payments:5432");
    assert_eq!(of(&line), []);
    assert_eq!(of(&format!("{line}\n{line}\n")), one("dependency-refused", "Service payments/db"));
}

#[test]
fn a_named_dependency_without_endpoints_is_told_though_no_log_speaks_of_it() {
    let spec = json!({"env": [{"name": "DATABASE", "value": "db.payments:5432"}]});
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    merge(&mut objects[0]["spec"]["template"]["spec"]["containers"][0], &spec);
    let well = objects.iter().cloned().chain(db()).collect();
    assert_eq!(found(&scene(well, &[], vec![])), []);
    objects.extend(broken_workload("payments", "db", pod("payments", "db")));
    objects.push(service("payments", "db", 5432));
    assert_eq!(
        found(&scene(objects, &[], vec![])),
        [one("dependency-without-endpoints", "Service payments/db"), one("service-without-ready-endpoints", "")]
            .concat()
    );
}

#[test]
fn a_program_that_misses_a_variable_is_told_where_it_should_come_from() {
    let line = r#"{"level":"ERROR","msg":"required configuration is missing","variable":"DATABASE_URL"}"#;
    assert_eq!(found(&caller("x", line, vec![])), one("environment-variable-missing", CART));
    let mut from = caller("x", line, vec![]);
    let pod = from.objects.get_mut(&ObjectRef::namespaced("Pod", "shop", "cart-5d-a")).unwrap();
    pod["spec"]["containers"][0]["env"] = json!([{"name": "DATABASE_URL", "valueFrom": {"configMapKeyRef": {"name": "cart-config", "key": "url", "optional": true}}}]);
    assert_eq!(found(&from), one("environment-variable-missing", "ConfigMap shop/cart-config"));
    assert_eq!(found(&caller("x", "the configuration of THE_SHOP was read", vec![])), []);
}

#[test]
fn an_account_that_may_not_is_the_culprit() {
    let line = r#"pods is forbidden: User "system:serviceaccount:shop:cart" cannot list resource "pods" in API group "" in the namespace "shop""#;
    let scene = caller("x", line, vec![]);
    assert_eq!(found(&scene), one("forbidden-by-rbac", "ServiceAccount shop/cart"));
    assert_eq!(
        statement(&scene, "forbidden-by-rbac"),
        "ServiceAccount shop/cart, as which Deployment shop/cart runs, may not list pods in namespace shop"
    );
}

#[test]
fn a_full_disk_and_a_bad_certificate_are_told() {
    assert_eq!(found(&caller("x", "write /data/wal: no space left on device", vec![])), one("disk-full", ""));
    assert_eq!(
        found(&caller(
            "x",
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
            vec![]
        )),
        one("certificate-expired", "")
    );
    assert_eq!(found(&caller("x", "read: connection closed", vec![])), []);
}

#[test]
fn a_policy_without_a_fitting_rule_may_deny() {
    let spec = json!({"env": [{"name": "DATABASE", "value": "db.payments:5432"}]});
    let of = |egress: Value| {
        let mut objects = workload("shop", "cart", pod("shop", "cart"));
        merge(&mut objects[0]["spec"]["template"]["spec"]["containers"][0], &spec);
        objects.extend(db());
        objects.push(object("NetworkPolicy", "shop", "closed", &json!({"spec": {"podSelector": {"matchLabels": {"app": "cart"}}, "policyTypes": ["Egress"], "egress": egress}})));
        found(&scene(objects, &[], vec![]))
    };
    assert_eq!(of(json!([])), one("network-policy-may-deny", "NetworkPolicy shop/closed"));
    assert_eq!(of(json!([{"to": [{"podSelector": {}}]}])), one("network-policy-may-deny", "NetworkPolicy shop/closed"));
    assert_eq!(
        of(json!([{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "payments"}}}]}])),
        []
    );
    assert_eq!(of(json!([{"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "db"}}}]}])), []);
    assert_eq!(of(json!([{}])), []);
}

#[test]
fn a_change_of_today_is_told_and_one_of_last_week_is_not() {
    let of = |created: &str| {
        let mut old = replica_set("shop", "cart");
        merge(&mut old, &json!({"metadata": {"name": "cart-4c"}, "spec": {"replicas": 0}, "status": {"replicas": 0}}));
        let mut new = replica_set("shop", "cart");
        merge(
            &mut new,
            &json!({"metadata": {"creationTimestamp": created, "annotations": {"deployment.kubernetes.io/revision": "2"}}}),
        );
        new["spec"]["template"]["spec"]["containers"][0]["image"] = json!("registry.local/cart:2");
        run(&scene(vec![deployment("shop", "cart"), old, new], &[], vec![]))
    };
    let findings = of("2026-01-02T11:50:00Z");
    assert_eq!(names(&findings), ["recent-change"]);
    assert_eq!(
        findings[0].statement,
        "Deployment shop/cart was changed at 11:50 UTC: containers[app].image: registry.local/cart:1 -> registry.local/cart:2"
    );
    assert_eq!(of("2025-12-20T00:00:00Z"), []);
}
