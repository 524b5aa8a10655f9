//! Has a marple that serves answer.

use std::time::Duration;

use anyhow::{Context, bail};
use eventsource_stream::Eventsource as _;
use futures::StreamExt as _;
use marple_runner::render::{clean, one_line};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::arguments::Server;
use crate::command::incident::plain;
use crate::server::{ask, send};
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
}

impl There {
    /// With the marple there, about an incident where one is named.
    pub(super) async fn of(server: &Server, incident: Option<&str>) -> anyhow::Result<Self> {
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
        Ok(Self { server: server.clone(), client, incident, conversation: None })
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
        let body = json!({
            "ask": question, "stream": true, "conversation_id": self.conversation,
            "incident": self.incident.as_ref().map(|(id, _)| id),
        });
        let response = send(&self.client, &self.server, Method::POST, "/api/chat", Some(&body)).await?;
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
            let data: Value =
                serde_json::from_str(&event.data).with_context(|| format!("{url} sent what is no JSON"))?;
            match steps {
                Steps::Json => println!("{}", json!({ "step": event.event, "data": data })),
                Steps::Words => told(&event.event, &data),
            }
            let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            match event.event.as_str() {
                "ai_answer_end" => {
                    let conversation = data.pointer("/metadata/conversation_id").and_then(Value::as_str);
                    self.conversation = conversation.map(str::to_owned);
                    return Ok(text("analysis"));
                }
                "error" => bail!("{}", text("description")),
                _ => {}
            }
        }
    }
}

/// What happens on the way, in words on standard error.
fn told(event: &str, data: &Value) {
    let text = |path: &str| clean(data.pointer(path).and_then(Value::as_str).unwrap_or_default()).to_string();
    match event {
        "start_tool_calling" => eprintln!("  … {}", text("/tool_name")),
        "tool_calling_result" if text("/result/status") == "success" => eprintln!("  ✓ {}", text("/description")),
        "tool_calling_result" => {
            eprintln!("  ✗ {}: {}", text("/description"), text("/result/error").lines().next().unwrap_or_default());
        }
        "approval_required" => {
            eprintln!("  ? {}", text("/pending_approvals/0/description"));
            eprintln!("    it waits for a person's word at POST /api/approvals/{{id}}, with `server.approver_token`");
        }
        "ai_message" => eprintln!("  {}", text("/content")),
        _ => {}
    }
}
