//! The log store as a toolset.

use async_trait::async_trait;

use super::{LogStore, tools};
use crate::toolset::{Off, Offer, Probe, Toolset};

/// The tool that asks a log store, which works while the store answers. Off where there is none.
pub fn toolset(store: Option<LogStore>) -> Toolset {
    let (name, description) = ("logs", "Stored logs, also of pods that are gone.");
    match store {
        Some(store) => Toolset::new(name, description, store),
        None => Toolset::unset(name, description, "no log store is configured (`logs`)"),
    }
}

#[async_trait]
impl Probe for LogStore {
    async fn probe(&self) -> Result<Offer, Off> {
        self.ready().await.map_err(|error| Off(error.to_string()))?;
        Ok(tools(self.clone()).into())
    }
}
