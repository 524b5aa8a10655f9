//! An HTTP endpoint that takes JSON.

use std::collections::BTreeMap;

use async_trait::async_trait;
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use marple_core::{Period, Secret, hex};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Attempt, Payload, ReceiptProgress, Sink, SinkError, net};
use crate::render::{View, bounded, one_line};

/// Carries the signature: `t=<Unix seconds>,v1=<hexadecimal HMAC-SHA256 of "<t>.<body>">`.
pub const SIGNATURE_HEADER: &str = "X-Marple-Signature";
/// Carries the delivery's key: the same at each repetition.
pub const DELIVERY_HEADER: &str = "X-Marple-Delivery";

/// An HTTP endpoint that gets each revision of an incident as JSON (docs/schemas/webhook.schema.json).
///
/// Any 2xx confirms. 408, 425, 429, 5xx and no answer are tried again; other answers are refusals. Redirects are not
/// followed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// The address, http or https. It may hold a token, so it is never printed.
    pub url: Secret,
    /// The key with which the body is signed; unsigned where it is absent.
    #[serde(default)]
    pub signing_key: Option<Secret>,
    /// Further headers, as `Authorization: Bearer …`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// How long an answer may take.
    #[serde(default = "WebhookConfig::default_timeout")]
    pub timeout: Period,
}

impl WebhookConfig {
    const fn default_timeout() -> Period {
        Period::seconds(10)
    }

    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let url = reqwest::Url::parse(self.url.expose()).ok();
        if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Some(("webhook.url", "write an address, as https://example.com/hook".to_owned()));
        }
        if self.signing_key.as_ref().is_some_and(|key| key.expose().is_empty()) {
            return Some(("webhook.signing_key", "the key is empty; give one, or leave the setting out".to_owned()));
        }
        for (name, value) in &self.headers {
            if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value.expose()).is_err() {
                return Some(("webhook.headers", format!("{name:?} can't be sent as a header")));
            }
        }
        self.timeout.duration().is_zero().then(|| ("webhook.timeout", "write a time above 0, as 10s".to_owned()))
    }
}

/// The value of [`SIGNATURE_HEADER`] for this body. The type allows for a key of a length that HMAC refuses; it takes any.
pub fn signature(key: &Secret, at: Timestamp, body: &[u8]) -> Result<String, InvalidLength> {
    let seconds = at.as_second();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())?;
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    Ok(format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes())))
}

/// Posts each revision.
#[derive(Debug)]
pub struct WebhookSink {
    config: WebhookConfig,
    http: reqwest::Client,
}

impl WebhookSink {
    /// A sink of these settings.
    pub fn new(config: &WebhookConfig, http: reqwest::Client) -> Self {
        Self { config: config.clone(), http }
    }

    fn request(&self, key: &str, body: Vec<u8>) -> Result<reqwest::RequestBuilder, InvalidLength> {
        let mut request = self
            .http
            .post(self.config.url.expose())
            .timeout(self.config.timeout.duration())
            .header(CONTENT_TYPE, "application/json")
            .header(DELIVERY_HEADER, key);
        if let Some(signing_key) = &self.config.signing_key {
            request = request.header(SIGNATURE_HEADER, signature(signing_key, Timestamp::now(), &body)?);
        }
        for (name, value) in &self.config.headers {
            request = request.header(name, value.expose());
        }
        Ok(request.body(body))
    }
}

#[async_trait]
impl Sink for WebhookSink {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    async fn deliver(
        &self,
        view: &View,
        _receipt: Option<&Value>,
        attempt: &Attempt,
        _progress: &dyn ReceiptProgress,
    ) -> Result<Value, SinkError> {
        let body = Payload::json(view, &attempt.key)?.into_bytes();
        let request = self
            .request(&attempt.key, body)
            .map_err(|error| SinkError::Permanent { reason: format!("the body can't be signed: {error}") })?;
        let answer = request.send().await.map_err(|error| net::classify("the webhook", error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(json!({ "key": attempt.key, "status": status.as_u16() }));
        }
        let after = net::retry_after(answer.headers());
        let said = net::read("the webhook", answer).await.unwrap_or_default();
        let said = one_line(&String::from_utf8_lossy(&said));
        let reason = format!("the webhook answered {status}: {}", bounded(&said, 200));
        Err(refused(status, reason.trim_end_matches([' ', ':']).to_owned(), after))
    }
}

fn refused(status: StatusCode, reason: String, after: Option<std::time::Duration>) -> SinkError {
    let settings = |fix: &str| SinkError::Settings { reason: reason.clone(), fix: fix.to_owned() };
    match status.as_u16() {
        401 | 403 => settings("check its `headers`, and the key that it expects"),
        404 | 410 => settings("check its `url`"),
        300..=399 => settings("redirects are not followed; set `url` to where it leads"),
        408 | 425 | 429 => SinkError::Retry { reason, after, maybe_sent: false },
        400..=499 => SinkError::Permanent { reason },
        _ => SinkError::Retry { reason, after, maybe_sent: true },
    }
}
