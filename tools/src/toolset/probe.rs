//! Whether a toolset can be used.

use std::sync::Arc;

use async_trait::async_trait;

use crate::Tool;

/// A toolset can't be used now: why, and what would help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Off(pub String);

/// What a toolset that works gives.
#[derive(Clone, Default)]
pub struct Offer {
    /// The tools that can be used now.
    pub tools: Vec<Arc<dyn Tool>>,
    /// What a model is told of how to use them.
    pub instructions: Option<String>,
    /// What people are told of it besides, as a tool that is left out and why.
    pub notes: Vec<String>,
}

impl From<Vec<Arc<dyn Tool>>> for Offer {
    fn from(tools: Vec<Arc<dyn Tool>>) -> Self {
        Self { tools, ..Self::default() }
    }
}

/// Tries whether a toolset can be used.
#[async_trait]
pub trait Probe: Send + Sync {
    /// The tools that can be used now. It is asked again and again: what it tries must be cheap for its backend.
    async fn probe(&self) -> Result<Offer, Off>;
}

/// Works whatever happens, or never.
pub(super) struct Certain(pub(super) Result<Offer, Off>);

#[async_trait]
impl Probe for Certain {
    async fn probe(&self) -> Result<Offer, Off> {
        self.0.clone()
    }
}
