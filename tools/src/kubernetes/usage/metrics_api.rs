//! Use as the metrics API (metrics.k8s.io) tells it.

use serde_json::Value;

use super::{Amount, Scope, Usage, Whose};
use crate::kubernetes::field::{items, name, namespace, text};
use crate::kubernetes::{Cluster, LookError};

const PODS: &str = "metrics.k8s.io/PodMetrics";
const NODES: &str = "metrics.k8s.io/NodeMetrics";

/// Whether it is served and answers.
pub(super) async fn served(cluster: &Cluster) -> Result<(), String> {
    match cluster.list(NODES, None, None, None, 1).await {
        Ok(_) => Ok(()),
        Err(LookError::UnknownKind { .. }) => Err("the metrics API is not served".to_owned()),
        Err(error) => Err(format!("the metrics API can't be used: {error}")),
    }
}

pub(super) async fn read(cluster: &Cluster, scope: &Scope) -> Result<Usage, LookError> {
    let mut usage = Usage { source: "by the metrics API".to_owned(), ..Usage::default() };
    match scope {
        Scope::Nodes => {
            let kind = cluster.kind(NODES).await?;
            let each = |node: Value| {
                let whose = Whose { name: name(&node).to_owned(), ..Whose::default() };
                usage.used.insert(whose, node.get("usage").map(Amount::of).unwrap_or_default());
            };
            cluster.each(&kind, None, None, None, each).await?;
        }
        Scope::Pods(space) => {
            let kind = cluster.kind(PODS).await?;
            let each = |pod: Value| {
                for container in items(&pod, "/containers") {
                    let whose = Whose {
                        namespace: namespace(&pod).unwrap_or_default().to_owned(),
                        name: name(&pod).to_owned(),
                        container: text(container, "/name").unwrap_or_default().to_owned(),
                    };
                    usage.used.insert(whose, container.get("usage").map(Amount::of).unwrap_or_default());
                }
            };
            cluster.each(&kind, space.as_deref(), None, None, each).await?;
        }
    }
    Ok(usage)
}
