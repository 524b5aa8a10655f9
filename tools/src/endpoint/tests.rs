#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod mutual;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::ToolError;

fn endpoint(url: &str, settings: &Value) -> Result<Endpoint, EndpointError> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut config = json!({"url": url});
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    Endpoint::new("Loki", "logs.loki", &serde_json::from_value(config).unwrap())
}

/// A server with one answer to everything.
async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// What is said of one answer to everything.
async fn fault(answer: ResponseTemplate, settings: Value) -> String {
    let server = answering(answer).await;
    let reply = endpoint(&server.uri(), &settings).unwrap().get("labels", &[]).await;
    let error = reply.and_then(|reply| reply.json::<Value>()).unwrap_err().to_string();
    error.replace(&server.uri(), "URL")
}

#[tokio::test]
async fn each_request_is_logged_in_and_goes_below_the_base() {
    let server = answering(ResponseTemplate::new(200).set_body_json(json!(["a"]))).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let headers = json!({"X-Extra": "1", "tenant": "not used"});
    let url = format!("{}/select/0", server.uri());
    let bearer = json!({"auth": {"bearer_file": file}, "tenant": "shop|cart", "headers": headers});
    let by_file = endpoint(&url, &bearer).unwrap();
    let answer: Vec<String> = by_file.get("api/labels", &[("q", "a b&c")]).await.unwrap().json().unwrap();
    assert_eq!(answer, ["a"]);
    std::fs::write(&file, "second").unwrap();
    by_file.post_form("api/query", &[("query", "{a=\"b\"}")]).await.unwrap();
    let basic = json!({"auth": {"basic": {"username": "me", "password": "hunter2"}}});
    endpoint(&url, &basic).unwrap().post_json("_search", &[("size", "1")], &json!({"x": 1})).await.unwrap();
    let token = json!({"auth": {"bearer": "abc"}});
    endpoint(&format!("{url}/?gone=1"), &token).unwrap().get("", &[]).await.unwrap();

    let told = |request: &wiremock::Request| {
        let header = |name: &str| request.headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
        let shown = ["authorization", "x-scope-orgid", "x-extra", "content-type"].map(header).join(" ");
        let address = request.url.as_str().replace("http://localhost", "");
        format!("{} {address} {shown} {}", request.method, String::from_utf8_lossy(&request.body))
    };
    let requests: Vec<String> = server.received_requests().await.unwrap().iter().map(told).collect();
    assert_eq!(
        requests,
        [
            "GET /select/0/api/labels?q=a+b%26c Bearer first shop|cart 1 - ",
            "POST /select/0/api/query Bearer second shop|cart 1 application/x-www-form-urlencoded query=%7Ba%3D%22b%22%7D",
            "POST /select/0/_search?size=1 Basic bWU6aHVudGVyMg== - - application/json {\"x\":1}",
            "GET /select/0/ Bearer abc - - - ",
        ]
    );
}

#[tokio::test]
async fn a_refusal_says_what_to_check() {
    let none = json!({});
    assert_eq!(
        fault(ResponseTemplate::new(401).set_body_string("who are you"), none.clone()).await,
        "Loki at URL/ refused the login (HTTP 401); check `logs.loki.auth`, `logs.loki.tenant` and `logs.loki.headers`"
    );
    assert_eq!(
        fault(ResponseTemplate::new(429).insert_header("retry-after", "7"), none.clone()).await,
        "Loki at URL/ takes no more requests now (HTTP 429, wait 7 s); ask again later, or for less"
    );
    assert_eq!(
        fault(ResponseTemplate::new(503).set_body_string("starting\n"), none.clone()).await,
        "Loki at URL/ failed (HTTP 503): starting"
    );
    assert_eq!(
        fault(ResponseTemplate::new(302).insert_header("location", "https://login/"), none.clone()).await,
        "what answers at URL/ doesn't speak the API of Loki: HTTP 302, it sends on to https://login/; check `logs.loki.url`, \
         also its path"
    );
    let page = ResponseTemplate::new(200).set_body_raw("<html>", "text/html");
    let said = fault(page, none.clone()).await;
    assert!(said.contains("it answers in text/html (expected value at line 1 column 1)"), "{said}");
    let said = fault(ResponseTemplate::new(404).set_body_string("x".repeat(1_000)), none).await;
    assert!(said.contains("HTTP 404, \"xxx") && said.chars().count() < 500, "{said}");
}

