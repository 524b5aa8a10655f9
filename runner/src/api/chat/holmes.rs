//! HolmesGPT's `/api/chat`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use marple_core::{ConversationId, IncidentId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::decisions::{ToolDecision, Words, checked};
use super::{End, body, heard, history, stream, wire};
use crate::api::ApiState;
use crate::api::dialect::holmes_code;
use crate::api::problem::Problem;
use crate::chat::{
    Answered, Asks, Chat, ChatEvent, FailureKind, Hearing, Listener, Question, Talk, TalkId, conversation_of,
};
use crate::store::ApprovalRow;

/// The header that names the question under way, by which it is resumed.
const TALK: &str = "x-talk-id";

/// What is asked. Labels of who asks are taken and not used: the token says who may.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    ask: String,
    #[serde(default)]
    conversation_history: Option<Vec<Value>>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    enable_tool_approval: Option<bool>,
    #[serde(default)]
    tool_decisions: Option<Vec<ToolDecision>>,
    #[serde(default)]
    additional_system_prompt: Option<String>,
    #[serde(default)]
    images: Option<Vec<Value>>,
    #[serde(default)]
    response_format: Option<Value>,
    #[serde(default)]
    conversation_id: Option<String>,
    /// The incident that is asked about: our own field.
    #[serde(default)]
    incident: Option<IncidentId>,
}

