//! `kubernetes_cordon` and `kubernetes_uncordon`: whether new pods come to a node.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::object::Target;
use super::only_planned;
use crate::kubernetes::{Cluster, Edit};
use crate::{Effect, Look, Output, Plan, Tool, ToolError, ToolSpec, arguments};

/// Keeps new pods from a node, or lets them come again.
pub(super) struct Cordon {
    cluster: Cluster,
    keeps: bool,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    node: String,
}

impl Cordon {
    pub(super) fn new(cluster: Cluster, cordon: bool) -> Self {
        let (name, description) = if cordon {
            ("kubernetes_cordon", "Keeps new pods from a node, when a person approves.")
        } else {
            ("kubernetes_uncordon", "Lets new pods come to a node again, when a person approves.")
        };
        Self { cluster, keeps: cordon, spec: arguments::spec::<Arguments>(name, description, Effect::Write) }
    }
}

#[async_trait]
impl Tool for Cordon {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn plan(&self, arguments: Value, _look: &Look) -> Result<Option<Box<dyn Plan>>, ToolError> {
        let Arguments { node } = arguments::parse(&self.spec.name, arguments)?;
        let target = Target::named(&self.cluster, "v1/Node", None, &node).await?;
        let before = target.read().await?;
        // Absent means that pods may come.
        let wanted = if self.keeps { Value::Bool(true) } else { Value::Null };
        let title = format!("{} {}", if self.keeps { "cordon" } else { "uncordon" }, target.object);
        target.plan(Edit::Merge(json!({"spec": {"unschedulable": wanted}})), before, title).await.map(Some)
    }

    async fn call(&self, _arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        Err(only_planned(&self.spec.name))
    }
}
