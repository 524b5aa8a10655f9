//! What a language model is asked, and what it answers.

pub mod config;
mod error;
mod message;
pub mod openai;
mod usage;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

pub use config::{ModelConfig, Prices};
pub use error::ModelError;
pub use message::{Message, ToolCall};
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

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It had said all.
    Complete,
    /// The answer reached its longest length; its end is missing.
    Length,
    /// The provider withheld it.
    Filtered,
}

impl Finish {
    /// In one word, as OpenAI's API says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "stop",
            Self::Length => "length",
            Self::Filtered => "content_filter",
        }
    }
}

/// A call as the model wrote it, which may be wrong in every part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenCall {
    /// Its id; some servers give none.
    pub id: Option<String>,
    /// The tool's name.
    pub name: String,
    /// The arguments, meant to be JSON.
    pub arguments: String,
}

/// One whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelAnswer {
    /// What it says; may be empty.
    pub content: String,
    /// What it calls.
    pub calls: Vec<WrittenCall>,
    /// Why it stopped.
    pub finish: Finish,
    /// What the server counted; absent where it doesn't count.
    pub usage: Option<Usage>,
}

/// A piece of an answer on its way. For showing only: nothing is acted on before the answer is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
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

    /// Asks. Pieces go to `deltas` as they come; a receiver that is gone doesn't matter. Retries are made within.
    async fn complete(&self, request: ModelRequest, deltas: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError>;
}
