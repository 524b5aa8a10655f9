//! What one investigation may spend.

use std::num::NonZeroU32;

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one investigation may spend. When one of these comes to its end the model is asked to conclude from what it
/// has; room for that is kept inside the budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Requests to the model.
    pub turns: NonZeroU32,
    /// Calls of tools.
    pub tool_calls: u32,
    /// Prompt tokens, all requests together.
    pub prompt_tokens: u64,
    /// Money in US dollars, by the prices of the model's configuration; without prices nothing is counted.
    pub cost: f64,
    /// Time in which it works; waiting for a restart of marple isn't counted.
    pub duration: Period,
}

impl Default for Budget {
    /// 25 requests, 60 calls, 400,000 prompt tokens, one dollar, five minutes.
    fn default() -> Self {
        Self {
            turns: NonZeroU32::MIN.saturating_add(24),
            tool_calls: 60,
            prompt_tokens: 400_000,
            cost: 1.0,
            duration: Period::minutes(5),
        }
    }
}
