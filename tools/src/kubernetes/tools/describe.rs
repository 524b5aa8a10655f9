//! `kubernetes_describe`: an object with its state, what it consists of and its events.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{output, target};
use crate::kubernetes::clock::Clock;
use crate::kubernetes::{Cluster, describe, reference};
use crate::view::Limits;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// An object with its state, what it consists of and its events.
pub(super) struct Describe {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Kind.
    kind: String,
    /// Name.
    name: String,
    /// Namespace.
    namespace: Option<String>,
}

/// How much a model is shown: a description is dense, and cutting it costs another look.
const VIEW: Limits = Limits { characters: 9_000, line: 800, head: 70, fold: false };

impl Describe {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "An object's state, conditions and events, and with them: a workload's pods, a pod's containers \
                           with exit reasons and probes, a Service's endpoints, a node's load. Start here.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_describe", description, Effect::Read) }
    }
}

#[async_trait]
impl Tool for Describe {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let object =
            self.cluster.get(&target(&arguments.kind, &arguments.name, arguments.namespace.as_deref())).await?;
        let content = describe::describe(&self.cluster, &object, Clock::of(look)).await;
        let reference = reference(&object);
        let title = reference.as_ref().map(|object| format!("description of {object}")).unwrap_or_default();
        Ok(output(title, reference, content, VIEW))
    }
}
