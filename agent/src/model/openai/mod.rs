//! Any server that speaks OpenAI's chat completions: the types are `async-openai`'s, the reading forgives what servers
//! in use leave out.

mod aside;
mod assembly;
mod dialect;
mod endpoint;
mod fault;
mod reply;
mod request;
mod retry;
mod text_calls;
mod words;

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Answerer, Delta, Model, ModelAnswer, ModelConfig, ModelError, ModelLimits, ModelRequest, Provider, Usage};
use crate::Prompts;
use assembly::Assembly;
use dialect::Dialect;
use endpoint::Endpoint;
pub use endpoint::ModelConfigError;
use fault::{Asked, Fault};
use reply::Shown;
use retry::Waits;
use text_calls::Understood;

/// A model behind an OpenAI-compatible URL.
#[derive(Debug)]
pub struct OpenAi {
    config: ModelConfig,
    endpoint: Endpoint,
    dialect: Dialect,
    client: reqwest::Client,
    prompts: Prompts,
}

impl OpenAi {
    /// A model as configured, asked through this client.
    pub fn new(config: &ModelConfig, client: reqwest::Client) -> Result<Self, ModelConfigError> {
        let endpoint = Endpoint::of(config)?;
        let dialect = Dialect::of(config, endpoint.url());
        Ok(Self { config: config.clone(), endpoint, dialect, client, prompts: Prompts::embedded() })
    }

    /// The same with these words, where tools are offered by words.
    #[must_use]
    pub fn with_prompts(self, prompts: Prompts) -> Self {
        Self { prompts, ..self }
    }

    /// One attempt, as long as it may take.
    async fn attempt(&self, request: &ModelRequest, shown: &mut Shown<'_>) -> Result<ModelAnswer, Fault> {
        let whole = self.config.request_timeout;
        match tokio::time::timeout(whole.duration(), self.exchange(request, shown)).await {
            Ok(answered) => answered,
            Err(_) => Err(Fault::Late(format!(
                "{} gave no whole answer in {whole}; raise request_timeout if it needs longer",
                self.endpoint
            ))),
        }
    }

    async fn exchange(&self, request: &ModelRequest, shown: &mut Shown<'_>) -> Result<ModelAnswer, Fault> {
        let learnt = self.dialect.learnt();
        let by_words = self.dialect.text_tools.is();
        let written =
            if by_words { Cow::Owned(text_calls::rewritten(request, &self.prompts)) } else { Cow::Borrowed(request) };
        let body = request::body(&self.config, &self.dialect, &written).map_err(|error| {
            Fault::Final(ModelError::Rejected(format!("the request for {} can't be written: {error}", self.endpoint)))
        })?;
        let sent = self.client.post(self.endpoint.url().clone()).headers(self.endpoint.headers().clone()).json(&body);
        let response = sent.send().await.map_err(|error| fault::unreached(&self.endpoint, error))?;
        if !response.status().is_success() {
            let asked = Asked {
                endpoint: &self.endpoint,
                model: &self.config.name,
                dialect: &self.dialect,
                with_tools: !written.tools.is_empty(),
                learnt,
            };
            return Err(fault::refused(&asked, response).await);
        }
        let idle = self.config.idle_timeout;
        let assembly = Assembly::of(&self.config.name, by_words);
        let answer = if content_type(&response).contains("event-stream") {
            reply::streamed(response, &self.endpoint, idle, assembly, shown).await?
        } else {
            reply::whole(response, &self.endpoint, idle, assembly, shown).await?
        };
        Ok(self.understood(answer, request, if by_words { Understood::Always } else { Understood::Leftover }))
    }

    /// What so many attempts used that were cut in their answers.
    fn lost(&self, cut: u64, request: &ModelRequest, answer: &ModelAnswer) -> Usage {
        if cut == 0 {
            return Usage::default();
        }
        let vocabulary = self.limits().vocabulary;
        let each = answer.usage.map_or_else(|| u64::from(vocabulary.request(request)), |usage| usage.prompt);
        Usage { prompt: each.saturating_mul(cut), ..Usage::default() }.priced(&self.config.prices)
    }

    /// The answer with the calls that stand in its words, and who gave it.
    fn understood(&self, mut answer: ModelAnswer, request: &ModelRequest, how: Understood) -> ModelAnswer {
        if answer.calls.is_empty()
            && !request.tools.is_empty()
            && let Some((words, calls)) = text_calls::read(&answer.content, &request.tools, how)
        {
            answer.content = words;
            answer.calls = calls;
        }
        let model = answer.by.take().map_or_else(|| self.config.name.clone(), |by| by.model);
        answer.by = Some(Answerer { model, prices: self.config.prices });
        answer
    }
}

fn content_type(response: &Response) -> String {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_ascii_lowercase()
}

#[async_trait]
impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn limits(&self) -> ModelLimits {
        self.config.limits()
    }

    fn provider(&self) -> Provider {
        self.endpoint.provider()
    }

    async fn complete(&self, request: ModelRequest, deltas: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError> {
        let first = Instant::now();
        let mut waits = Waits::of(self.config.retries);
        let mut shown = Shown::to(deltas);
        let mut cut: u64 = 0;
        loop {
            let fault = match self.attempt(&request, &mut shown).await {
                Ok(mut answer) => {
                    answer.lost = self.lost(cut, &request, &answer);
                    return Ok(answer);
                }
                Err(fault) => fault,
            };
            let begun = shown.void().await;
            cut += u64::from(begun);
            let wait = match &fault {
                // The server names what it doesn't know; the next attempt leaves that out.
                Fault::Dialect(_) => continue,
                Fault::Later { after, .. } => waits.next(*after),
                Fault::Late(_) if begun => waits.next(None),
                // One that was silent would be so again: whoever else can answer is asked instead.
                Fault::Late(_) | Fault::Final(_) => None,
            };
            // No further attempt begins once a whole one could have ended: the fallbacks wait for their turn.
            let in_time =
                |wait: &Duration| first.elapsed().saturating_add(*wait) < self.config.request_timeout.duration();
            match wait.filter(in_time) {
                Some(wait) => {
                    tracing::warn!(fault = %fault, wait_ms = wait.as_millis(), "the model is asked again");
                    tokio::time::sleep(wait).await;
                }
                None => return Err(fault.into_error()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
