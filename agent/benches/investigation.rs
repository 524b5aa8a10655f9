//! Own time of an investigation with ten calls of tools: all that is neither the model's nor a backend's latency.
//! `cargo bench -p marple-agent --bench investigation`
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use divan::Bencher;
use jiff::Timestamp;
use marple_agent::model::WrittenCall;
use marple_agent::{
    Budget, Case, Delta, Investigator, Message, Mode, Model, ModelAnswer, ModelError, ModelLimits, ModelRequest,
    Outcome, Prices, Progress, Prompts, Run, SaveError, Told,
};
use marple_core::{Conclusion, Confidence, Verdict};
use marple_tools::{Effect, Look, MemoryEvidence, Output, Redact, Tool, ToolError, ToolSpec, Toolbox};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn main() {
    divan::main();
}

/// A model that answers at once: five turns of two calls, then a conclusion with a citation.
struct Instant;

#[async_trait]
impl Model for Instant {
    fn limits(&self) -> ModelLimits {
        ModelLimits { context_window: 128_000, max_output: 8_192, prices: Prices::default() }
    }

    async fn complete(&self, request: ModelRequest, _: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError> {
        let turn = request.messages.iter().filter(|message| matches!(message, Message::Assistant { .. })).count();
        let call = |name: &str, arguments: Value| WrittenCall {
            id: None,
            name: name.to_owned(),
            arguments: arguments.to_string(),
            ..WrittenCall::default()
        };
        let calls = if turn < 5 {
            (0..2).map(|number| call("logs", json!({"pod": format!("cart-{turn}-{number}")}))).collect()
        } else {
            let object = json!({"kind": "Deployment", "namespace": "shop", "name": "cart"});
            let citations = json!([{"evidence": "e3", "quote": "connection to db refused"}]);
            vec![call(
                "conclude",
                json!({"verdict": "fault", "summary": "cart can't reach its database", "confidence": "high",
                    "cause": {"object": object, "category": "dependency", "statement": "s", "citations": citations}}),
            )]
        };
        Ok(ModelAnswer { calls, ..ModelAnswer::default() })
    }
}

/// Shows two hundred lines of a log, as a real one is bounded to.
struct Logs(ToolSpec);

#[async_trait]
impl Tool for Logs {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, arguments: Value, _: &Look) -> Result<Output, ToolError> {
        let line = |line: u32| {
            let id = line.wrapping_mul(2_654_435_761);
            format!(
                "2026-01-02T03:04:{:02}Z worker-{id:x} order {id} failed: connection to db refused {arguments}\n",
                line % 60
            )
        };
        Ok(Output { title: format!("logs {arguments}"), content: (0..200).map(line).collect(), ..Output::default() })
    }
}

struct Plain;

impl Redact for Plain {
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Writes the state as a store would, to nowhere.
struct Nowhere;

#[async_trait]
impl Progress for Nowhere {
    async fn save(&self, run: &Run) -> Result<(), SaveError> {
        divan::black_box(serde_json::to_string(run).map_err(|error| SaveError(error.into()))?);
        Ok(())
    }

    async fn told(&self, told: Told) {
        divan::black_box(told);
    }
}

fn case() -> Case {
    Case {
        question: None,
        earlier: Vec::new(),
        incident: None,
        members: Vec::new(),
        findings: Vec::new(),
        rules: Conclusion {
            verdict: Verdict::Inconclusive,
            summary: "Nothing that was looked at explains it.".to_owned(),
            cause: None,
            chain: Vec::new(),
            impact: String::new(),
            confidence: Confidence::Low,
            remedies: Vec::new(),
            ruled_out: Vec::new(),
            unseen: Vec::new(),
        },
        evidence: Vec::new(),
        cluster_name: None,
        mode: Mode::Conclude,
    }
}

async fn investigate(investigator: &Investigator) -> Outcome {
    let spec = ToolSpec {
        name: "logs".into(),
        description: "Logs of a pod.".into(),
        parameters: json!({"type": "object", "properties": {"pod": {"type": "string"}}}),
        effect: Effect::Read,
    };
    let logs: Arc<dyn Tool> = Arc::new(Logs(spec));
    let toolbox = Toolbox::new([logs], Arc::new(MemoryEvidence::default()), Arc::new(Plain), Duration::from_secs(5));
    let look = Look { incident_start: None, now: Timestamp::UNIX_EPOCH, cancel: CancellationToken::new() };
    investigator.investigate(case(), None, &toolbox, &look, &Nowhere).await
}

/// All of it, with a save after each step.
#[divan::bench]
fn ten_calls(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let investigator = Investigator::new(Arc::new(Instant), Prompts::embedded(), Budget::default());
    let outcome = runtime.block_on(investigate(&investigator));
    assert_eq!((outcome.calls, outcome.conclusion.confidence), (10, Confidence::High));
    bencher.bench_local(|| runtime.block_on(investigate(&investigator)));
}

/// The vocabulary for counting, which the first investigation of a process reads.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn vocabulary() {
    divan::black_box(tiktoken_rs::o200k_base().unwrap());
}
