//! What is read of a double of the API server.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::gate::ObjectRules;
use crate::kubernetes::double::Double;

fn list(items: &[Value]) -> Value {
    json!({"kind": "List", "metadata": {}, "items": items})
}

async fn read(double: &Double, subject: &ObjectRef) -> Scene {
    let now = "2026-01-02T12:00:00Z".parse().unwrap();
    Scene::read(&double.cluster(), std::slice::from_ref(subject), now, &CancellationToken::new()).await
}

fn deployment() -> Value {
    json!({"metadata": {"namespace": "shop", "name": "cart"}, "spec": {"template": {"metadata": {"labels": {"app": "cart"}},
        "spec": {"containers": [{"name": "app", "env": [{"name": "DATABASE", "value": "db.payments.svc:5432"}],
            "envFrom": [{"configMapRef": {"name": "cart-config"}}, {"secretRef": {"name": "cart-secret"}}]}]}}}})
}

#[tokio::test]
async fn what_a_workload_names_is_read_across_namespaces_and_secrets_lose_their_values() {
    let double = Double::start().await;
    let apps = "/apis/apps/v1/namespaces";
    double.answer(&format!("{apps}/shop/deployments"), 200, &list(&[deployment()])).await;
    let db = json!({"metadata": {"namespace": "payments", "name": "db"}, "spec": {"template": {"metadata": {"labels": {"app": "db"}}, "spec": {}}}});
    double.answer(&format!("{apps}/payments/deployments"), 200, &list(&[db])).await;
    let service = json!({"metadata": {"namespace": "payments", "name": "db"}, "spec": {"selector": {"app": "db"}}});
    let typed = json!({"kind": "Service", "metadata": {"namespace": "payments", "name": "db"}, "spec": {"selector": {"app": "db"}}});
    double.answer("/api/v1/namespaces/payments/services", 200, &list(&[service])).await;
    double.answer("/api/v1/namespaces/payments/services/db", 200, &typed).await;
    let secret = json!({"kind": "Secret", "metadata": {"namespace": "shop", "name": "cart-secret"}, "data": {"key": "aHVudGVyMg=="}});
    double.answer("/api/v1/namespaces/shop/secrets/cart-secret", 200, &secret).await;
    let scene = read(&double, &ObjectRef::namespaced("Deployment", "shop", "cart")).await;
    let names = scene.objects.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        names,
        ["Deployment payments/db", "Deployment shop/cart", "Secret shop/cart-secret", "Service payments/db"]
    );
    assert_eq!(scene.missing.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ConfigMap shop/cart-config"]);
    assert!(!format!("{scene:?}").contains("aHVudGVyMg"));
    let graph = Graph::of(&scene);
    let dependencies = graph.dependencies(&ObjectRef::namespaced("Deployment", "shop", "cart"));
    assert!(dependencies.iter().any(|edge| edge.to == ObjectRef::namespaced("Deployment", "payments", "db")));
}

#[tokio::test]
async fn what_is_refused_is_told_and_proves_no_absence() {
    let double = Double::start().await;
    double.answer("/apis/apps/v1/namespaces/shop/deployments", 200, &list(&[deployment()])).await;
    let refusal = json!({"kind": "Status", "code": 403, "reason": "Forbidden", "message": "pods is forbidden"});
    double.answer("/api/v1/namespaces/shop/pods", 403, &refusal).await;
    let scene = read(&double, &ObjectRef::namespaced("Deployment", "shop", "cart")).await;
    assert!(scene.unseen.iter().any(|unseen| unseen.what == "Pods in namespace shop"), "{:?}", scene.unseen);
    assert!(!scene.lists("Pod", Some("shop")) && scene.lists("Deployment", Some("shop")));
}

#[tokio::test]
async fn what_the_gate_refuses_is_not_caught_and_proves_no_absence() {
    let double = Double::start().await;
    double.answer("/apis/apps/v1/namespaces/shop/deployments", 200, &list(&[deployment()])).await;
    let rules = json!([{"kind": "secrets", "decision": "refuse"}, {"namespace": "payments", "decision": "refuse"},
        {"kind": "ConfigMap", "name": "cart-*", "decision": "refuse"}]);
    let cluster = double.cluster().with_rules(ObjectRules::new(serde_json::from_value(rules).unwrap()));
    let subjects =
        [ObjectRef::namespaced("Deployment", "shop", "cart"), ObjectRef::namespaced("Pod", "payments", "db-0")];
    let now = "2026-01-02T12:00:00Z".parse().unwrap();
    let scene = Scene::read(&cluster, &subjects, now, &CancellationToken::new()).await;
    assert_eq!(scene.objects.keys().map(ToString::to_string).collect::<Vec<_>>(), ["Deployment shop/cart"]);
    assert_eq!(scene.missing, BTreeSet::new());
    let why = "the gate refuses a look at it (`gate.objects`)";
    let refused: Vec<_> = scene.unseen.iter().filter(|unseen| unseen.why == why).collect();
    assert_eq!(refused.len(), 1, "{:?}", scene.unseen);
    let asked = double.asked().await;
    assert!(!asked.iter().any(|path| path.contains("payments") || path.contains("cart-")), "{asked:?}");
}

#[tokio::test]
async fn an_api_server_that_is_away_leaves_an_empty_scene_that_says_so() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let away = kube::Client::try_from(kube::Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
    let subject = ObjectRef::namespaced("Pod", "shop", "cart-1");
    let scene = Scene::read(&Cluster::new(away), &[subject], Timestamp::UNIX_EPOCH, &CancellationToken::new()).await;
    assert!(scene.objects.is_empty() && scene.missing.is_empty());
    assert_eq!(scene.unseen.len(), 1, "{:?}", scene.unseen);
}

#[tokio::test]
async fn a_service_that_is_kept_for_its_name_keeps_what_it_selects() {
    let double = Double::start().await;
    let template = json!({"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [
        {"name": "app", "env": [{"name": "DB", "value": "http://orders-pg:5432"}]}]}});
    let cart = json!({"metadata": {"namespace": "shop", "name": "cart"}, "spec": {"template": template}});
    double.answer("/apis/apps/v1/namespaces/shop/deployments", 200, &list(&[cart])).await;
    let service =
        json!({"metadata": {"namespace": "shop", "name": "orders-db"}, "spec": {"selector": {"app": "orders-db"}}});
    double.answer("/api/v1/namespaces/shop/services", 200, &list(&[service])).await;
    let pod =
        json!({"metadata": {"namespace": "shop", "name": "orders-db-1", "labels": {"app": "orders-db"}}, "spec": {}});
    double.answer("/api/v1/namespaces/shop/pods", 200, &list(&[pod])).await;
    let scene = read(&double, &ObjectRef::namespaced("Deployment", "shop", "cart")).await;
    let names = scene.objects.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names, ["Deployment shop/cart", "Pod shop/orders-db-1", "Service shop/orders-db"]);
}
