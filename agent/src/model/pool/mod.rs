//! Several models as one: the next is asked when one fails or is left alone, or takes long to begin.

mod breaker;
mod contest;
mod fit;
mod member;
mod telemetry;

use std::sync::Arc;

use async_trait::async_trait;
use marple_core::Period;
use tokio::sync::mpsc;

use super::{Delta, Model, ModelAnswer, ModelError, ModelLimits, ModelRequest, Provider};
use contest::Contest;
pub use member::Member;

/// A model with those that are asked when it fails.
#[derive(Debug)]
pub struct Pool {
    first: Arc<Member>,
    fallbacks: Vec<Arc<Member>>,
    hedge_after: Option<Period>,
}

impl Pool {
    /// A model alone: with its limits, and left alone while it fails.
    pub fn new(first: Arc<Member>) -> Self {
        Self { first, fallbacks: Vec::new(), hedge_after: None }
    }

    /// The same with those that are asked when it fails, in this order; and when it hasn't begun its answer after so long.
    #[must_use]
    pub fn with_fallbacks(self, fallbacks: Vec<Arc<Member>>, hedge_after: Option<Period>) -> Self {
        Self { fallbacks, hedge_after, ..self }
    }
}

#[async_trait]
impl Model for Pool {
    /// That of the first: an answer says which of them gave it.
    fn name(&self) -> &str {
        self.first.name()
    }

    /// Those of the first: what is asked is made for it, and sent to another only where it fits.
    fn limits(&self) -> ModelLimits {
        self.first.limits()
    }

    fn provider(&self) -> Provider {
        self.first.provider()
    }

    async fn complete(&self, request: ModelRequest, deltas: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError> {
        let members = std::iter::once(&self.first).chain(&self.fallbacks);
        Contest::new(request, members, deltas).run(self.hedge_after.map(Period::duration)).await
    }
}

#[cfg(test)]
mod tests;
