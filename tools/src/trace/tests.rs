#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::{Look, Output, ToolError};

fn store(server: &MockServer, kind: &str) -> TraceStore {
    rustls::crypto::ring::default_provider().install_default().ok();
    let endpoint = json!({"url": server.uri(), "tenant": "shop"});
    TraceStore::new(&serde_json::from_value(json!({"store": kind, "endpoint": endpoint})).unwrap()).unwrap()
}

async fn call(server: &MockServer, kind: &str, arguments: Value) -> Result<Output, ToolError> {
    let at = |text: &str| text.parse().unwrap();
    let look = Look {
        incident_start: Some(at("2026-01-02T03:00:00Z")),
        now: at("2026-01-02T03:10:00Z"),
        cancel: CancellationToken::new(),
    };
    tools(store(server, kind))[0].call(arguments, &look).await
}

async fn answer(server: &MockServer, at: &str, status: u16, body: &Value) {
    Mock::given(method("GET"))
        .and(path(at))
        .and(header("x-scope-orgid", "shop"))
        .respond_with(ResponseTemplate::new(status).set_body_json(body))
        .mount(server)
        .await;
}

async fn asked(server: &MockServer) -> Vec<String> {
    let told = |request: &wiremock::Request| {
        let parameters: Vec<String> =
            request.url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {}", request.url.path(), parameters.join(" & ")).trim_end().to_owned()
    };
    server.received_requests().await.unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn the_schema_costs_no_more_than_160_tokens() {
    let counter = tiktoken_rs::o200k_base().unwrap();
    let tools = tools(store(&MockServer::start().await, "tempo"));
    let spec = tools[0].spec();
    let offered = json!({"type": "function", "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters}});
    let tokens = counter.encode_ordinary(&offered.to_string()).len();
    assert!(tokens <= 160, "{tokens}");
}

/// A trace of Tempo's: cart calls pay, which fails after its time.
fn tempo_trace() -> Value {
    let span = |id: &str, parent: &str, name: &str, start: u64, end: u64, status: Value| {
        json!({"traceId": "L6", "spanId": id, "parentSpanId": parent, "name": name, "kind": "SPAN_KIND_SERVER",
            "startTimeUnixNano": (1_767_322_800_000_000_000 + start * 1_000_000).to_string(),
            "endTimeUnixNano": (1_767_322_800_000_000_000 + end * 1_000_000).to_string(), "status": status})
    };
    let batch = |service: &str, span: Value| json!({"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}, "scopeSpans": [{"spans": [span]}]});
    let failed = json!({"code": "STATUS_CODE_ERROR", "message": "deadline exceeded"});
    json!({"batches": [
        batch("cart", span("a", "", "GET /cart", 0, 1_230, json!({"code": "STATUS_CODE_ERROR"}))),
        batch("pay", span("b", "a", "POST /charge", 20, 1_200, failed)),
        batch("db", span("c", "b", "SELECT", 30, 50, json!({}))),
    ]})
}

const TOLD: &str = "trace 2f3e: 1.23 s from 2026-01-02T03:00:00.000Z, 3 spans of 3 services, 2 failed\n\
    own time: pay 1.16 s (94%), cart 50 ms (4%), db 20 ms (2%)\n\
    the longest way down:\n\
    \x20cart GET /cart 1.23 s, own 50 ms FAILED\n\
    \x20 pay POST /charge 1.18 s, own 1.16 s FAILED deadline exceeded\n\
    \x20  db SELECT 20 ms, own 20 ms\n\
    failed on its own, the earliest first:\n\
    \x20pay POST /charge after 20 ms, took 1.18 s: deadline exceeded\n";

#[tokio::test]
async fn a_trace_of_tempo_tells_where_its_time_went_and_what_failed() {
    let server = MockServer::start().await;
    answer(&server, "/api/traces/2f3e", 200, &tempo_trace()).await;
    let output = call(&server, "tempo", json!({"trace_id": "2F3E"})).await.unwrap();
    assert_eq!((output.title.as_str(), output.content.as_str()), ("trace 2f3e", TOLD));
    let wrapped = MockServer::start().await;
    answer(&wrapped, "/api/traces/2f3e", 200, &json!({"trace": {"resourceSpans": tempo_trace()["batches"]}})).await;
    assert_eq!(call(&wrapped, "tempo", json!({"trace_id": "2f3e"})).await.unwrap().content, TOLD);
}

#[tokio::test]
async fn a_search_of_tempo_reads_the_slowest_whole() {
    let server = MockServer::start().await;
    let summary = |id: &str, millis: u64| json!({"traceID": id, "rootServiceName": "cart", "rootTraceName": "GET /cart", "startTimeUnixNano": "1767322800000000000", "durationMs": millis});
    answer(&server, "/api/search", 200, &json!({"traces": [summary("1a", 7), summary("2f3e", 1_230)], "metrics": {}}))
        .await;
    answer(&server, "/api/traces/2f3e", 200, &tempo_trace()).await;
    answer(&server, "/api/traces/1a", 404, &json!({})).await;
    let output =
        call(&server, "tempo", json!({"service": "cart", "failed": true, "slower_than": "5ms"})).await.unwrap();
    assert_eq!(output.title, "traces of cart, failed, slower than 5.0 ms");
    assert_eq!(
        output.content,
        format!(
            "2 traces from 2026-01-02T02:45:00Z to 2026-01-02T03:10:00Z, the slowest first\n\
             01-02T03:00:00.000 1.23 s cart GET /cart trace 2f3e: 3 spans, 2 failed, most own time pay 1.16 s, first pay POST /charge deadline exceeded\n\
             01-02T03:00:00.000 7.0 ms cart GET /cart trace 1a\n\
             not all could be read whole: Tempo has no trace 1a; it may be older than what is kept, or was not sampled\n\
             \nthe slowest: {TOLD}"
        )
    );
    assert_eq!(
        asked(&server).await[0],
        "/api/search q={ resource.service.name = \"cart\" && status = error && duration > 5000us } & start=1767321900 & end=1767323401 & limit=20"
    );
}

fn jaeger_trace() -> Value {
    let span = |id: &str, parent: Option<&str>, name: &str, start: u64, length: u64, process: &str, tags: Value| {
        let references: Vec<Value> =
            parent.iter().map(|parent| json!({"refType": "CHILD_OF", "traceID": "2f3e", "spanID": parent})).collect();
        json!({"traceID": "2f3e", "spanID": id, "operationName": name, "references": references,
            "startTime": 1_767_322_800_000_000 + start * 1_000, "duration": length * 1_000, "tags": tags, "logs": [], "processID": process, "warnings": null})
    };
    let tag = |key: &str, value: Value| json!({"key": key, "type": "x", "value": value});
    json!({"traceID": "2f3e", "processes": {"p1": {"serviceName": "cart", "tags": []}, "p2": {"serviceName": "pay"}, "p3": {"serviceName": "db"}}, "spans": [
        span("c", Some("b"), "SELECT", 30, 20, "p3", json!([])),
        span("a", None, "GET /cart", 0, 1_230, "p1", json!([tag("error", json!(true))])),
        span("b", Some("a"), "POST /charge", 20, 1_180, "p2", json!([tag("otel.status_code", json!("ERROR")), tag("otel.status_description", json!("deadline exceeded"))])),
    ]})
}

#[tokio::test]
async fn a_trace_of_jaeger_is_told_as_one_of_tempo() {
    let server = MockServer::start().await;
    answer(&server, "/api/traces/2f3e", 200, &json!({"data": [jaeger_trace()], "total": 0, "errors": null})).await;
    assert_eq!(call(&server, "jaeger", json!({"trace_id": "2f3e"})).await.unwrap().content, TOLD);
    let missing = json!({"data": null, "errors": [{"code": 404, "msg": "trace not found"}]});
    answer(&server, "/api/traces/1a", 404, &missing).await;
    let error = call(&server, "jaeger", json!({"trace_id": "1a"})).await.unwrap_err();
    assert!(matches!(&error, ToolError::NotFound(text) if text.starts_with("Jaeger has no trace 1a")), "{error}");
}

#[tokio::test]
async fn a_search_of_jaeger_names_the_services_that_there_are() {
    let server = MockServer::start().await;
    answer(&server, "/api/services", 200, &json!({"data": ["cart", "payments", "mail"]})).await;
    answer(&server, "/api/traces", 200, &json!({"data": []})).await;
    let told = async |arguments: Value| call(&server, "jaeger", arguments).await.unwrap_err().to_string();
    assert_eq!(told(json!({})).await, "Jaeger searches by `service`; it has 3 services, as cart, payments, mail");
    assert_eq!(
        told(json!({"service": "payment"})).await,
        "Jaeger has no traces of a service \"payment\"; it has 3 services, as payments"
    );
    let none = call(
        &server,
        "jaeger",
        json!({"service": "mail", "failed": true, "slower_than": "2s", "operation": "send", "limit": 3}),
    )
    .await
    .unwrap();
    assert_eq!(none.content, "0 traces from 2026-01-02T02:45:00Z to 2026-01-02T03:10:00Z, the slowest first\n");
    let search = asked(&server).await.into_iter().rfind(|line| line.starts_with("/api/traces")).unwrap();
    assert_eq!(
        search,
        "/api/traces service=mail & start=1767321900000000 & end=1767323400000000 & limit=3 & operation=send & tags={\"error\":\"true\"} & minDuration=2000000us"
    );
}

#[tokio::test]
async fn each_failure_says_what_to_do() {
    for (status, wanted) in [
        (400, "Tempo refuses the search: "),
        (401, "check `traces.endpoint.auth`"),
        (429, "takes no more requests now"),
        (500, "failed (HTTP 500)"),
        (200, "doesn't speak the API of Tempo"),
    ] {
        let server = MockServer::start().await;
        answer(&server, "/api/search", status, &json!({"traces": "none"})).await;
        let error = call(&server, "tempo", json!({})).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
    let server = MockServer::start().await;
    let error = call(&server, "tempo", json!({"trace_id": "../admin"})).await.unwrap_err().to_string();
    assert!(error.contains("is no trace's id"), "{error}");
    assert_eq!(asked(&server).await, Vec::<String>::new());
}
