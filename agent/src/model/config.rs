//! Which model to ask, and how.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use marple_core::{Period, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ModelLimits;

/// A language model behind an OpenAI-compatible API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Base of the API, as `https://api.openai.com/v1` or `http://vllm.models:8000/v1`; `/chat/completions` is added.
    #[serde(default = "openai")]
    pub url: String,
    /// Name of the model, as the server knows it.
    pub name: String,
    /// Sent as a bearer token; may be absent for a server in the cluster that wants none.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// Tokens that request and answer may have together.
    #[serde(default = "context_window")]
    pub context_window: NonZeroU32,
    /// Tokens that one answer may have, thinking among them.
    #[serde(default = "max_output")]
    pub max_output: NonZeroU32,
    /// How freely it chooses its words; absent: the server's own. Models that think refuse any but their own.
    #[serde(default)]
    pub temperature: Option<f32>,
    /// What tokens cost; absent: money is not counted.
    #[serde(default)]
    pub prices: Prices,
    /// The longest that one request may take, retries apart.
    #[serde(default = "request_timeout")]
    pub request_timeout: Period,
    /// The longest that a started answer may pause.
    #[serde(default = "idle_timeout")]
    pub idle_timeout: Period,
    /// How often a request is made again after 429, 5xx, a failed connection or a cut answer.
    #[serde(default = "retries")]
    pub retries: u32,
    /// Headers to add, as gateways want them.
    #[serde(default)]
    pub extra_headers: BTreeMap<String, Secret>,
}

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// Of a request.
    pub prompt: f64,
    /// Of a request, found in the server's cache; absent: the same as `prompt`.
    pub cached: Option<f64>,
    /// Of an answer.
    pub completion: f64,
}

impl Prices {
    /// What these tokens cost, in millionths of a dollar.
    #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what is not negative")]
    pub fn cost(&self, prompt: u64, cached: u64, completion: u64) -> u64 {
        let cached = cached.min(prompt);
        let fresh = (prompt - cached) as f64 * self.prompt;
        let known = cached as f64 * self.cached.unwrap_or(self.prompt);
        (fresh + known + completion as f64 * self.completion).ceil().max(0.0) as u64
    }
}

impl ModelConfig {
    /// What the model can take, and what it costs.
    pub fn limits(&self) -> ModelLimits {
        ModelLimits {
            context_window: self.context_window.get(),
            max_output: self.max_output.get(),
            prices: self.prices,
        }
    }
}

fn openai() -> String {
    "https://api.openai.com/v1".to_owned()
}

const fn context_window() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(127_999)
}

const fn max_output() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(8_191)
}

const fn request_timeout() -> Period {
    Period::minutes(2)
}

const fn idle_timeout() -> Period {
    Period::seconds(45)
}

const fn retries() -> u32 {
    4
}
