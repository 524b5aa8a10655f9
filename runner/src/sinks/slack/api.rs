//! The methods of Slack's API that are used.

use std::time::Duration;

use jiff::Timestamp;
use marple_core::Secret;
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use super::message::Message;
use super::refusal::{self, Refusal};
use crate::sinks::{SinkError, net};

/// Of the same kind in all messages of marple.
pub(super) const EVENT_TYPE: &str = "marple_incident";
/// How far our clock and Slack's may be apart.
const CLOCKS_APART: i64 = 300;
/// Pages of history that are searched, of 200 messages each.
const PAGES: usize = 10;

/// Why a call failed: what Slack said, or what else went wrong.
#[derive(Debug)]
pub(super) enum CallError {
    /// Slack answered `ok: false`.
    Refused { method: &'static str, code: String, needed: Option<String> },
    /// It did not come to an answer.
    Failed(SinkError),
}

impl CallError {
    pub(super) fn meaning(&self) -> Option<Refusal> {
        match self {
            Self::Refused { code, .. } => Some(refusal::meaning(code)),
            Self::Failed(_) => None,
        }
    }

    /// Whether the call may have been carried out all the same.
    pub(super) fn maybe_sent(&self) -> bool {
        match self {
            Self::Refused { code, .. } => refusal::meaning(code) == Refusal::Unclear,
            Self::Failed(error) => error.maybe_sent(),
        }
    }
}

impl From<CallError> for SinkError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused { method, code, needed } => refusal::error(method, &code, needed.as_deref()),
            CallError::Failed(error) => error,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    error: Option<String>,
    needed: Option<String>,
    ts: Option<String>,
    /// The channel's id, however it was named.
    channel: Option<String>,
    upload_url: Option<String>,
    file_id: Option<String>,
    #[serde(default)]
    messages: Vec<Seen>,
    #[serde(default)]
    response_metadata: ResponseMetadata,
}

#[derive(Default, Deserialize)]
struct ResponseMetadata {
    #[serde(default)]
    next_cursor: String,
}

#[derive(Deserialize)]
struct Seen {
    ts: String,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    event_type: String,
    #[serde(default)]
    event_payload: Value,
}

/// Slack's API with one token.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) url: String,
    pub(super) token: Secret,
    pub(super) timeout: Duration,
    pub(super) http: reqwest::Client,
}

impl Api {
    /// Posts a message, in a thread where one is given. Gives its time, and the channel's id.
    pub(super) async fn post(
        &self,
        channel: &str,
        thread: Option<&str>,
        message: &Message,
        metadata: &Value,
    ) -> Result<(String, Option<String>), CallError> {
        let mut body = json!({
            "channel": channel,
            "text": message.text,
            "unfurl_links": false,
            "unfurl_media": false,
            "metadata": { "event_type": EVENT_TYPE, "event_payload": metadata },
        });
        put(&mut body, "blocks", (!message.blocks.is_empty()).then(|| json!(message.blocks)));
        put(&mut body, "thread_ts", thread.map(|ts| json!(ts)));
        let answer = self.write("chat.postMessage", &body).await?;
        let channel = answer.channel;
        answer.ts.map(|ts| (ts, channel)).ok_or_else(|| {
            CallError::Failed(SinkError::unanswered("Slack's answer to chat.postMessage names no message"))
        })
    }

    /// Shows a picture in a thread. Gives the file's name. `channel` is an id.
    pub(super) async fn picture(
        &self,
        channel: &str,
        thread: &str,
        title: &str,
        png: Vec<u8>,
    ) -> Result<String, CallError> {
        let method = "files.getUploadURLExternal";
        let length = png.len().to_string();
        let asked = self.form(method, &[("filename", "graph.png"), ("length", &length), ("alt_txt", title)]).await?;
        let (Some(address), Some(id)) = (asked.upload_url, asked.file_id) else {
            return Err(CallError::Failed(SinkError::unanswered(format!("Slack's answer to {method} names no file"))));
        };
        let what = "Slack's upload of a file";
        let failed = |error| CallError::Failed(net::classify(what, error));
        let upload = self.http.post(address).header(CONTENT_TYPE, "application/octet-stream").body(png);
        let status = upload.timeout(self.timeout).send().await.map_err(failed)?.status();
        if !status.is_success() {
            return Err(CallError::Failed(SinkError::unanswered(format!("{what} answered {status}"))));
        }
        let files = json!([{ "id": id, "title": title }]).to_string();
        let fields = [("files", files.as_str()), ("channel_id", channel), ("thread_ts", thread)];
        self.form("files.completeUploadExternal", &fields).await?;
        Ok(id)
    }

