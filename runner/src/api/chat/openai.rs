//! OpenAI's `/v1/chat/completions` and `/v1/models`: marple as a model that looks before it answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use marple_agent::Usage;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answered, body, history, stream};
use crate::api::ApiState;
use crate::api::dialect::{self, Fault};
use crate::api::problem::Problem;
use crate::chat::{Asks, Chat, ChatError, ChatEvent, Failure, Hearing, Question, TalkId};

/// The name of whichever model answers where none is named.
const MODEL: &str = "marple";

/// What is asked. How freely words are chosen and how long answers are is the configuration's: other fields are passed over.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    model: Option<String>,
    messages: Vec<Value>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    n: Option<u32>,
    #[serde(default)]
    response_format: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

/// The models that are offered.
fn offered(chat: &Chat) -> Vec<&str> {
    std::iter::once(MODEL).chain(chat.models().names()).collect()
}

fn listed(name: &str) -> Value {
    json!({ "id": name, "object": "model", "created": 0, "owned_by": "marple" })
}

/// `/v1/models`
pub(super) async fn models(State(state): State<ApiState>) -> Result<Json<Value>, Problem> {
    let chat = super::chat(&state)?;
    let models: Vec<Value> = offered(&chat).into_iter().map(listed).collect();
    Ok(Json(json!({ "object": "list", "data": models })))
}

/// `/v1/models/{id}`
pub(super) async fn model(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let chat = super::chat(&state)?;
    let offered = offered(&chat);
    if offered.contains(&id.as_str()) {
        return Ok(Json(listed(&id)));
    }
    Err(unknown(&id, &offered))
}

fn unknown(name: &str, offered: &[&str]) -> Problem {
    let name: String = name.chars().take(100).collect();
    let why = format!("there is no model {name:?}; the models are {}", offered.join(", "));
    Problem::not_found(why).of("model").called("model_not_found")
}

impl Asked {
    /// The question, or what of it can't be done.
    fn question(self) -> Result<Question, Problem> {
        let bad = |what: String, field: &'static str| Err(Problem::bad_request(what).of(field));
        if self.n.is_some_and(|n| n != 1) {
            return bad("`n` must be 1: there is one answer".to_owned(), "n");
        }
        let format = self.response_format.filter(|format| !format.is_null());
        if format.is_some_and(|format| format.get("type").is_none_or(|kind| kind != "text")) {
            return bad("`response_format` can't be kept: the answer is Markdown".to_owned(), "response_format");
        }
        if let Some(kind) = history::unreadable(&self.messages) {
            let what = format!("`messages` hold a part of type {kind:?}: only text can be read");
            return bad(what, "messages");
        }
        let last = self.messages.iter().rposition(|message| history::role(message) == "user");
        let (before, text) = match last.and_then(|last| self.messages.split_at_checked(last)) {
            Some((before, [question, ..])) => (before, history::text(question)),
            _ => return bad("`messages` holds none of the user".to_owned(), "messages"),
        };
        if text.trim().is_empty() {
            return bad("the last message of the user has no text".to_owned(), "messages");
        }
        Ok(Question {
            text,
            wishes: history::wishes(before),
            earlier: history::exchanges(before),
            model: self.model.filter(|model| model != MODEL),
            hearing: Hearing { comes_back: false, asks: Asks::Others },
            ..Question::default()
        })
    }
}

/// `/v1/chat/completions`
pub(super) async fn complete(
    State(state): State<ApiState>,
    sent: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, Problem> {
    let chat = super::chat(&state)?;
    let mut asked = body(sent)?;
    let model = asked.model.clone().filter(|model| !model.is_empty()).unwrap_or_else(|| MODEL.to_owned());
    let streamed = asked.stream == Some(true);
    let usage = asked.stream_options.take().unwrap_or_default().include_usage == Some(true);
    let (talk, listener) = chat.begin(asked.question()?).await.map_err(|error| match error {
        ChatError::NoModel { name, .. } => unknown(&name, &offered(&chat)),
        other => other.into(),
    })?;
    let head = Head { id: talk.id(), created: Timestamp::now().as_second(), model };
    if streamed {
        let told = move |number: usize, event: &Arc<ChatEvent>| head.chunks(number, event, usage);
        return Ok(stream::stream(listener, told, vec![Event::default().data("[DONE]")]));
    }
    let (_, answered) = answered(listener).await?;
    let message = json!({ "role": "assistant", "content": answered.text });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    let mut body = head.body("chat.completion", &json!([choice]));
    if let Some(fields) = body.as_object_mut() {
        fields.insert("usage".to_owned(), used(&answered.usage));
    }
    Ok(Json(body).into_response())
}

/// A failure after the answer has begun.
fn failed(failure: &Failure) -> Value {
    let problem = Problem::from(failure.clone());
    dialect::openai(problem.status(), &Fault { words: problem.into_words(), ..Fault::default() })
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
            ChatEvent::Failed(failure) => chunks.push(Event::default().data(failed(failure).to_string())),
        }
        chunks
    }
}

fn used(usage: &Usage) -> Value {
    json!({ "prompt_tokens": usage.prompt, "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": { "cached_tokens": usage.cached } })
}
