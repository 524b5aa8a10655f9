//! `kubernetes_delete_pod`: deletes a pod.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::object::{ObjectPlan, Target};
use super::only_planned;
use crate::kubernetes::{Cluster, Edit, controller};
use crate::{Effect, Look, Output, Plan, Preview, Tool, ToolError, ToolSpec, arguments};

/// Deletes a pod.
pub(super) struct DeletePod {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    namespace: String,
    name: String,
}

impl DeletePod {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "Deletes a pod, when a person approves.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_delete_pod", description, Effect::Write) }
    }
}

#[async_trait]
impl Tool for DeletePod {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn plan(&self, arguments: Value, _look: &Look) -> Result<Option<Box<dyn Plan>>, ToolError> {
        let Arguments { namespace, name } = arguments::parse(&self.spec.name, arguments)?;
        let target = Target::named(&self.cluster, "v1/Pod", Some(&namespace), &name).await?;
        let before = target.read().await?;
        let after = match controller(&before) {
            Some(owner) => format!("{owner} makes another in its place."),
            None => "Nothing makes another: no controller owns it.".to_owned(),
        };
        let object = target.object.clone();
        target.try_out(&Edit::Delete, &before).await?;
        let uid = before.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
        let diff = format!("- {object} (uid {uid})\n{after}\n");
        let preview = Preview {
            title: format!("delete {object}"),
            object: Some(object),
            diff,
            // The uid says all that a deletion rests on.
            basis: String::new(),
        };
        Ok(Some(Box::new(ObjectPlan { target, edit: Edit::Delete, before, preview })))
    }

    async fn call(&self, _arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        Err(only_planned(&self.spec.name))
    }
}
