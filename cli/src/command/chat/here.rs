//! Answers from the cluster, by this program.

use std::sync::Arc;

use marple_core::ConversationId;
use marple_runner::chat::ConversationEvidence;
use marple_runner::config::Config;
use marple_runner::dispatch::{Investigated, Once, Topic};
use marple_runner::render;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Before;
use crate::command::{ModelFor, Ready, once};
use crate::show::Steps;
use crate::terminal::Terminal;
use crate::{connect, environment};

/// Answers from the cluster.
pub(super) struct Here {
    once: Once,
    client: Option<kube::Client>,
    before: Before,
    /// What was looked at so far: the next question can read it, and no id means two things.
    evidence: ConversationEvidence,
    conversation: ConversationId,
}

impl Here {
    pub(super) async fn of(config: &Config, terminal: &Arc<Terminal>) -> anyhow::Result<Self> {
        if config.model.is_none() {
            eprintln!(
                "No language model is set (OPENAI_API_KEY, or `model` of --config): the rules look at the objects that a \
                 question names."
            );
        }
        let Ready { mut once, client, .. } = once(config, ModelFor::Questions).await?;
        // The same who types the questions.
        once.tooling.approve = terminal.person();
        let (evidence, conversation) = (ConversationEvidence::default(), ConversationId::new());
        Ok(Self { once, client, before: Before::default(), evidence, conversation })
    }

    pub(super) fn forget(&mut self) {
        self.before = Before::default();
        (self.evidence, self.conversation) = (ConversationEvidence::default(), ConversationId::new());
    }

    pub(super) async fn answer(
        &mut self,
        question: &str,
        steps: Steps,
        cancel: &CancellationToken,
    ) -> anyhow::Result<String> {
        let now = connect::present(self.client.as_ref()).await;
        let topic = Topic::Question { question: question.to_owned(), earlier: self.before.0.clone() };
        let evidence = self.evidence.open(self.conversation, &self.before.0);
        let Investigated { view, outcome } = self.once.investigate_in(evidence, topic, now, cancel, &steps).await?;
        let answer = match &outcome.answer {
            Some(answer) => answer.clone(),
            None => render::terminal(&view, environment::width(), environment::colour()),
        };
        if steps == Steps::Json {
            println!("{}", json!({ "step": "done", "outcome": outcome }));
        }
        self.before.add(question, outcome.answer.as_deref().unwrap_or(&outcome.conclusion.summary));
        Ok(answer)
    }
}
