//! What investigations may spend together, beside what each may spend alone.

use async_trait::async_trait;

use crate::{Budget, Usage};

/// No request may be made. Says why, and when or how it may be again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(pub String);

/// What may still be spent; nothing given is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Left {
    /// Prompt tokens.
    pub prompt_tokens: Option<u64>,
    /// US dollars.
    pub cost: Option<f64>,
}

impl Left {
    /// The budget of one run inside what is left for all.
    #[must_use]
    pub fn bound(&self, budget: &Budget) -> Budget {
        Budget {
            prompt_tokens: self.prompt_tokens.map_or(budget.prompt_tokens, |left| left.min(budget.prompt_tokens)),
            cost: self.cost.map_or(budget.cost, |left| left.min(budget.cost)),
            ..budget.clone()
        }
    }

    /// The lesser of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let fewer = |one: Option<u64>, two: Option<u64>| one.into_iter().chain(two).min();
        let less = |one: Option<f64>, two: Option<f64>| one.into_iter().chain(two).reduce(f64::min);
        Self { prompt_tokens: fewer(self.prompt_tokens, other.prompt_tokens), cost: less(self.cost, other.cost) }
    }
}

/// What several investigations spend from, and where they are stopped.
#[async_trait]
pub trait Purse: Send + Sync {
    /// What may still be spent: asked before each request, so that it is passed by one answer at most.
    async fn left(&self) -> Result<Left, Stopped>;

    /// Takes note of what was spent.
    async fn spend(&self, usage: Usage);

    /// Waits until requests under way are to be broken off.
    async fn stopped(&self) -> Stopped;
}

/// Without a bound: what one run may spend is all that counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unbounded;

#[async_trait]
impl Purse for Unbounded {
    async fn left(&self) -> Result<Left, Stopped> {
        Ok(Left::default())
    }

    async fn spend(&self, _: Usage) {}

    async fn stopped(&self) -> Stopped {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_bound_by_what_is_left_for_all_and_never_gets_more_than_its_own() {
        let budget = Budget { prompt_tokens: 1_000, cost: 1.0, ..Budget::default() };
        let left = Left { prompt_tokens: Some(400), cost: Some(2.0) };
        assert_eq!(left.bound(&budget), Budget { prompt_tokens: 400, cost: 1.0, ..budget.clone() });
        assert_eq!(Left::default().bound(&budget), budget);
        let both = left.and(Left { prompt_tokens: Some(500), cost: None });
        assert_eq!(both, Left { prompt_tokens: Some(400), cost: Some(2.0) });
        assert_eq!(Left::default().and(left), left);
    }
}
