//! HolmesGPT's `/api/chat`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use marple_core::{ConversationId, IncidentId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::decisions::{ToolDecision, decide};
use super::{End, body, heard, history, stream, wire};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::chat::{Answered, Chat, ChatEvent, Listener, Question, Talk, TalkId, conversation_of};
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
    stream: bool,
    #[serde(default)]
    enable_tool_approval: bool,
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
    let (stream, until_asked) = (asked.stream, asked.enable_tool_approval);
    let decisions = asked.tool_decisions.take().unwrap_or_default();
    let decided = if decisions.is_empty() { None } else { decide(&state, &headers, decisions).await? };
    let under_way = decided.as_ref().and_then(|row| {
        let talk = chat.find_asking(row.id)?;
        let after = talk.asked(row.id)?;
        Some((talk, after))
    });
    let (talk, after) = match under_way {
        Some(under_way) => under_way,
        None => (chat.begin(asked.question(&chat, decided.as_ref())?)?, 0),
    };
    let listener = talk.listen(after).until_asked(until_asked);
    if stream {
        return Ok(streamed(&chat, &talk, listener));
    }
    let (events, end) = heard(listener).await?;
    Ok(Json(match &end {
        End::Answered(answered) => answer(&chat, &talk, &events, answered),
        End::Asked(event) => waits(&talk, event),
    })
    .into_response())
}

/// Goes on with a stream that broke off, after the event that `Last-Event-ID` names.
pub(super) async fn resume(
    State(state): State<ApiState>,
    Path(talk): Path<TalkId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let chat = super::chat(&state)?;
    let missing = || Problem::not_found("there is no such question; they are kept for five minutes after their answer");
    let talk = chat.find(talk).ok_or_else(missing)?;
    let after = match headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default()) {
        None | Some("") => 0,
        Some(id) => {
            id.parse().map_err(|_| Problem::bad_request(format!("Last-Event-ID must be a number, got {id:?}")))?
        }
    };
    Ok(streamed(&chat, &talk, talk.listen(after)))
}

impl Asked {
    /// The question, or what of it can't be done. After a restart the one for which a call was decided is asked again: the
    /// very same call is then made by that decision.
    fn question(mut self, chat: &Chat, decided: Option<&ApprovalRow>) -> Result<Question, Problem> {
        let bad = |what: &str| Err(Problem::bad_request(what));
        let mut before = self.conversation_history.take().unwrap_or_default();
        if let Some(row) = decided {
            let last = before.iter().rposition(|message| history::role(message) == "user");
            let Some(last) = last else {
                return bad("`conversation_history` must be the one that came with `pending_approvals`");
            };
            self.ask = before.get(last).map(history::text).unwrap_or_default();
            before.truncate(last);
            self.conversation_id = conversation_of(&row.actor).map(|id| id.to_string());
        }
        if self.ask.trim().is_empty() {
            return bad("`ask` is empty: ask something; a stream that broke off goes on at GET /api/chat/{x-talk-id}");
        }
        if self.images.is_some_and(|images| !images.is_empty()) {
            return bad("`images` can't be looked at");
        }
        if self.response_format.is_some_and(|format| !format.is_null()) {
            return bad("`response_format` can't be kept: the answer is Markdown");
        }
        if let Some(model) = self.model.filter(|model| !model.is_empty() && Some(model.as_str()) != chat.model()) {
            return bad(&format!("there is no model {model:?}; GET /api/model names the one that answers"));
        }
        let conversation = match self.conversation_id.as_deref().filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => match id.parse::<ConversationId>() {
                Ok(id) => Some(id),
                Err(_) => return bad("`conversation_id` must be one that an answer's `metadata` gave"),
            },
        };
        let (told, added) = (history::wishes(&before), self.additional_system_prompt.unwrap_or_default());
        let text = history::question(self.ask, &[&told, &added]);
        let earlier = history::exchanges(&before);
        Ok(Question { text, earlier, before, conversation, incident: self.incident })
    }
}