    /// Changes a message.
    pub(super) async fn update(
        &self,
        channel: &str,
        ts: &str,
        message: &Message,
        metadata: &Value,
    ) -> Result<(), CallError> {
        let body = json!({
            "channel": channel,
            "ts": ts,
            "text": message.text,
            "blocks": message.blocks,
            "metadata": { "event_type": EVENT_TYPE, "event_payload": metadata },
        });
        self.write("chat.update", &body).await.map(|_| ())
    }

    /// The newest message whose metadata has all fields of `wanted`, in a thread where one is given, else in the channel.
    pub(super) async fn find(
        &self,
        channel: &str,
        thread: Option<&str>,
        wanted: &Value,
        since: Timestamp,
    ) -> Result<Option<String>, CallError> {
        let method = if thread.is_some() { "conversations.replies" } else { "conversations.history" };
        let oldest = since.as_second().saturating_sub(CLOCKS_APART).to_string();
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut query = vec![
                ("channel", channel),
                ("oldest", &oldest),
                ("inclusive", "true"),
                ("include_all_metadata", "true"),
                ("limit", "200"),
            ];
            query.extend(thread.map(|ts| ("ts", ts)));
            query.extend((!cursor.is_empty()).then_some(("cursor", cursor.as_str())));
            let request = self.http.get(format!("{}/{method}", self.base())).query(&query);
            let answer = self.call(method, request).await?;
            if let Some(seen) = answer.messages.into_iter().find(|seen| seen.is(wanted)) {
                return Ok(Some(seen.ts));
            }
            cursor = answer.response_metadata.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    fn base(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    async fn write(&self, method: &'static str, body: &Value) -> Result<Answer, CallError> {
        let request = self
            .http
            .post(format!("{}/{method}", self.base()))
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body.to_string());
        self.call(method, request).await
    }

    /// The methods of files take forms, not JSON.
    async fn form(&self, method: &'static str, fields: &[(&str, &str)]) -> Result<Answer, CallError> {
        // Written as a query is, which a form's body is too.
        let mut form = reqwest::Url::parse("form:body")
            .map_err(|error| CallError::Failed(SinkError::not_sent(format!("a form could not be written: {error}"))))?;
        form.query_pairs_mut().extend_pairs(fields);
        let request = self
            .http
            .post(format!("{}/{method}", self.base()))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.query().unwrap_or_default().to_owned());
        self.call(method, request).await
    }

    async fn call(&self, method: &'static str, request: RequestBuilder) -> Result<Answer, CallError> {
        let failed = |error| CallError::Failed(error);
        let what = format!("Slack's {method}");
        let answer = request
            .bearer_auth(self.token.expose())
            .timeout(self.timeout)
            .send()
            .await
            .map_err(|error| failed(net::classify(&what, error)))?;
        let (status, after) = (answer.status(), net::retry_after(answer.headers()));
        match status.as_u16() {
            200..=299 => {}
            429 => {
                let after = Some(after.unwrap_or(Duration::from_secs(30)));
                let reason = "Slack allows no more messages for now".to_owned();
                return Err(failed(SinkError::Retry { reason, after, maybe_sent: false }));
            }
            500..=599 => return Err(failed(SinkError::unanswered(format!("{what} answered {status}")))),
            _ => {
                let fix = "check `api_url`, and what lies between here and Slack".to_owned();
                return Err(failed(SinkError::Settings { reason: format!("{what} answered {status}"), fix }));
            }
        }
        let body = net::read(&what, answer).await.map_err(failed)?;
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| failed(SinkError::unanswered(format!("{what} gave no answer of Slack's: {error}"))))?;
        if answer.ok {
            return Ok(answer);
        }
        let code = answer.error.unwrap_or_else(|| "unknown_error".to_owned());
        Err(CallError::Refused { method, code, needed: answer.needed })
    }
}

impl Seen {
    fn is(&self, wanted: &Value) -> bool {
        let Some(metadata) = self.metadata.as_ref().filter(|metadata| metadata.event_type == EVENT_TYPE) else {
            return false;
        };
        let has = |(name, value): (&String, &Value)| metadata.event_payload.get(name) == Some(value);
        wanted.as_object().is_some_and(|wanted| wanted.iter().all(has))
    }
}

fn put(body: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(body), Some(value)) = (body.as_object_mut(), value) {
        body.insert(name.to_owned(), value);
    }
}
