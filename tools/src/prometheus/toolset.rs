//! The toolset of a Prometheus.

use async_trait::async_trait;

use super::{Prometheus, tools};
use crate::toolset::{Off, Offer, Probe, Toolset};

/// The tools that ask a Prometheus, which work while it answers queries. Off where there is none.
pub fn toolset(prometheus: Option<Prometheus>) -> Toolset {
    let (name, description) = ("prometheus", "Metrics and alerting rules of a Prometheus.");
    match prometheus {
        Some(prometheus) => Toolset::new(name, description, prometheus),
        None => Toolset::unset(name, description, "no Prometheus is configured (`prometheus.url`)"),
    }
}

#[async_trait]
impl Probe for Prometheus {
    async fn probe(&self) -> Result<Offer, Off> {
        // The cheapest query that there is; whatever speaks Prometheus's API answers it.
        self.instant("vector(1)", None).await.map_err(|error| Off(error.to_string()))?;
        let found = self.note().await.map_err(|error| Off(error.to_string()))?;
        Ok(Offer { tools: tools(self.clone()), notes: found.into_iter().collect(), ..Offer::default() })
    }
}
