//! What a language model is asked, and what it answers.

mod answer;
pub mod config;
mod error;
mod message;
mod models;
pub mod openai;
pub mod pool;
mod usage;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::context::Vocabulary;

pub use answer::{Answerer, Finish, ModelAnswer, WrittenCall};
pub use config::{BreakerConfig, ModelConfig, Prices, ToolStyle};
pub use error::ModelError;
pub use message::{Aside, Message, ToolCall};
pub use models::{DEFAULT, Models};
pub use usage::Usage;

/// A tool as it is offered to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolOffer {
    /// Name.
    pub name: String,
    /// When to use it.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Value,
}

/// What a model can take, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelLimits {
    /// Tokens of request and answer together.
    pub context_window: u32,
    /// Tokens of one answer.
    pub max_output: u32,
    /// What tokens cost.
    pub prices: Prices,
    /// How they are counted beforehand.
    #[serde(default)]
    pub vocabulary: Vocabulary,
}

impl Default for ModelLimits {
    /// Those of a model of which nothing is configured.
    fn default() -> Self {
        Self {
            context_window: 128_000,
            max_output: 8_192,
            prices: Prices::default(),
            vocabulary: Vocabulary::default(),
        }
    }
}

/// Who serves a model, in the names of OpenTelemetry's conventions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Whose API it is, as `openai` or `azure.ai.openai`.
    pub name: &'static str,
    /// The server's host, where there is one.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
}

impl Default for Provider {
    fn default() -> Self {
        Self { name: "openai", host: None, port: None }
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// The conversation.
    pub messages: Vec<Message>,
    /// What the model may call, in the same order each time.
    pub tools: Arc<[ToolOffer]>,
    /// Whether it may call at all. The tools stay where it may not, for servers want those that were called to be known.
    pub may_call: bool,
    /// The longest answer, in tokens.
    pub max_output: u32,
}

/// A piece of an answer on its way. For showing only: nothing is acted on before the answer is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// The answer began, with whatever it begins with: a call shows no words.
    Begun,
    /// Of its thinking, where the server lets that be seen.
    Thinking(String),
    /// Of its words.
    Text(String),
    /// The answer broke off and is asked for again: what was shown of it is void.
    Restarted,
}

/// A language model.
#[async_trait]
pub trait Model: Send + Sync {
    /// Its name, as the server knows it.
    fn name(&self) -> &str;

    /// What it can take, and what it costs.
    fn limits(&self) -> ModelLimits;

    /// Who serves it.
    fn provider(&self) -> Provider {
        Provider::default()
    }

    /// Asks. Pieces go to `deltas` as they come; a receiver that is gone doesn't matter. Retries are made within.
    async fn complete(&self, request: ModelRequest, deltas: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError>;
}
