#![allow(clippy::unwrap_used, missing_docs)]

use k8s_openapi::api::core::v1::Service;
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::known::candidates;
use super::*;
use crate::ToolError;
use crate::prometheus::Prometheus;

fn service(namespace: &str, name: &str, labels: &Value, ports: &Value) -> Service {
    let metadata = json!({"namespace": namespace, "name": name, "labels": labels});
    serde_json::from_value(json!({"metadata": metadata, "spec": {"clusterIP": "10.0.0.1", "ports": ports}})).unwrap()
}

fn is_app(name: &str, component: &str) -> Value {
    json!({"app.kubernetes.io/name": name, "app.kubernetes.io/component": component})
}

#[test]
fn services_are_known_by_what_their_charts_and_operators_call_them() {
    let mut headless = service("m", "prometheus-operated", &json!({}), &json!([{"name": "web", "port": 9090}]));
    headless.spec.as_mut().unwrap().cluster_ip = Some("None".to_owned());
    let stack = json!({"app": "kube-prometheus-stack-prometheus", "self-monitor": "true"});
    let all = [
        service("m", "mimir-nginx", &is_app("mimir", "nginx"), &json!([{"name": "http-metric", "port": 80}])),
        service("m", "mimir-ingester", &is_app("mimir", "ingester"), &json!([{"port": 8080}])),
        service(
            "m",
            "thanos-query",
            &is_app("thanos", "query"),
            &json!([{"name": "grpc", "port": 10901}, {"name": "http", "port": 9090}]),
        ),
        service("v", "vmselect-x", &is_app("vmselect", "monitoring"), &json!([{"name": "http", "port": 8481}])),
        service("v", "vmsingle-x", &is_app("vmsingle", "monitoring"), &json!([{"name": "http", "port": 8429}])),
        headless,
        service(
            "m",
            "kps-prometheus",
            &stack,
            &json!([{"name": "reloader-web", "port": 8080}, {"name": "http-web", "port": 9090}]),
        ),
        service("p", "prometheus-server", &is_app("prometheus", "server"), &json!([{"name": "http", "port": 80}])),
        service(
            "p",
            "prometheus-kube-state-metrics",
            &is_app("kube-state-metrics", "metrics"),
            &json!([{"port": 8080}]),
        ),
        service(
            "p",
            "prometheus-node-exporter",
            &is_app("prometheus-node-exporter", "metrics"),
            &json!([{"port": 9100}]),
        ),
        service("p", "prometheus-alertmanager", &is_app("alertmanager", "alertmanager"), &json!([{"port": 9093}])),
        service("shop", "cart", &json!({"app": "cart"}), &json!([{"port": 9090}])),
    ];
    let told: Vec<String> = candidates(&all)
        .iter()
        .map(|found| format!("{}/{}:{}/{}", found.namespace, found.service, found.port, found.prefix))
        .collect();
    assert_eq!(
        told,
        [
            "m/kps-prometheus:9090/",
            "p/prometheus-server:80/",
            "m/prometheus-operated:9090/",
            "v/vmsingle-x:8429/",
            "v/vmselect-x:8481/select/0/prometheus/",
            "m/thanos-query:9090/",
            "m/mimir-nginx:80/prometheus/",
        ]
    );
}

/// An API server with these Services.
async fn api(services: &[Service]) -> (MockServer, kube::Client) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let server = MockServer::start().await;
    let list = json!({"apiVersion": "v1", "kind": "ServiceList", "metadata": {}, "items": services});
    Mock::given(method("GET"))
        .and(path("/api/v1/services"))
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .mount(&server)
        .await;
    let mut config = kube::Config::new(server.uri().parse().unwrap());
    config.default_retry = false;
    (server, kube::Client::try_from(config).unwrap())
}

/// Answers a query through the API server's proxy of a Service.
async fn answers(server: &MockServer, service: &str, query: &str, series: Value) {
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": series}});
    Mock::given(method("GET"))
        .and(path(format!("/api/v1/namespaces/m/services/{service}/proxy/api/v1/query")))
        .and(query_param("query", query))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(server)
        .await;
}

fn two() -> [Service; 2] {
    let ports = || json!([{"name": "web", "port": 9090}]);
    ["a-prometheus", "b-prometheus"].map(|name| service("m", name, &json!({"app": "prometheus"}), &ports()))
}

#[tokio::test]
async fn the_one_that_knows_the_clusters_pods_is_asked_through_the_api_server() {
    let (server, client) = api(&two()).await;
    let count = |value: &str| json!([{"metric": {}, "value": [1_767_323_400, value]}]);
    answers(&server, "a-prometheus:9090", "count(kube_pod_info)", json!([])).await;
    answers(&server, "b-prometheus:9090", "count(kube_pod_info)", count("7")).await;
    answers(&server, "b-prometheus:9090", "up", count("1")).await;
    let prometheus = Prometheus::discovered(client, Reach::ApiServer);
    let answer = prometheus.instant("up", None).await.unwrap().answer.into_series();
    assert_eq!(answer.len(), 1);
    assert_eq!(
        prometheus.note().await.unwrap().unwrap(),
        "found in the cluster: Prometheus at Service m/b-prometheus, port 9090; others that answer: Prometheus at Service \
         m/a-prometheus, port 9090; `prometheus.url` chooses"
    );
    prometheus.instant("up", None).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let lists = requests.iter().filter(|request| request.url.path() == "/api/v1/services").count();
    assert_eq!(lists, 1, "what was found is remembered");
    assert!(requests.iter().all(|request| request.method.as_str() == "GET"));
}

#[tokio::test]
async fn a_right_that_is_missing_is_named() {
    let (server, client) = api(&two()).await;
    let status = |what: &str| {
        let message = format!("{what} is forbidden: User \"me\" cannot get resource \"services/proxy\"");
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": "Forbidden", "code": 403})
    };
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(403).set_body_json(status("services \"a-prometheus:9090\"")))
        .with_priority(9)
        .mount(&server)
        .await;
    let error = Prometheus::discovered(client, Reach::ApiServer).instant("up", None).await.unwrap_err().to_string();
    assert!(error.starts_with("no Prometheus: Prometheus at Service m/a-prometheus, port 9090 may be one"), "{error}");
    assert!(
        error.contains("cannot get resource \"services/proxy\"; allow `get` on `services/proxy`, or set"),
        "{error}"
    );
}

#[tokio::test]
async fn a_cluster_without_one_is_told_as_such_and_not_asked_at_each_question() {
    let (server, client) = api(&[service("shop", "cart", &json!({}), &json!([{"port": 80}]))]).await;
    let prometheus = Prometheus::discovered(client, Reach::Direct);
    for _ in 0..3 {
        let error = prometheus.instant("up", None).await.unwrap_err();
        assert!(error.to_string().contains("no Service of the cluster looks like a Prometheus"), "{error}");
        assert!(matches!(ToolError::from(error), ToolError::NotFound(_)));
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}