/// Answers a question, at once or as a stream.
pub(super) async fn chat(
    State(state): State<ApiState>,
    headers: HeaderMap,
    sent: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, Problem> {
    let chat = super::chat(&state)?;
    let mut asked = body(sent)?;
    let stream = asked.stream == Some(true);
    let words = checked(&state, &headers, asked.tool_decisions.take().unwrap_or_default()).await?;
    let (talk, listener) = match words {
        Some(words) => decided(&chat, asked, words).await?,
        None => chat.begin(asked.question(None)?).await?,
    };
    if stream {
        return Ok(streamed(&talk, listener));
    }
    let (events, end) = heard(listener).await?;
    Ok(Json(match &end {
        End::Answered(answered) => answer(&talk, &events, answered),
        End::Asked(event) => waits(&talk, event),
    })
    .into_response())
}

/// Goes on with the question whose calls were decided. The decisions are kept once it is sure that it goes on: one that is
/// kept can't be sent again.
async fn decided(chat: &Chat, asked: Asked, words: Words) -> Result<(Talk, Listener), Problem> {
    let under_way = words.calls().filter_map(|row| {
        let talk = chat.find_asking(row.id)?;
        Some((talk.asked(row.id)?, talk))
    });
    if let Some((after, talk)) = under_way.max_by_key(|(after, _)| *after) {
        let listener = talk.listen(after);
        words.keep().await?;
        return Ok((talk, listener));
    }
    let question = asked.question(words.calls().next())?;
    let prepared = chat.prepare(question).await?;
    words.keep().await?;
    Ok(prepared.begin())
}

/// Goes on with a stream that broke off, after the event that `Last-Event-ID` names. Where that was the last one there is
/// nothing to go on with, which an answer without content tells clients that would ask again and again.
pub(super) async fn resume(
    State(state): State<ApiState>,
    Path(talk): Path<TalkId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let chat = super::chat(&state)?;
    let missing = || Problem::not_found("there is no such question; they are kept for five minutes after their answer");
    let talk = chat.find(talk).ok_or_else(missing)?;
    let after: usize = match headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default()) {
        None | Some("") => 0,
        Some(id) => {
            id.parse().map_err(|_| Problem::bad_request(format!("Last-Event-ID must be a number, got {id:?}")))?
        }
    };
    // In this order: what ends in between is told to who listens.
    let (ended, told) = (talk.ended(), talk.told());
    if ended && after >= told {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if after > told {
        return Err(Problem::bad_request(format!("Last-Event-ID is {after}, and there are {told} events so far")));
    }
    Ok(streamed(&talk, talk.listen(after)))
}

impl Asked {
    /// The question, or what of it can't be done. Where it is empty it is the one that the history ends in. So it is after a
    /// restart for the one for which a call was decided: the very same call is then made by that decision.
    fn question(mut self, decided: Option<&ApprovalRow>) -> Result<Question, Problem> {
        let bad = |what: &str| Err(Problem::bad_request(what));
        let mut before = self.conversation_history.take().unwrap_or_default();
        if let Some(kind) = history::unreadable(&before) {
            return bad(&format!("`conversation_history` holds a part of type {kind:?}, which can't be looked at"));
        }
        if decided.is_some() || self.ask.trim().is_empty() {
            match history::open(&before) {
                Some((rest, question)) => {
                    self.ask = question;
                    before.truncate(rest);
                }
                None if decided.is_some() => {
                    return bad("`conversation_history` must be the one that came with `pending_approvals`");
                }
                None => {
                    return bad(
                        "`ask` is empty, and `conversation_history` ends in no question: ask something; a stream \
                                that broke off goes on at GET /api/chat/{x-talk-id}",
                    );
                }
            }
        }
        if self.images.is_some_and(|images| !images.is_empty()) {
            return bad("`images` can't be looked at");
        }
        if self.response_format.is_some_and(|format| !format.is_null()) {
            return bad("`response_format` can't be kept: the answer is Markdown");
        }
        let conversation = match self.conversation_id.as_deref().filter(|id| !id.is_empty()) {
            _ if decided.is_some() => decided.and_then(|row| conversation_of(&row.actor)),
            None => history::conversation(&before),
            Some(id) => match id.parse::<ConversationId>() {
                Ok(id) => Some(id),
                Err(_) => return bad("`conversation_id` must be one that an answer's `metadata` gave"),
            },
        };
        let wishes = [history::wishes(&before), self.additional_system_prompt.unwrap_or_default()];
        let asks = if self.enable_tool_approval == Some(true) { Asks::Client } else { Asks::Nobody };
        Ok(Question {
            text: self.ask,
            wishes: wishes
                .iter()
                .map(|wish| wish.trim())
                .filter(|wish| !wish.is_empty())
                .collect::<Vec<_>>()
                .join("\n"),
            earlier: history::exchanges(&before),
            before,
            conversation,
            incident: self.incident,
            model: self.model,
            hearing: Hearing { comes_back: self.stream == Some(true), asks },
            seen: Vec::new(),
        })
    }
}

/// The calls that ended, with their results.
fn calls(events: &[Arc<ChatEvent>]) -> Vec<Value> {
    let called = |event: &Arc<ChatEvent>| match event.as_ref() {
        ChatEvent::CallEnded { call, outcome } => Some(wire::called(call, outcome)),
        _ => None,
    };
    events.iter().filter_map(called).collect()
}

/// The whole answer.
pub(super) fn answer(talk: &Talk, events: &[Arc<ChatEvent>], answered: &Answered) -> Value {
    json!({
        "analysis": answered.text,
        "conversation_history": history::continued(talk, &answered.messages, &answered.text),
        "tool_calls": calls(events),
        "follow_up_actions": [],
        "pending_approvals": null,
        "metadata": metadata(talk, answered),
    })
}

/// What waits for a person's word, with the conversation to go on with.
fn waits(talk: &Talk, event: &ChatEvent) -> Value {
    let ChatEvent::ApprovalRequired { approval, call, ticket, messages } = event else { return Value::Null };
    let mut calls = calls(&talk.events(talk.asked(approval.id).unwrap_or_default()));
    calls.extend(call.as_ref().map(|call| wire::waiting(call, approval)));
    json!({
        "analysis": null,
        "conversation_history": history::asked(talk, messages),
        "tool_calls": calls,
        "follow_up_actions": [],
        "requires_approval": true,
        "pending_approvals": [wire::pending(approval, ticket)],
        "metadata": { "conversation_id": talk.conversation() },
    })
}

fn metadata(talk: &Talk, answered: &Answered) -> Value {
    let mut metadata = wire::counted(&answered.usage, talk.limits());
    if let Some(fields) = metadata.as_object_mut() {
        fields.insert("conversation_id".to_owned(), json!(answered.conversation));
        fields.insert("ending".to_owned(), json!(answered.ending.to_string()));
        fields.insert("model".to_owned(), json!(talk.model()));
    }
    metadata
}

fn streamed(talk: &Talk, listener: Listener) -> Response {
    let told = {
        let talk = talk.clone();
        move |number: usize, event: &Arc<ChatEvent>| sent(&talk, number, event)
    };
    let mut response = stream::stream(listener, told, Vec::new());
    for (name, value) in [(TALK, talk.id().to_string()), ("x-conversation-id", talk.conversation().to_string())] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// What of a stream an event comes to. Of two that it comes to, only the last has the number: who has seen it has seen both.
fn sent(talk: &Talk, number: usize, event: &ChatEvent) -> Vec<Event> {
    let mut before = None;
    let (name, data) = match event {
        ChatEvent::Said { content, reasoning } => {
            ("ai_message", json!({ "content": content, "reasoning": reasoning, "metadata": {} }))
        }
        ChatEvent::CallStarted(call) => ("start_tool_calling", json!({ "tool_name": call.name, "id": call.id })),
        ChatEvent::CallEnded { call, outcome } => ("tool_calling_result", wire::streamed(&wire::called(call, outcome))),
        ChatEvent::ApprovalRequired { approval, call, .. } => {
            let waiting = call.as_ref().map(|call| wire::waiting(call, approval));
            before = waiting.map(|call| ("tool_calling_result", wire::streamed(&call)));
            ("approval_required", waits(talk, event))
        }
        ChatEvent::Folded(results) => {
            let said = format!("{results} older results stand as their evidence's names now");
            let told = json!({ "content": said, "metadata": {} });
            before = Some(("conversation_history_compaction_start", told.clone()));
            ("conversation_history_compacted", told)
        }
        ChatEvent::Counted(usage) => ("token_count", json!({ "metadata": wire::counted(usage, talk.limits()) })),
        ChatEvent::Answered(answered) => (
            "ai_answer_end",
            json!({ "analysis": answered.text,
                "conversation_history": history::continued(talk, &answered.messages, &answered.text),
                "follow_up_actions": [], "metadata": metadata(talk, answered) }),
        ),
        ChatEvent::Failed(failure) => (
            "error",
            json!({ "description": failure.why, "error_code": holmes_code(failure.kind == FailureKind::Limited), "msg": failure.why,
                "success": false }),
        ),
    };
    let event = |name: &str, data: &Value| Event::default().event(name).data(data.to_string());
    let last = event(name, &data).id(number.to_string());
    before.map(|(name, data)| event(name, &data)).into_iter().chain([last]).collect()
}
