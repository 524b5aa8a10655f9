//! What older runners call: `/api/investigate` and `/api/issue_chat`.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use marple_agent::Exchange;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{answered, body, history, holmes, sections};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::chat::{Question, Seen};

/// The most that is taken over of what a client has looked at: of one look, in bytes, and looks.
const LOOK: usize = 256 << 10;
const LOOKS: usize = 50;

/// What is to be investigated. Other fields of theirs steer their own prompts and are passed over.
#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    title: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    subject: Option<Map<String, Value>>,
    #[serde(default)]
    context: Option<Map<String, Value>>,
    #[serde(default)]
    include_tool_calls: Option<bool>,
    #[serde(default)]
    include_tool_call_results: Option<bool>,
    /// Names of sections with what belongs there.
    #[serde(default)]
    sections: Option<Map<String, Value>>,
    #[serde(default)]
    model: Option<String>,
}

/// A question about what was investigated.
#[derive(Debug, Deserialize)]
pub(super) struct IssueQuestion {
    ask: String,
    #[serde(default)]
    investigation_result: Option<Investigated>,
    #[serde(default)]
    issue_type: Option<String>,
    #[serde(default)]
    conversation_history: Option<Vec<Value>>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Investigated {
    #[serde(default)]
    result: Option<String>,
    #[serde(default)]
    tools: Option<Vec<ToolRun>>,
}

/// A look of whoever investigated.
#[derive(Debug, Deserialize)]
struct ToolRun {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    output: Value,
}

/// Investigates an issue.
pub(super) async fn investigate(
    State(state): State<ApiState>,
    sent: Result<Json<Issue>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let issue = body(sent)?;
    let told = |what: &str, fields: Option<Map<String, Value>>| match fields {
        Some(fields) if !fields.is_empty() => format!("\n{what}: {}", Value::Object(fields)),
        _ => String::new(),
    };
    let wanted = issue.sections.unwrap_or_default();
    let question = Question {
        text: format!(
            "Why does this happen, and what is its cause? {}\n{}{}{}",
            issue.title,
            issue.description.unwrap_or_default(),
            told("Subject", issue.subject),
            told("Context", issue.context)
        ),
        wishes: sections::wish(&wanted)?,
        model: issue.model,
        ..Question::default()
    };
    let answer = answer(&state, question).await?;
    let analysis = answer.get("analysis").and_then(Value::as_str).unwrap_or_default();
    let calls = answer.get("tool_calls").and_then(Value::as_array).filter(|_| issue.include_tool_calls == Some(true));
    let mut calls = calls.cloned().unwrap_or_default();
    if issue.include_tool_call_results != Some(true) {
        calls.iter_mut().filter_map(|call| call.pointer_mut("/result/data")).for_each(|data| *data = Value::Null);
    }
    Ok(Json(json!({
        "analysis": analysis, "sections": sections::of(analysis, &wanted), "tool_calls": calls, "instructions": [],
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
    let Investigated { result, tools } = asked.investigation_result.unwrap_or_default();
    let result = result.filter(|result| !result.trim().is_empty());
    let issue = asked.issue_type.filter(|issue| !issue.is_empty()).unwrap_or_else(|| "the issue".to_owned());
    let mut earlier: Vec<Exchange> = result
        .into_iter()
        .map(|answer| Exchange { question: format!("What is the cause of {issue}?"), answer })
        .collect();
    earlier.extend(history::exchanges(&before));
    let question = Question {
        text: asked.ask,
        wishes: history::wishes(&before),
        earlier,
        seen: tools.unwrap_or_default().into_iter().take(LOOKS).map(seen).collect(),
        conversation: history::conversation(&before),
        before,
        model: asked.model,
        ..Question::default()
    };
    answer(&state, question).await.map(Json)
}

/// A look of the client's, of a long one the beginning.
fn seen(run: ToolRun) -> Seen {
    let name = run.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "a look".to_owned());
    let title = match run.description.filter(|description| !description.is_empty()) {
        Some(description) => format!("{name}: {description}"),
        None => name,
    };
    let mut content = match run.output {
        Value::String(output) => output,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    if content.len() > LOOK {
        let whole = content.len();
        content.truncate(content.floor_char_boundary(LOOK));
        content.push_str(&format!("\n… the client told {whole} bytes; the rest is left out …\n"));
    }
    Seen { title: title.chars().take(300).collect(), content }
}

async fn answer(state: &ApiState, question: Question) -> Result<Value, Problem> {
    let (talk, listener) = super::chat(state)?.begin(question).await?;
    let (events, answered) = answered(listener).await?;
    Ok(holmes::answer(&talk, &events, &answered))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn of_a_long_look_of_the_clients_the_beginning_is_taken_over() {
        let run = |output: Value| ToolRun { name: Some("kubectl".to_owned()), description: None, output };
        let long = seen(run(json!("ä".repeat(LOOK))));
        assert!(long.content.starts_with('ä') && long.content.len() < LOOK + 100, "{}", long.content.len());
        assert!(long.content.ends_with("bytes; the rest is left out …\n"));
        assert_eq!(seen(run(json!({"a": 1}))), Seen { title: "kubectl".to_owned(), content: "{\"a\":1}".to_owned() });
    }
}
