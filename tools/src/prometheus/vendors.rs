//! What servers that speak Prometheus's API do otherwise, as their documentation says.

#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Prometheus, PrometheusError};

async fn server(settings: Value, at: &str, answer: ResponseTemplate) -> (MockServer, Prometheus) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let server = MockServer::start().await;
    let mut config = json!({"url": format!("{}/{at}", server.uri())});
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let prometheus = Prometheus::new(&serde_json::from_value(config).unwrap()).unwrap();
    Mock::given(method("POST")).and(path(format!("/{at}api/v1/query"))).respond_with(answer).mount(&server).await;
    (server, prometheus)
}

fn vector() -> Value {
    json!({"resultType": "vector", "result": [{"metric": {"pod": "a"}, "value": [1_767_323_400, "1"]}]})
}

#[tokio::test]
async fn thanos_warns_of_stores_that_did_not_answer() {
    let warning = "receive series from Addr: 10.0.0.7:10901: rpc error: code = Unavailable";
    let answer = json!({"status": "success", "data": vector(), "warnings": [warning]});
    let (_server, thanos) = server(json!({}), "", ResponseTemplate::new(200).set_body_json(answer)).await;
    let answered = thanos.instant("up", None).await.unwrap();
    assert_eq!((answered.answer.into_series().len(), answered.warnings), (1, vec![warning.to_owned()]));
}

#[tokio::test]
async fn victoria_metrics_has_its_tenant_in_the_path_and_says_what_is_partial() {
    let answer = json!({"status": "success", "isPartial": true, "data": vector(), "stats": {"seriesFetched": "1"}});
    let at = "select/7:3/prometheus/";
    let (server, victoria) = server(json!({}), at, ResponseTemplate::new(200).set_body_json(answer)).await;
    let answered = victoria.instant("up", None).await.unwrap();
    assert_eq!(answered.warnings, ["the answer is partial: some storage nodes did not answer"]);
    let unsupported = ResponseTemplate::new(400)
        .set_body_string("unsupported path requested: \"/select/7:3/prometheus/api/v1/targets\"");
    Mock::given(method("GET")).respond_with(unsupported).mount(&server).await;
    let error = victoria.targets().await.unwrap_err();
    assert!(matches!(&error, PrometheusError::Lacks { what, .. } if what == "targets"), "{error}");
}

#[tokio::test]
async fn a_limit_of_victoria_metrics_is_too_much() {
    let why = "cannot fetch query results: the number of matching timeseries exceeds 30000; either narrow down the search or increase -search.max* command-line flag values";
    let body = json!({"status": "error", "errorType": "422", "error": why});
    let (_server, victoria) = server(json!({}), "", ResponseTemplate::new(422).set_body_json(body)).await;
    assert!(matches!(victoria.instant("up", None).await, Err(PrometheusError::TooMuch(_))));
}

#[tokio::test]
async fn mimir_is_asked_below_its_prefix_for_one_tenant_and_names_its_limits() {
    let why = "the query exceeded the maximum number of series (limit: 100000 series) (err-mimir-max-series-per-query)";
    let body = json!({"status": "error", "errorType": "execution", "error": why});
    let refused = ResponseTemplate::new(422).set_body_json(body);
    let (server, mimir) = server(json!({"tenant": "shop"}), "prometheus/", refused).await;
    assert!(matches!(mimir.instant("up", None).await, Err(PrometheusError::TooMuch(_))));
    let rules = json!({"status": "success", "data": {"groups": []}, "errorType": "", "error": ""});
    Mock::given(method("GET"))
        .and(path("/prometheus/api/v1/rules"))
        .and(header("x-scope-orgid", "shop"))
        .respond_with(ResponseTemplate::new(200).set_body_json(rules))
        .mount(&server)
        .await;
    assert_eq!(mimir.rules().await.unwrap(), []);
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(404).set_body_string("404 page not found"))
        .mount(&server)
        .await;
    assert!(matches!(mimir.targets().await, Err(PrometheusError::Lacks { .. })));
}