#[tokio::test]
async fn what_logs_in_is_not_told_where_the_backend_repeats_it() {
    let echo = || ResponseTemplate::new(500).set_body_string("no such key: s3cr3t-t0ken, nor k3y-of-header!");
    let settings = json!({"auth": {"bearer": "s3cr3t-t0ken"}, "headers": {"X-Key": "k3y-of-header!", "X-Short": "no"}});
    assert_eq!(
        fault(echo(), settings.clone()).await,
        "Loki at URL/ failed (HTTP 500): no such key: [secret], nor [secret]"
    );
    let shown = format!("{:?}", endpoint("http://127.0.0.1:9", &settings).unwrap());
    assert!(!shown.contains("s3cr3t") && !shown.contains("k3y"), "{shown}");
}

#[tokio::test]
async fn a_server_that_hangs_is_left_in_time_and_one_that_is_not_there_is_told() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    let said = fault(slow, json!({"timeout": "1s"})).await;
    assert_eq!(said, "Loki at URL/ gave no answer in 1 s; ask for a shorter time or for less");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = endpoint(&format!("http://{free}"), &json!({})).unwrap().get("x", &[]).await.unwrap_err();
    assert!(matches!(&away, EndpointError::Unreachable { .. }) && away.is_away(), "{away}");
    assert!(
        away.to_string().ends_with("check `logs.loki.url` and that a network policy lets marple through"),
        "{away}"
    );
    assert!(matches!(ToolError::from(away), ToolError::Backend(_)));
}

#[tokio::test]
async fn half_a_body_and_one_without_end_are_errors() {
    for (head, body) in [("Content-Length: 1000", "[1,2".to_owned()), ("", "x".repeat((32 << 20) + 1))] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let long = head.is_empty();
        let serve = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{head}\r\n\r\n{body}")
                .replace("\r\n\r\n\r\n", "\r\n\r\n");
            // The client leaves before the end of the long one.
            stream.write_all(answer.as_bytes()).await.ok();
        });
        let error = endpoint(&url, &json!({})).unwrap().get("x", &[]).await.unwrap_err();
        match error {
            EndpointError::TooLarge { limit: 32, .. } => assert!(long),
            EndpointError::Unreachable { .. } => assert!(!long),
            other => panic!("{other}"),
        }
        serve.await.unwrap();
    }
}

#[test]
fn a_configuration_that_can_not_be_names_its_setting() {
    let said = |settings: Value| endpoint("http://loki", &settings).unwrap_err().to_string();
    assert_eq!(said(json!({"headers": {"a b": "c"}})), "logs.loki: `headers` has \"a b\", which is no header's name");
    assert_eq!(
        said(json!({"headers": {"a": "hunter\n2"}})),
        "logs.loki: the value of `headers.a` can't stand in a header"
    );
    assert_eq!(
        said(json!({"ca": "/nowhere/ca.pem"})),
        "logs.loki: `ca`: /nowhere/ca.pem can't be read: No such file or directory (os error 2)"
    );
    assert!(said(json!({"tenant": "a", "headers": {"x-scope-orgid": "b"}})).contains("given twice"));
    let key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----";
    let shown = said(json!({"client_certificate": {"certificate": key, "key": key}}));
    assert!(shown.starts_with("logs.loki: `client_certificate`: ") && !shown.contains("hunter2"), "{shown}");
    let shown = said(json!({"client_certificate": {"certificate": key, "key": "hunter2\nhunter2"}}));
    assert_eq!(shown, "logs.loki: `client_certificate.key` is neither PEM nor the path of a file");
    for (url, why) in [("ftp://a", "must begin with http"), ("http://u:p@a", "auth: {basic"), ("nonsense", "no URL")] {
        let error = serde_json::from_value::<EndpointConfig>(json!({"url": url})).unwrap_err().to_string();
        assert!(error.contains(why) && !error.contains("u:p"), "{error}");
    }
}
