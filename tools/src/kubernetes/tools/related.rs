//! `kubernetes_related`: how an object hangs together with others.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{output, target};
use crate::kubernetes::clock::Clock;
use crate::kubernetes::related::related;
use crate::kubernetes::{Cluster, reference};
use crate::view::Limits;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// How an object hangs together with others.
pub(super) struct Related {
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

impl Related {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "What owns an object, what it owns, which ConfigMaps, Secrets, volumes and accounts it needs \
                           and which of them or their keys are missing, and which Services, Ingresses or workloads use it.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_related", description, Effect::Read) }
    }
}

#[async_trait]
impl Tool for Related {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let object =
            self.cluster.get(&target(&arguments.kind, &arguments.name, arguments.namespace.as_deref())).await?;
        // Its many concurrent looks make it too large for the stack.
        let content = Box::pin(related(&self.cluster, &object, Clock::of(look))).await;
        let reference = reference(&object);
        let title = reference.as_ref().map(|object| format!("what {object} hangs together with")).unwrap_or_default();
        Ok(output(title, reference, content, Limits { fold: false, head: 70, ..Limits::default() }))
    }
}
