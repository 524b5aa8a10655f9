//! What a model used.

use serde::{Deserialize, Serialize};

use super::Prices;

/// Tokens, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the requests.
    pub prompt: u64,
    /// Those of them that the server had in its cache.
    pub cached: u64,
    /// Tokens of the answers, thinking among them.
    pub completion: u64,
    /// What it costs, in millionths of a US dollar; 0 where no prices are configured.
    pub cost: u64,
}

impl Usage {
    /// The same with its cost by these prices.
    #[must_use]
    pub fn priced(self, prices: &Prices) -> Self {
        Self { cost: prices.cost(self.prompt, self.cached, self.completion), ..self }
    }

    /// What it costs, in US dollars.
    #[expect(clippy::cast_precision_loss, reason = "costs are far below 2^52 millionths of a dollar")]
    pub fn dollars(&self) -> f64 {
        self.cost as f64 / 1e6
    }

    /// What was used since it was so much.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            prompt: self.prompt.saturating_sub(before.prompt),
            cached: self.cached.saturating_sub(before.cached),
            completion: self.completion.saturating_sub(before.completion),
            cost: self.cost.saturating_sub(before.cost),
        }
    }

    /// Adds what another request used.
    pub fn add(&mut self, other: Self) {
        self.prompt = self.prompt.saturating_add(other.prompt);
        self.cached = self.cached.saturating_add(other.cached);
        self.completion = self.completion.saturating_add(other.completion);
        self.cost = self.cost.saturating_add(other.cost);
    }
}
