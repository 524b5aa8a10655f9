//! What an endpoint of a team's own is sent, and what its answers mean.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod views;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::Secret;
use marple_runner::sinks::{
    Attempt, DELIVERY_HEADER, Payload, ProgressError, ReceiptProgress, SIGNATURE_HEADER, Sink, SinkError,
    WebhookConfig, WebhookSink, client, signature,
};
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

struct Unkept;

#[async_trait]
impl ReceiptProgress for Unkept {
    async fn save(&self, _: &Value) -> Result<(), ProgressError> {
        Ok(())
    }
}

const KEY: &str = "0d1e5b1a-of-the-team";

fn attempt() -> Attempt {
    let view = views::rules_only();
    Attempt {
        key: format!("{}.team.1", view.incident.id),
        first_started_at: view.incident.opened_at,
        maybe_sent: false,
        number: 1,
    }
}

async fn deliver(config: Value) -> Result<Value, SinkError> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let config: WebhookConfig = serde_json::from_value(config).unwrap();
    WebhookSink::new(&config, client().unwrap()).deliver(&views::rules_only(), None, &attempt(), &Unkept).await
}

/// What an endpoint that answers so makes of it.
async fn answered(answer: ResponseTemplate) -> SinkError {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(answer).expect(1).mount(&server).await;
    deliver(json!({ "url": format!("{}/hook?token=s3cr3t-of-the-url", server.uri()), "timeout": "300ms" }))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn an_incident_is_posted_signed_with_its_key_and_the_headers_that_are_set() {
    let server = MockServer::start().await;
    let expected = Mock::given(method("POST"))
        .and(path("/hook"))
        .and(header("content-type", "application/json"))
        .and(header("authorization", "Bearer of-the-team"))
        .and(header(DELIVERY_HEADER, attempt().key.as_str()));
    expected.respond_with(ResponseTemplate::new(204)).expect(1).mount(&server).await;
    let settings = json!({
        "url": format!("{}/hook", server.uri()), "signing_key": KEY, "headers": { "Authorization": "Bearer of-the-team" }
    });
    deliver(settings).await.unwrap();

    let request = &server.received_requests().await.unwrap()[0];
    let signed = request.headers.get(SIGNATURE_HEADER).unwrap().to_str().unwrap();
    let seconds: i64 = signed.split_once(',').unwrap().0.trim_start_matches("t=").parse().unwrap();
    let at = Timestamp::from_second(seconds).unwrap();
    assert!(Timestamp::now().duration_since(at).as_secs() < 60, "the time is that of the attempt");
    assert_eq!(signed, signature(&Secret::new(KEY), at, &request.body).unwrap());
    let body: Payload = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, Payload::of(&views::rules_only(), &attempt().key));
}

#[test]
fn the_signature_is_the_hmac_of_time_and_body_that_other_programs_compute() {
    // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
    let at = Timestamp::from_second(1_700_000_000).unwrap();
    let signed = signature(&Secret::new("secret"), at, br#"{"a":1}"#).unwrap();
    assert_eq!(signed, "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686");
}

#[tokio::test]
async fn answers_say_whether_trying_again_helps() {
    let busy = answered(ResponseTemplate::new(429).insert_header("Retry-After", "12")).await;
    assert!(
        matches!(busy, SinkError::Retry { after: Some(after), maybe_sent: false, .. } if after == Duration::from_secs(12)),
        "{busy:?}"
    );
    let failed = answered(ResponseTemplate::new(500).set_body_string("out of memory")).await;
    assert!(matches!(failed, SinkError::Retry { maybe_sent: true, .. }), "{failed:?}");
    assert!(failed.to_string().contains("500") && failed.to_string().contains("out of memory"), "{failed}");
    let late = answered(ResponseTemplate::new(200).set_delay(Duration::from_secs(2))).await;
    assert!(matches!(late, SinkError::Retry { maybe_sent: true, .. }), "{late:?}");
    let refused = answered(ResponseTemplate::new(422)).await;
    assert!(matches!(refused, SinkError::Permanent { .. }), "{refused:?}");
    for status in [301, 401, 403, 404, 410] {
        let settings = answered(ResponseTemplate::new(status).insert_header("Location", "http://127.0.0.1:9/")).await;
        assert!(matches!(settings, SinkError::Settings { .. }), "{status}: {settings:?}");
    }
}

#[tokio::test]
async fn an_address_that_holds_a_token_is_never_told() {
    let away = deliver(json!({ "url": "http://127.0.0.1:9/hook?token=s3cr3t-of-the-url" })).await.unwrap_err();
    assert!(matches!(away, SinkError::Retry { maybe_sent: false, .. }), "{away:?}");
    assert!(!format!("{away} {away:?}").contains("s3cr3t"), "{away:?}");
}

#[test]
fn the_schema_in_the_docs_is_that_of_the_payload() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schemas/webhook.schema.json");
    let schema = serde_json::to_string_pretty(&marple_runner::sinks::schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), schema, "run the tests with UPDATE_GENERATED=1");
}
