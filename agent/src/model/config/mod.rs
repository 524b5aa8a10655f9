//! Which model to ask, and how.

mod breaker;
mod prices;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use marple_core::{Period, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use breaker::BreakerConfig;
pub use prices::Prices;

use super::ModelLimits;
use crate::context::Vocabulary;

/// How a model is offered tools, and how it calls them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolStyle {
    /// By the API's own fields. Where the server says that it can't, by words from then on.
    #[default]
    Native,
    /// By words: the tools stand in the instructions, the calls in the answer.
    Text,
}

/// Fields of a request that follow from the conversation.
const OWN_FIELDS: [&str; 5] = ["messages", "tools", "tool_choice", "stream", "stream_options"];

/// A language model behind an OpenAI-compatible API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Base of the API, as `https://api.openai.com/v1` or `http://vllm.models:8000/v1`; `/chat/completions` is added, a query
    /// (Azure's `?api-version=…`) stays at the end.
    #[serde(default = "openai")]
    pub url: String,
    /// Name of the model, as the server knows it.
    pub name: String,
    /// Sent as a bearer token, to Azure as `api-key`; may be absent for a server in the cluster that wants none.
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
    /// Fields to add to each request, as `reasoning_effort: low`.
    #[serde(default)]
    pub extra_body: Map<String, Value>,
    /// How tools are offered and called.
    #[serde(default)]
    pub tools: ToolStyle,
    /// How many requests it is asked at once.
    #[serde(default = "in_flight")]
    pub in_flight: NonZeroU32,
    /// How long a request waits for one of these to end.
    #[serde(default = "in_flight_wait")]
    pub in_flight_wait: Period,
    /// When it is left alone because it fails.
    #[serde(default)]
    pub breaker: BreakerConfig,
    /// Who is asked when this one fails, in this order: names of `models`, or `default` for `model`.
    #[serde(default)]
    pub fallback: Vec<String>,
    /// After how long without the first piece of an answer the first fallback is asked too; the first whole answer counts.
    /// Absent: never.
    #[serde(default)]
    pub hedge_after: Option<Period>,
}

impl ModelConfig {
    /// The first setting that can't be, as its path within the model, and why.
    pub fn check(&self) -> Result<(), (String, String)> {
        let fault = |setting: &str, what: String| Err((setting.to_owned(), what));
        if self.name.trim().is_empty() {
            return fault("name", "is empty: write the model's name as its server knows it".to_owned());
        }
        for (setting, period) in [
            ("request_timeout", Some(self.request_timeout)),
            ("idle_timeout", Some(self.idle_timeout)),
            ("hedge_after", self.hedge_after),
        ] {
            if period.is_some_and(|period| period < Period::seconds(1)) {
                return fault(setting, "is shorter than 1s: no model would answer in it".to_owned());
            }
        }
        if let Some(field) = self.extra_body.keys().find(|field| OWN_FIELDS.contains(&field.as_str())) {
            return fault(&format!("extra_body.{field}"), "is written by marple itself: leave it out".to_owned());
        }
        if self.hedge_after.is_some() && self.fallback.is_empty() {
            return fault("hedge_after", "needs a fallback, who is asked then: name one in fallback".to_owned());
        }
        self.prices.check()?;
        self.breaker.check()
    }
    /// What the model can take, and what it costs.
    pub fn limits(&self) -> ModelLimits {
        ModelLimits {
            context_window: self.context_window.get(),
            max_output: self.max_output.get(),
            prices: self.prices,
            vocabulary: Vocabulary::of_model(&self.name),
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

const fn in_flight() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(15)
}

const fn in_flight_wait() -> Period {
    Period::seconds(30)
}
