//! What older runners call: `/api/investigate` and `/api/issue_chat`.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use marple_agent::Exchange;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{End, body, heard, holmes};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::chat::Question;

/// What is to be investigated. Other fields of theirs steer their own prompts and are passed over.
#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    subject: Map<String, Value>,
    #[serde(default)]
    context: Map<String, Value>,
}

/// A question about what was investigated.
#[derive(Debug, Deserialize)]
pub(super) struct IssueQuestion {
    ask: String,
    #[serde(default)]
    investigation_result: Investigated,
    #[serde(default)]
    issue_type: String,
    #[serde(default)]
    conversation_history: Option<Vec<Value>>,
}

#[derive(Debug, Default, Deserialize)]
struct Investigated {
    #[serde(default)]
    result: Option<String>,
}

/// Investigates an issue.
pub(super) async fn investigate(
    State(state): State<ApiState>,
    sent: Result<Json<Issue>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let issue = body(sent)?;
    let told = |what: &str, fields: &Map<String, Value>| {
        if fields.is_empty() { String::new() } else { format!("\n{what}: {}", Value::Object(fields.clone())) }
    };
    let text = format!(
        "Why does this happen, and what is its cause? {}\n{}{}{}",
        issue.title,
        issue.description,
        told("Subject", &issue.subject),
        told("Context", &issue.context)
    );
    let answer = answered(&state, text, Vec::new(), &[]).await?;
    Ok(Json(json!({
        "analysis": answer.get("analysis"), "sections": {}, "tool_calls": answer.get("tool_calls"), "instructions": [],
        "metadata": answer.get("metadata"),
    })))
}

/// Answers a question about an issue.
pub(super) async fn issue_chat(
    State(state): State<ApiState>,
    sent: Result<Json<IssueQuestion>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let asked = body(sent)?;
    if asked.ask.trim().is_empty() {
        return Err(Problem::bad_request("`ask` is empty"));
    }
    let before = asked.conversation_history.unwrap_or_default();
    let result = asked.investigation_result.result.filter(|result| !result.trim().is_empty());
    let issue = if asked.issue_type.is_empty() { "the issue".to_owned() } else { asked.issue_type };
    let mut earlier: Vec<Exchange> = result
        .into_iter()
        .map(|answer| Exchange { question: format!("What is the cause of {issue}?"), answer })
        .collect();
    earlier.extend(super::history::exchanges(&before));
    answered(&state, asked.ask, earlier, &before).await.map(Json)
}

async fn answered(state: &ApiState, text: String, earlier: Vec<Exchange>, before: &[Value]) -> Result<Value, Problem> {
    let chat = super::chat(state)?;
    let question = Question { text, earlier, before: before.to_vec(), conversation: None, incident: None };
    let talk = chat.begin(question)?;
    let (events, end) = heard(talk.listen(0)).await?;
    match end {
        End::Answered(answered) => Ok(holmes::answer(&chat, &talk, &events, &answered)),
        End::Asked(_) => Err(Problem::internal("the answer broke off")),
    }
}
