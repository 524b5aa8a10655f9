//! `kubernetes_scale`: sets how many replicas are wanted.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::object::Target;
use super::only_planned;
use crate::kubernetes::{Cluster, Edit};
use crate::{Effect, Look, Output, Plan, Tool, ToolError, ToolSpec, arguments};

/// Sets the replicas of what can be scaled.
pub(super) struct Scale {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// As Deployment.
    kind: String,
    namespace: String,
    name: String,
    replicas: u32,
}

impl Scale {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "Sets the replicas of a workload, when a person approves.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_scale", description, Effect::Write) }
    }
}

#[async_trait]
impl Tool for Scale {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn plan(&self, arguments: Value, _look: &Look) -> Result<Option<Box<dyn Plan>>, ToolError> {
        let Arguments { kind, namespace, name, replicas } = arguments::parse(&self.spec.name, arguments)?;
        let target = Target::named(&self.cluster, &kind, Some(&namespace), &name).await?;
        let target = Target { subresource: Some("scale"), ..target };
        let before = target.read().await?;
        let now = before.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or_default();
        let title = format!("scale {} from {now} to {replicas}", target.object);
        let edit = Edit::Merge(json!({"spec": {"replicas": replicas}}));
        target.plan(edit, before, title).await.map(Some)
    }

    async fn call(&self, _arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        Err(only_planned(&self.spec.name))
    }
}
