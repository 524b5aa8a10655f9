//! The trace store as a toolset.

use async_trait::async_trait;

use super::{TraceStore, tools};
use crate::toolset::{Off, Offer, Probe, Toolset};

/// The tool that asks a trace store, which works while the store answers. Off where there is none.
pub fn toolset(store: Option<TraceStore>) -> Toolset {
    let (name, description) = ("traces", "Slow and failed traces.");
    match store {
        Some(store) => Toolset::new(name, description, store),
        None => Toolset::unset(name, description, "no trace store is configured (`traces`)"),
    }
}

#[async_trait]
impl Probe for TraceStore {
    async fn probe(&self) -> Result<Offer, Off> {
        self.ready().await.map_err(|error| Off(error.to_string()))?;
        Ok(tools(self.clone()).into())
    }
}
