//! A model, a tool and a store that take no time, for what an investigation itself takes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_agent::model::WrittenCall;
use marple_agent::{
    Case, Delta, Investigator, Message, Mode, Model, ModelAnswer, ModelError, ModelLimits, ModelRequest, Outcome,
    Progress, Run, SaveError, Told,
};
use marple_core::Conclusion;
use marple_tools::{Effect, Look, MemoryEvidence, Output, Redact, Tool, ToolError, ToolSpec, Toolbox};
use serde_json::{Value, json};
use tokio::sync::{Barrier, mpsc};
use tokio_util::sync::CancellationToken;

/// A model that answers at once: so many turns of two calls, then a conclusion with a citation. Before that one it waits
/// until as many as share its barrier have come as far.
pub(crate) struct Scripted {
    pub(crate) turns: usize,
    pub(crate) together: Option<Arc<Barrier>>,
}

#[async_trait]
impl Model for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn limits(&self) -> ModelLimits {
        ModelLimits { context_window: 128_000, max_output: 8_192, ..ModelLimits::default() }
    }

    async fn complete(&self, request: ModelRequest, _: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError> {
        let turn = request.messages.iter().filter(|message| matches!(message, Message::Assistant { .. })).count();
        let call = |name: &str, arguments: Value| WrittenCall {
            id: None,
            name: name.to_owned(),
            arguments: arguments.to_string(),
            ..WrittenCall::default()
        };
        if turn == self.turns
            && let Some(together) = &self.together
        {
            together.wait().await;
        }
        let calls = if turn < self.turns {
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
    Case::new(Mode::Conclude, Conclusion::inconclusive("Nothing that was looked at explains it."))
}

pub(crate) async fn investigate(investigator: &Investigator) -> Outcome {
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
