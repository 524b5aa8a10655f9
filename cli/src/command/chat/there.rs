//! Has a marple that serves answer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use eventsource_stream::Eventsource as _;
use futures::StreamExt as _;
use marple_core::Secret;
use marple_runner::render::{clean, one_line};
use marple_tools::gate::{Approval, Approve, Request};
use marple_tools::{Effect, Preview};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::arguments::Server;
use crate::command::incident::plain;
use crate::environment;
use crate::server::{ask, send, send_as};
use crate::show::Steps;

/// How long the other may take to begin, and to say anything: it sends a line every 15 s.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_mins(1);

/// A conversation with a marple that serves.
pub(super) struct There {
    server: Server,
    client: reqwest::Client,
    incident: Option<(String, String)>,
    conversation: Option<String>,
    /// Who is asked for calls that need a person's word; where there is nobody they are refused there.
    person: Option<Arc<dyn Approve>>,
    /// The token by which that person may decide; absent, the same as for the questions.
    approver: Option<Secret>,
}

/// How far an answer was heard.
enum Heard {
    /// To its end: the answer, and the conversation to go on with.
    Answer(String, Option<String>),
    /// To a call that needs a person's word.
    Asked(Value),
}

impl There {
    /// With the marple there, about an incident where one is named.
    pub(super) async fn of(
        server: &Server,
        incident: Option<&str>,
        person: Option<Arc<dyn Approve>>,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE).build()?;
        let incident = match incident {
            None => None,
            Some(typed) => {
                let shown = ask(server, Method::GET, &format!("/api/incidents/{}", plain(typed)), None).await?;
                let field = |name: &str| shown.pointer(&format!("/incident/{name}")).and_then(Value::as_str);
                let id = field("id").context("the answer is no incident")?;
                Some((id.to_owned(), field("title").unwrap_or_default().to_owned()))
            }
        };
        let approver = environment::approver_token();
        Ok(Self { server: server.clone(), client, incident, conversation: None, person, approver })
    }

    pub(super) fn about(&self) -> String {
        match &self.incident {
            Some((_, title)) => one_line(title),
            None => format!("the cluster of {}", self.server.url),
        }
    }

    pub(super) fn forget(&mut self) {
        self.conversation = None;
    }

    pub(super) async fn answer(
        &mut self,
        question: &str,
        steps: Steps,
        cancel: &CancellationToken,
    ) -> anyhow::Result<String> {
        let asked = json!({
            "ask": question, "stream": true, "conversation_id": self.conversation,
            "incident": self.incident.as_ref().map(|(id, _)| id), "enable_tool_approval": self.person.is_some(),
        });
        let mut response = send(&self.client, &self.server, Method::POST, "/api/chat", Some(&asked)).await?;
        loop {
            match heard(response, steps, cancel).await? {
                Heard::Answer(answer, conversation) => {
                    self.conversation = conversation;
                    return Ok(answer);
                }
                Heard::Asked(waits) => {
                    let decided = tokio::select! {
                        () = cancel.cancelled() => bail!("interrupted"),
                        decided = self.decided(&asked, &waits) => decided?,
                    };
                    response = self.decide(&decided).await?;
                }
            }
        }
    }

    /// Asks the person for the calls that wait; gives the request that goes on with the answer.
    async fn decided(&self, asked: &Value, waits: &Value) -> anyhow::Result<Value> {
        let person = self.person.as_ref().context("the other asks for a person's word, and nobody is there")?;
        let mut decisions = Vec::new();
        for pending in waits.get("pending_approvals").and_then(Value::as_array).into_iter().flatten() {
            let approval = person.approve(&request(pending)).await?;
            let (approved, feedback) = match approval {
                Approval::Approved { .. } => (true, None),
                Approval::Denied { why, .. } => (false, why),
            };
            let call = pending.get("tool_call_id");
            decisions.push(json!({ "tool_call_id": call, "approved": approved, "feedback": feedback }));
        }
        let mut body = asked.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.insert("ask".to_owned(), Value::String(String::new()));
            fields.insert("conversation_id".to_owned(), Value::Null);
            let history = waits.get("conversation_history").cloned().unwrap_or_default();
            fields.insert("conversation_history".to_owned(), history);
            fields.insert("tool_decisions".to_owned(), Value::Array(decisions));
        }
        Ok(body)
    }

    async fn decide(&self, decided: &Value) -> anyhow::Result<reqwest::Response> {
        let (client, server) = (&self.client, &self.server);
        let sent = match &self.approver {
            Some(token) => send_as(Some(token), client, server, Method::POST, "/api/chat", Some(decided)).await,
            None => send(client, server, Method::POST, "/api/chat", Some(decided)).await,
        };
        sent.context("the decision did not count (MARPLE_APPROVER_TOKEN is the token of those who may decide)")
    }
}

/// A call that waits, as a person at a terminal is asked for it.
fn request(pending: &Value) -> Request {
    let text = |name: &str| pending.get(name).and_then(Value::as_str).unwrap_or_default();
    let (title, diff) = text("description").split_once('\n').unwrap_or((text("description"), ""));
    let preview = Preview { title: title.to_owned(), object: None, diff: diff.to_owned(), basis: String::new() };
    Request {
        actor: "the other marple".to_owned(),
        tool: text("tool_name").to_owned(),
        arguments: pending.get("params").cloned().unwrap_or_default(),
        effect: Effect::Write,
        preview: Some(preview),
    }
}

/// Hears an answer.
async fn heard(response: reqwest::Response, steps: Steps, cancel: &CancellationToken) -> anyhow::Result<Heard> {
    let url = response.url().clone();
    let mut events = response.bytes_stream().eventsource();
    loop {
        let event = tokio::select! {
            () = cancel.cancelled() => bail!("interrupted"),
            event = events.next() => event,
        };
        let Some(event) = event else { bail!("{url} broke off in its answer") };
        let event = event.with_context(|| format!("{url} broke off in its answer"))?;
        if event.event.is_empty() || event.data.is_empty() {
            continue;
        }
        let data: Value = serde_json::from_str(&event.data).with_context(|| format!("{url} sent what is no JSON"))?;
        match steps {
            Steps::Json => println!("{}", json!({ "step": event.event, "data": data })),
            Steps::Words => told(&event.event, &data),
        }
        let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match event.event.as_str() {
            "ai_answer_end" => {
                let conversation = data.pointer("/metadata/conversation_id").and_then(Value::as_str);
                return Ok(Heard::Answer(text("analysis"), conversation.map(str::to_owned)));
            }
            "approval_required" => return Ok(Heard::Asked(data)),
            "error" => bail!("{}", text("description")),
            _ => {}
        }
    }
}

/// What happens on the way, in words on standard error.
fn told(event: &str, data: &Value) {
    let text = |path: &str| clean(data.pointer(path).and_then(Value::as_str).unwrap_or_default()).to_string();
    match event {
        "start_tool_calling" => eprintln!("  … {}", text("/tool_name")),
        "tool_calling_result" => match text("/result/status").as_str() {
            "success" | "no_data" => eprintln!("  ✓ {}", text("/description")),
            // The question that follows shows it.
            "approval_required" => {}
            _ => {
                eprintln!("  ✗ {}: {}", text("/description"), text("/result/error").lines().next().unwrap_or_default());
            }
        },
        "ai_message" => eprintln!("  {}", text("/content")),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
