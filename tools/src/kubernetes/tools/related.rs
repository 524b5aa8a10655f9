//! `kubernetes_related`: how an object hangs together with others.

use async_trait::async_trait;
use marple_core::ObjectRef;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{output, target};
use crate::kubernetes::clock::Clock;
use crate::kubernetes::related::related;
use crate::kubernetes::remembered::remembered;
use crate::kubernetes::{Cluster, LookError, reference};
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
                           and which of them or their keys are missing, and which Services, Ingresses or workloads use it; \
                           of one that is gone, what was.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_related", description, Effect::Read) }
    }
}

impl Related {
    /// What is remembered of an object that is not there; else that it isn't.
    async fn gone(&self, mut object: ObjectRef, error: LookError, look: &Look) -> Result<Output, ToolError> {
        let Some(topology) = self.cluster.topology() else { return Err(error.into()) };
        object.kind.clone_from(&self.cluster.kind(&object.kind).await?.kind);
        match topology.remembered(&object).await {
            Ok(Some(one)) => {
                let content = remembered(&one, Clock::of(look));
                let title = format!("what {object} hung together with");
                Ok(output(title, Some(object), content, Limits { fold: false, head: 70, ..Limits::default() }))
            }
            Ok(None) => Err(error.into()),
            Err(unread) => {
                tracing::warn!(%unread, %object, "it is not told of an object that is gone");
                Err(error.into())
            }
        }
    }
}

#[async_trait]
impl Tool for Related {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let wanted = target(&arguments.kind, &arguments.name, arguments.namespace.as_deref());
        let object = match self.cluster.get(&wanted).await {
            Err(error @ LookError::NotFound { .. }) => return self.gone(wanted, error, look).await,
            read => read?,
        };
        // Its many concurrent looks make it too large for the stack.
        let content = Box::pin(related(&self.cluster, &object, Clock::of(look))).await;
        let reference = reference(&object);
        let title = reference.as_ref().map(|object| format!("what {object} hangs together with")).unwrap_or_default();
        Ok(output(title, reference, content, Limits { fold: false, head: 70, ..Limits::default() }))
    }
}
