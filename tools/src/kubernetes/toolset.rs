//! The toolset of a cluster.

use std::sync::Arc;

use async_trait::async_trait;

use super::usage::Source;
use super::{Cluster, tools};
use crate::prometheus::Prometheus;
use crate::toolset::{Off, Offer, Probe, Toolset};

/// The tools over a cluster, which work while its API server tells what it serves. Off where there is no cluster.
///
/// Two are offered only where they can tell something: `kubernetes_top` where the metrics API is served or Prometheus
/// has the kubelets' metrics, `kubernetes_releases` where Helm, Argo CD or Flux delivers.
pub fn toolset(cluster: Option<Cluster>, prometheus: Option<Prometheus>) -> Toolset {
    let (name, description) =
        ("kubernetes", "Objects, events, logs, rollouts, use, rights and releases of the cluster.");
    match cluster {
        Some(cluster) => Toolset::new(name, description, Looks { cluster, prometheus }),
        None => Toolset::unset(name, description, "no cluster is configured (`cluster.enabled`)"),
    }
}

/// The tools that can be used on a cluster now, and why others can't.
pub async fn offer(cluster: &Cluster, prometheus: Option<&Prometheus>) -> Result<Offer, Off> {
    cluster.rediscover().await.map_err(|error| Off(error.to_string()))?;
    let mut offer = Offer::from(tools::tools(cluster.clone()));
    let (source, delivers) = tokio::join!(Source::find(cluster, prometheus), cluster.delivers());
    match source {
        Ok(_) => offer.tools.push(Arc::new(tools::Top::new(cluster.clone(), prometheus.cloned()))),
        Err(why) => offer.notes.push(format!("kubernetes_top is left out: {why}")),
    }
    match delivers {
        Ok(()) => offer.tools.push(Arc::new(tools::ReleasesTool::new(cluster.clone()))),
        Err(why) => offer.notes.push(format!("kubernetes_releases is left out: {why}")),
    }
    Ok(offer)
}

struct Looks {
    cluster: Cluster,
    prometheus: Option<Prometheus>,
}

#[async_trait]
impl Probe for Looks {
    async fn probe(&self) -> Result<Offer, Off> {
        offer(&self.cluster, self.prometheus.as_ref()).await
    }
}