/// The whole answer.
pub(super) fn answer(chat: &Chat, talk: &Talk, events: &[Arc<ChatEvent>], answered: &Answered) -> Value {
    let (before, question) = talk.before();
    let calls: Vec<Value> = events
        .iter()
        .filter_map(|event| match event.as_ref() {
            ChatEvent::CallEnded { call, outcome } => Some(wire::called(call, outcome)),
            _ => None,
        })
        .collect();
    json!({
        "analysis": answered.text,
        "conversation_history": history::continued(before, question, &answered.messages, &answered.text),
        "tool_calls": calls,
        "follow_up_actions": [],
        "pending_approvals": null,
        "metadata": metadata(chat, answered),
    })
}

/// What waits for a person's word, with the conversation to go on with.
fn waits(talk: &Talk, event: &ChatEvent) -> Value {
    let ChatEvent::ApprovalRequired { approval, ticket, messages } = event else { return Value::Null };
    let (before, question) = talk.before();
    json!({
        "analysis": null,
        "conversation_history": history::asked(before, question, messages),
        "requires_approval": true,
        "pending_approvals": [wire::pending(approval, ticket)],
        "metadata": { "conversation_id": talk.conversation() },
    })
}

fn metadata(chat: &Chat, answered: &Answered) -> Value {
    let mut metadata = wire::counted(&answered.usage, chat.limits());
    if let Some(fields) = metadata.as_object_mut() {
        fields.insert("conversation_id".to_owned(), json!(answered.conversation));
        fields.insert("ending".to_owned(), json!(answered.ending.to_string()));
    }
    metadata
}

fn streamed(chat: &Chat, talk: &Talk, listener: Listener) -> Response {
    let told = {
        let (chat, talk) = (chat.clone(), talk.clone());
        move |number: usize, event: &Arc<ChatEvent>| sent(&chat, &talk, number, event)
    };
    let mut response = stream::stream(listener, told, Vec::new());
    for (name, value) in [(TALK, talk.id().to_string()), ("x-conversation-id", talk.conversation().to_string())] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn sent(chat: &Chat, talk: &Talk, number: usize, event: &ChatEvent) -> Vec<Event> {
    let (before, question) = talk.before();
    let (name, data) = match event {
        ChatEvent::Said { content, reasoning } => {
            ("ai_message", json!({ "content": content, "reasoning": reasoning, "metadata": {} }))
        }
        ChatEvent::CallStarted(call) => ("start_tool_calling", json!({ "tool_name": call.name, "id": call.id })),
        ChatEvent::CallEnded { call, outcome } => (
            "tool_calling_result",
            json!({ "tool_call_id": call.id, "role": "tool", "name": call.name, "tool_name": call.name,
                "description": outcome.title, "result": wire::result(call, outcome) }),
        ),
        ChatEvent::ApprovalRequired { .. } => ("approval_required", waits(talk, event)),
        ChatEvent::Folded(results) => {
            let said = format!("{results} older results stand as their evidence's names now");
            let told = json!({ "content": said, "metadata": {} });
            let event = |name: &str| Event::default().event(name).id(number.to_string()).data(told.to_string());
            return vec![event("conversation_history_compaction_start"), event("conversation_history_compacted")];
        }
        ChatEvent::Counted(usage) => ("token_count", json!({ "metadata": wire::counted(usage, chat.limits()) })),
        ChatEvent::Answered(answered) => (
            "ai_answer_end",
            json!({ "analysis": answered.text,
                "conversation_history": history::continued(before, question, &answered.messages, &answered.text),
                "follow_up_actions": [], "metadata": metadata(chat, answered) }),
        ),
        ChatEvent::Failed(why) => {
            ("error", json!({ "description": why, "error_code": 1, "msg": why, "success": false }))
        }
    };
    vec![Event::default().event(name).id(number.to_string()).data(data.to_string())]
}
