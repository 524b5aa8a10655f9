//! Any server that speaks OpenAI's chat completions: the types are `async-openai`'s, the reading forgives what servers
//! in use leave out.

mod assembly;
mod dialect;
mod endpoint;
mod fault;
mod reply;
mod request;
mod retry;

use async_trait::async_trait;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::mpsc;

use super::{Delta, Model, ModelAnswer, ModelConfig, ModelError, ModelLimits, ModelRequest};
use dialect::Dialect;
use endpoint::Endpoint;
pub use endpoint::ModelConfigError;
use fault::Fault;
use reply::Shown;
use retry::Waits;

/// A model behind an OpenAI-compatible URL.
#[derive(Debug)]
pub struct OpenAi {
    config: ModelConfig,
    endpoint: Endpoint,
    dialect: Dialect,
    client: reqwest::Client,
}

impl OpenAi {
    /// A model as configured, asked through this client.
    pub fn new(config: &ModelConfig, client: reqwest::Client) -> Result<Self, ModelConfigError> {
        let endpoint = Endpoint::of(config)?;
        let dialect = Dialect::of(endpoint.url());
        Ok(Self { config: config.clone(), endpoint, dialect, client })
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
        let body = request::body(&self.config, &self.dialect, request).map_err(|error| {
            Fault::Final(ModelError::Rejected(format!("the request for {} can't be written: {error}", self.endpoint)))
        })?;
        let sent = self.client.post(self.endpoint.url().clone()).headers(self.endpoint.headers().clone()).json(&body);
        let response = sent.send().await.map_err(|error| fault::unreached(&self.endpoint, error))?;
        if !response.status().is_success() {
            return Err(fault::refused(&self.endpoint, &self.config.name, &self.dialect, response).await);
        }
        let idle = self.config.idle_timeout;
        if content_type(&response).contains("event-stream") {
            reply::streamed(response, &self.endpoint, idle, shown).await
        } else {
            reply::whole(response, &self.endpoint, idle, shown).await
        }
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

    async fn complete(&self, request: ModelRequest, deltas: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError> {
        let mut waits = Waits::of(self.config.retries);
        let mut shown = Shown::to(deltas);
        loop {
            let fault = match self.attempt(&request, &mut shown).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            shown.void().await;
            let wait = match &fault {
                // The server names what it doesn't know; the next attempt leaves that out.
                Fault::Dialect(_) => continue,
                Fault::Final(_) => None,
                Fault::Later { after, .. } => waits.next(*after),
                Fault::Late(_) => waits.next(None),
            };
            match wait {
                Some(wait) => {
                    tracing::warn!(fault = %fault, wait_ms = wait.as_millis(), "the model is asked again");
                    tokio::time::sleep(wait).await;
                }
                None => return Err(fault.into_error()),
            }
        }
    }
}
