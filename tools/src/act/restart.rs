//! `kubernetes_restart`: restarts the rollout of a workload, as `kubectl rollout restart` does.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::object::Target;
use super::only_planned;
use crate::kubernetes::{Cluster, Edit};
use crate::{Effect, Look, Output, Plan, Tool, ToolError, ToolSpec, arguments};

/// What the pod template is marked with; a new mark makes new pods.
const MARK: &str = "kubectl.kubernetes.io/restartedAt";

/// What stands for the mark's value until it is written.
const LATER: &str = "the time of the restart";

/// Kinds that roll out.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
enum Rolled {
    Deployment,
    StatefulSet,
    DaemonSet,
}

/// Restarts a rollout.
pub(super) struct Restart {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    kind: Rolled,
    namespace: String,
    name: String,
}

impl Restart {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "Restarts all pods of a workload by its rollout, when a person approves.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_restart", description, Effect::Write) }
    }
}

#[async_trait]
impl Tool for Restart {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn plan(&self, arguments: Value, look: &Look) -> Result<Option<Box<dyn Plan>>, ToolError> {
        let Arguments { kind, namespace, name } = arguments::parse(&self.spec.name, arguments)?;
        let target = Target::named(&self.cluster, &format!("apps/{kind:?}"), Some(&namespace), &name).await?;
        let before = target.read().await?;
        if before.pointer("/spec/paused") == Some(&Value::Bool(true)) {
            return Err(ToolError::Arguments(format!(
                "the rollout of {} is paused; it can't be restarted",
                target.object
            )));
        }
        let edit =
            Edit::Merge(json!({"spec": {"template": {"metadata": {"annotations": {MARK: look.now.to_string()}}}}}));
        let title = format!("restart {}", target.object);
        let shown = |after: &mut Value| {
            if let Some(Value::Object(annotations)) = after.pointer_mut("/spec/template/metadata/annotations") {
                annotations.insert(MARK.to_owned(), LATER.into());
            }
        };
        target.plan_showing(edit, before, title, shown).await.map(Some)
    }

    async fn call(&self, _arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        Err(only_planned(&self.spec.name))
    }
}
