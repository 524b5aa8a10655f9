//! What pods and nodes use of processors and memory, now: by the metrics API where it is served, else by what the
//! kubelets tell Prometheus (cAdvisor).

mod cadvisor;
mod metrics_api;

use std::collections::BTreeMap;

use serde_json::Value;

use super::field::{items, name, namespace, plain, text};
use super::{Cluster, LookError, quantity};
use crate::prometheus::Prometheus;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Nodes,
    /// Pods of a namespace or of all.
    Pods(Option<String>),
}

/// Cores and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Amount {
    pub(crate) cpu: Option<f64>,
    pub(crate) memory: Option<f64>,
}

impl Amount {
    pub(crate) fn plus(self, other: Self) -> Self {
        let sum = |left: Option<f64>, right: Option<f64>| match (left, right) {
            (Some(left), Some(right)) => Some(left + right),
            (one, other) => one.or(other),
        };
        Self { cpu: sum(self.cpu, other.cpu), memory: sum(self.memory, other.memory) }
    }

    /// The amounts at a field of resources, as `{cpu: 250m, memory: 64Mi}`.
    pub(crate) fn of(resources: &Value) -> Self {
        let amount = |field: &str| resources.get(field).and_then(|value| quantity::parse(&plain(value)));
        Self { cpu: amount("cpu"), memory: amount("memory") }
    }
}

/// Whose use it is: a node by its name alone, or a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Whose {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) container: String,
}

/// What is used, and who tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) used: BTreeMap<Whose, Amount>,
    pub(crate) source: String,
}

/// Where use is told.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    MetricsApi,
    Cadvisor(Prometheus),
}

impl Source {
    /// The first that answers; else why none does.
    pub(crate) async fn find(cluster: &Cluster, prometheus: Option<&Prometheus>) -> Result<Self, String> {
        let served = metrics_api::served(cluster).await;
        let Some(prometheus) = prometheus else {
            return served.map(|()| Self::MetricsApi).map_err(|why| format!("{why}, and no Prometheus is set"));
        };
        match served {
            Ok(()) => Ok(Self::MetricsApi),
            Err(why) => match cadvisor::served(prometheus).await {
                Ok(()) => Ok(Self::Cadvisor(prometheus.clone())),
                Err(other) => Err(format!("{why}, and {other}")),
            },
        }
    }

    /// What is used now.
    pub(crate) async fn read(&self, cluster: &Cluster, scope: &Scope) -> Result<Usage, LookError> {
        match self {
            Self::MetricsApi => metrics_api::read(cluster, scope).await,
            Self::Cadvisor(prometheus) => cadvisor::read(prometheus, scope).await,
        }
    }
}

/// What a container asks for and may have, or what a node has to give as both.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) requests: Amount,
    pub(crate) limits: Amount,
}

/// The bounds of the containers of the pods that are wanted, or of the nodes.
pub(crate) async fn bounds(
    cluster: &Cluster,
    scope: &Scope,
    labels: Option<&str>,
    wanted: impl Fn(&Value) -> bool + Send + Sync,
) -> Result<BTreeMap<Whose, Bounds>, LookError> {
    let mut bounds = BTreeMap::new();
    match scope {
        Scope::Nodes => {
            let kind = cluster.kind("v1/Node").await?;
            let each = |node: Value| {
                if wanted(&node) {
                    let room = node.pointer("/status/allocatable").map(Amount::of).unwrap_or_default();
                    let whose = Whose { name: name(&node).to_owned(), ..Whose::default() };
                    bounds.insert(whose, Bounds { requests: room, limits: room });
                }
            };
            cluster.each(&kind, None, labels, None, each).await?;
        }
        Scope::Pods(space) => {
            let kind = cluster.kind("v1/Pod").await?;
            let each = |pod: Value| {
                if !wanted(&pod) {
                    return;
                }
                for container in ["/spec/initContainers", "/spec/containers"].iter().flat_map(|list| items(&pod, list))
                {
                    let of = |field: &str| container.pointer(field).map(Amount::of).unwrap_or_default();
                    let whose = Whose {
                        namespace: namespace(&pod).unwrap_or_default().to_owned(),
                        name: name(&pod).to_owned(),
                        container: text(container, "/name").unwrap_or_default().to_owned(),
                    };
                    let (requests, limits) = (of("/resources/requests"), of("/resources/limits"));
                    bounds.insert(whose, Bounds { requests, limits });
                }
            };
            cluster.each(&kind, space.as_deref(), labels, None, each).await?;
        }
    }
    Ok(bounds)
}
