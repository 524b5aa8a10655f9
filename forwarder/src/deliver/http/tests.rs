#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use marple_core::SignalStatus::Firing;
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::change::Batch;
use crate::deliver::fixture::signal;

/// Signals, as a parcel.
fn of(signals: Vec<Signal>) -> Parcel {
    Parcel { sequence: Some(Sequence::first()), content: Content::Signals(signals) }
}

fn deliver_to(url: &str) -> HttpDeliver {
    rustls::crypto::ring::default_provider().install_default().ok();
    let endpoint =
        RunnerEndpoint { url: url.to_owned(), token: Some(Secret::new("s3cret")), timeout: Period::seconds(5) };
    HttpDeliver::new(&endpoint).unwrap()
}

/// How a delivery ends that is answered so.
async fn answered(answer: ResponseTemplate) -> Result<(), DeliverError> {
    let server = MockServer::start().await;
    let signals = vec![signal(1, Firing)];
    Mock::given(method("POST"))
        .and(path("/base/api/signals"))
        .and(header("authorization", "Bearer s3cret"))
        .and(header("content-type", "application/json"))
        .and(body_json(&signals))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    deliver_to(&format!("{}/base/", server.uri())).post(&of(signals)).await
}

#[tokio::test]
async fn signals_are_posted_as_an_array_under_the_runners_address() {
    assert!(answered(ResponseTemplate::new(200)).await.is_ok());
}

#[tokio::test]
async fn what_the_runner_holds_as_firing_is_read_from_where_signals_are_posted() {
    let server = MockServer::start().await;
    let held = vec![signal(1, Firing)];
    let ask = Mock::given(method("GET")).and(path("/api/signals")).and(header("authorization", "Bearer s3cret"));
    ask.respond_with(ResponseTemplate::new(200).set_body_json(&held)).up_to_n_times(1).mount(&server).await;
    let known = deliver_to(&server.uri());
    assert_eq!(known.firing().await.unwrap(), held);
    assert!(known.firing().await.is_err(), "a runner that answers anything else is not taken to hold nothing");
}

#[tokio::test]
async fn when_conditions_were_told_is_asked_since_a_time() {
    let server = MockServer::start().await;
    let (fingerprint, since) = (signal(1, Firing).fingerprint, "2026-01-01T10:00:00Z".parse().unwrap());
    let told = [Telling { fingerprint, told_at: since, ended_at: None }];
    Mock::given(method("GET"))
        .and(path("/api/signals/told"))
        .and(query_param("since", "2026-01-01T10:00:00Z"))
        .and(header("authorization", "Bearer s3cret"))
        .respond_with(ResponseTemplate::new(200).set_body_json(told))
        .expect(1)
        .mount(&server)
        .await;
    assert_eq!(deliver_to(&server.uri()).told(since).await.unwrap(), told);
}

#[tokio::test]
async fn changes_are_posted_and_what_is_kept_of_a_kind_is_read() {
    let server = MockServer::start().await;
    let batch = Batch { cluster: "test".to_owned(), ..Batch::default() };
    Mock::given(method("POST"))
        .and(path("/api/changes"))
        .and(header("authorization", "Bearer s3cret"))
        .and(body_json(&batch))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let kept = Kept { listed_at: Some(Timestamp::UNIX_EPOCH), ..Kept::default() };
    Mock::given(method("GET"))
        .and(path("/api/changes/kept"))
        .and(query_param("cluster", "my cluster"))
        .and(query_param("kind", "ConfigMap"))
        .respond_with(ResponseTemplate::new(200).set_body_json(&kept))
        .expect(1)
        .mount(&server)
        .await;
    let runner = deliver_to(&server.uri());
    runner.post(&Parcel { sequence: None, content: Content::Changes(batch) }).await.unwrap();
    assert_eq!(runner.kept("my cluster", "ConfigMap").await.unwrap(), kept);
}

#[tokio::test]
async fn a_full_runner_says_when_to_come_again() {
    let answer = ResponseTemplate::new(503).insert_header("retry-after", "7");
    let Err(DeliverError::Busy { retry_after }) = answered(answer).await else { panic!() };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn each_answer_has_its_class() {
    let class = async |status| answered(ResponseTemplate::new(status)).await.unwrap_err().class();
    assert_eq!(class(401).await, "unauthorized");
    assert_eq!(class(400).await, "refused");
    assert_eq!(class(413).await, "refused");
    assert_eq!(class(404).await, "unreachable");
    assert_eq!(class(500).await, "unreachable");
    assert_eq!(class(429).await, "busy");
}

#[tokio::test]
async fn a_refusal_is_told_in_the_runners_words() {
    let answer = ResponseTemplate::new(400).set_body_string("/0/name: missing");
    assert_eq!(
        answered(answer).await.unwrap_err().to_string(),
        "the runner refuses the signals: 400 Bad Request: /0/name: missing"
    );
}

#[tokio::test]
async fn nobody_there_is_worth_another_try() {
    let error = deliver_to("http://127.0.0.1:1").post(&of(vec![signal(1, Firing)])).await.unwrap_err();
    assert_eq!(error.class(), "unreachable");
}

#[test]
fn a_date_to_come_again_is_counted_from_now_and_bounded() {
    let after = |text: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        retry_after(&headers, "2026-01-01T10:00:00Z".parse().unwrap())
    };
    assert_eq!(after("Thu, 01 Jan 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
    assert_eq!(after("Thu, 01 Jan 2026 09:00:00 GMT"), Some(Duration::ZERO));
    assert_eq!(after("86400"), Some(LONGEST_WAIT));
    assert_eq!(after("soon"), None);
}

#[test]
fn an_address_that_is_none_is_refused_with_an_example() {
    let endpoint = RunnerEndpoint { url: "marple:8080".to_owned(), token: None, timeout: Period::seconds(5) };
    assert_eq!(
        HttpDeliver::new(&endpoint).unwrap_err().to_string(),
        "runner.url \"marple:8080\": marple is not http or https; give an address as http://marple.monitoring:8080"
    );
}
