#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use marple_core::Unseen;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{Effect, Look, Output, Redact, Tool, ToolError, ToolSpec};

struct Named(ToolSpec);

#[async_trait]
impl Tool for Named {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, _arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        Ok(Output::default())
    }
}

fn tool(name: &'static str) -> Arc<dyn Tool> {
    let parameters = json!({"type": "object", "properties": {}});
    Arc::new(Named(ToolSpec { name: name.into(), description: "Looks.".into(), parameters, effect: Effect::Read }))
}

struct Masked;

impl Redact for Masked {
    fn redact(&self, text: &str) -> String {
        text.replace("hunter2", "[redacted]")
    }
}

fn toolsets(all: Vec<Toolset>) -> Toolsets {
    Toolsets::new(all, Arc::new(Masked))
}

fn listing(name: &str, state: State, reason: Option<&str>, tools: &[&str]) -> Listing {
    Listing {
        name: name.to_owned(),
        description: "Looks.".to_owned(),
        state,
        reason: reason.map(str::to_owned),
        tools: tools.iter().map(ToString::to_string).collect(),
        notes: Vec::new(),
    }
}

async fn names(toolsets: &Toolsets) -> Vec<String> {
    toolsets.offered().await.tools.iter().map(|tool| tool.spec().name.to_string()).collect()
}

/// Fails for the first probes.
struct Late {
    failures: u32,
    probes: AtomicU32,
}

#[async_trait]
impl Probe for Late {
    async fn probe(&self) -> Result<Offer, Off> {
        if self.probes.fetch_add(1, Ordering::Relaxed) < self.failures {
            return Err(Off("away, password=hunter2\n\u{1b}[31mtry later".to_owned()));
        }
        Ok(vec![tool("late")].into())
    }
}

struct Never;

#[async_trait]
impl Probe for Never {
    async fn probe(&self) -> Result<Offer, Off> {
        std::future::pending().await
    }
}

fn late(failures: u32) -> Toolset {
    Toolset::new("late", "Looks.", Late { failures, probes: AtomicU32::new(0) })
}

#[tokio::test]
async fn only_tools_of_toolsets_that_work_are_offered_and_the_others_say_why() {
    let toolsets =
        toolsets(vec![Toolset::of("a", "Looks.", vec![tool("a_get")]), Toolset::off("b", "Looks.", "no address")]);
    assert_eq!(toolsets.list()[0], listing("a", State::Off, Some("not tried yet"), &[]));
    assert_eq!(names(&toolsets).await, ["a_get"]);
    assert_eq!(
        toolsets.list(),
        [listing("a", State::On, None, &["a_get"]), listing("b", State::Off, Some("no address"), &[])]
    );
}

#[tokio::test]
async fn what_is_configured_and_does_not_work_is_told_and_what_nobody_configured_is_not() {
    let toolsets = toolsets(vec![
        late(1),
        Toolset::unset("logs", "Looks.", "no log store is configured"),
        Toolset::of("a", "Looks.", vec![tool("a_get")]),
    ]);
    let why = "away, password=[redacted] try later".to_owned();
    assert_eq!(toolsets.offered().await.unseen, [Unseen { what: "the toolset late".to_owned(), why }]);
}

#[tokio::test]
async fn a_reason_is_one_line_without_secrets() {
    let toolsets = toolsets(vec![late(1)]);
    toolsets.check().await;
    assert_eq!(toolsets.list(), [listing("late", State::Off, Some("away, password=[redacted] try later"), &[])]);
}

#[tokio::test(start_paused = true)]
async fn a_probe_without_an_answer_takes_its_toolset_off_and_no_other() {
    let toolsets =
        toolsets(vec![Toolset::new("never", "Looks.", Never), Toolset::of("a", "Looks.", vec![tool("a_get")])]);
    assert_eq!(names(&toolsets).await, ["a_get"]);
    assert_eq!(toolsets.list()[0], listing("never", State::Off, Some("gave no answer in 20 s"), &[]));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_comes_back_is_on_again() {
    let toolsets = toolsets(vec![late(2)]);
    let stop = CancellationToken::new();
    let (checked, ended) = (toolsets.clone(), stop.clone());
    let running = tokio::spawn(async move { checked.run(ended).await });
    assert_eq!(names(&toolsets).await, Vec::<String>::new());
    while names(&toolsets).await.is_empty() {
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(toolsets.list(), [listing("late", State::On, None, &["late"])]);
}

#[tokio::test]
async fn of_tools_and_toolsets_of_one_name_the_first_counts() {
    let toolsets = toolsets(vec![
        Toolset::of("a", "Looks.", vec![tool("get")]),
        Toolset::of("b", "Looks.", vec![tool("get"), tool("conclude"), tool("b_get")]),
        Toolset::of("a", "Looks.", vec![tool("a_get")]),
    ]);
    assert_eq!(names(&toolsets).await, ["get", "b_get"]);
    let notes = ["get is left out: a has a tool of that name", "conclude is left out: marple has a tool of that name"];
    assert_eq!(
        toolsets.list(),
        [
            listing("a", State::On, None, &["get"]),
            Listing { notes: notes.map(str::to_owned).to_vec(), ..listing("b", State::On, None, &["b_get"]) },
            listing("a", State::Off, Some("another toolset has this name: give it one of its own"), &[]),
        ]
    );
}
