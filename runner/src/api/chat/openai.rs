//! OpenAI's `/v1/chat/completions` and `/v1/models`: marple as a model that looks before it answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use marple_agent::{Exchange, Usage};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{End, body, heard, history, stream};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::chat::{ChatEvent, Question, TalkId};

/// The model that is offered.
const MODEL: &str = "marple";

/// What is asked. How freely words are chosen and how long answers are is the configuration's: other fields are passed over.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    model: Option<String>,
    messages: Vec<Value>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    n: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

/// A refusal in OpenAI's form.
pub(super) struct Refusal(StatusCode, String);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let (status, why) = problem.into_parts();
        Self(status, why)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let kind = if self.0.is_client_error() { "invalid_request_error" } else { "server_error" };
        let error = json!({ "error": { "message": self.1, "type": kind, "param": null, "code": null } });
        (self.0, Json(error)).into_response()
    }
}

/// `/v1/models`
pub(super) async fn models() -> Json<Value> {
    Json(json!({ "object": "list", "data": [{ "id": MODEL, "object": "model", "created": 0, "owned_by": "marple" }] }))
}

/// `/v1/chat/completions`
pub(super) async fn complete(
    State(state): State<ApiState>,
    sent: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, Refusal> {
    let chat = super::chat(&state)?;
    let asked = body(sent)?;
    let bad = |why: String| Refusal(StatusCode::BAD_REQUEST, why);
    if asked.n.is_some_and(|n| n != 1) {
        return Err(bad("`n` must be 1: there is one answer".to_owned()));
    }
    let last = asked.messages.iter().rposition(|message| history::role(message) == "user");
    let (before, question) = match last.and_then(|last| asked.messages.split_at_checked(last)) {
        Some((before, [question, ..])) => (before, history::text(question)),
        _ => return Err(bad("`messages` holds none of the user".to_owned())),
    };
    if question.trim().is_empty() {
        return Err(bad("the last message of the user has no text".to_owned()));
    }
    let text = history::question(question, &[&history::wishes(before)]);
    let earlier: Vec<Exchange> = history::exchanges(before);
    let talk = chat
        .begin(Question { text, earlier, before: Vec::new(), conversation: None, incident: None })
        .map_err(Problem::from)?;
    let head = Head {
        id: talk.id(),
        created: Timestamp::now().as_second(),
        model: asked.model.unwrap_or_else(|| MODEL.to_owned()),
    };
    let listener = talk.listen(0);
    if asked.stream {
        let usage = asked.stream_options.unwrap_or_default().include_usage;
        let told = move |number: usize, event: &Arc<ChatEvent>| head.chunks(number, event, usage);
        return Ok(stream::stream(listener, told, vec![Event::default().data("[DONE]")]));
    }
    let (_, End::Answered(answered)) = heard(listener).await? else {
        return Err(Problem::internal("the answer broke off").into());
    };
    let message = json!({ "role": "assistant", "content": answered.text });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    let mut body = head.body("chat.completion", &json!([choice]));
    if let Some(fields) = body.as_object_mut() {
        fields.insert("usage".to_owned(), used(&answered.usage));
    }
    Ok(Json(body).into_response())
}

/// What each chunk says of its answer.
struct Head {
    id: TalkId,
    created: i64,
    model: String,
}

impl Head {
    fn body(&self, object: &str, choices: &Value) -> Value {
        let id = format!("chatcmpl-{}", self.id);
        json!({ "id": id, "object": object, "created": self.created, "model": self.model, "choices": choices })
    }

    fn chunk(&self, delta: &Value, finish: Option<&str>) -> Event {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        Event::default().data(self.body("chat.completion.chunk", &json!([choice])).to_string())
    }

    /// An event as chunks: looks are told as thinking, for the answer is what comes at the end.
    fn chunks(&self, number: usize, event: &ChatEvent, usage: bool) -> Vec<Event> {
        let mut chunks = Vec::new();
        if number == 1 {
            chunks.push(self.chunk(&json!({ "role": "assistant", "content": "" }), None));
        }
        let thought = |text: String| self.chunk(&json!({ "reasoning_content": text }), None);
        match event {
            ChatEvent::Said { content, reasoning } => {
                let said = [reasoning.trim(), content.trim()];
                let said: Vec<&str> = said.into_iter().filter(|text| !text.is_empty()).collect();
                chunks.push(thought(format!("{}\n", said.join("\n"))));
            }
            ChatEvent::CallStarted(call) => {
                let arguments = Value::Object(call.arguments.clone());
                chunks.push(thought(format!("→ {} {arguments}\n", call.name)));
            }
            ChatEvent::CallEnded { outcome, .. } => chunks.push(thought(format!("← {}\n", outcome.title))),
            ChatEvent::ApprovalRequired { approval, .. } => chunks.push(thought(format!(
                "? {}: waits for a person's word at POST /api/approvals/{}\n",
                approval.title, approval.id
            ))),
            ChatEvent::Folded(_) | ChatEvent::Counted(_) => {}
            ChatEvent::Answered(answered) => {
                let paragraphs = answered.text.split_inclusive("\n\n");
                chunks.extend(paragraphs.map(|text| self.chunk(&json!({ "content": text }), None)));
                chunks.push(self.chunk(&json!({}), Some("stop")));
                if usage {
                    let mut body = self.body("chat.completion.chunk", &json!([]));
                    if let Some(fields) = body.as_object_mut() {
                        fields.insert("usage".to_owned(), used(&answered.usage));
                    }
                    chunks.push(Event::default().data(body.to_string()));
                }
            }
            ChatEvent::Failed(why) => {
                let error = json!({ "error": { "message": why, "type": "server_error", "param": null, "code": null } });
                chunks.push(Event::default().data(error.to_string()));
            }
        }
        chunks
    }
}

fn used(usage: &Usage) -> Value {
    json!({ "prompt_tokens": usage.prompt, "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": { "cached_tokens": usage.cached } })
}
