//! What tokens cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

    /// The price that is none, where one is.
    fn fault(&self) -> Option<&'static str> {
        let prices = [("prompt", Some(self.prompt)), ("cached", self.cached), ("completion", Some(self.completion))];
        let wrong = |price: f64| !price.is_finite() || price < 0.0;
        prices.into_iter().find(|(_, price)| price.is_some_and(wrong)).map(|(name, _)| name)
    }

    /// The setting that can't be, and why.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        match self.fault() {
            Some(name) => {
                Err((format!("prices.{name}"), "is no price: US dollars for a million tokens, 0 or more".to_owned()))
            }
            None => Ok(()),
        }
    }
}
