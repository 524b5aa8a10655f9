//! `kubernetes_patch`: patches an object.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::object::Target;
use super::only_planned;
use crate::kubernetes::{Cluster, Edit};
use crate::{Effect, Look, Output, Plan, Tool, ToolError, ToolSpec, arguments};

/// The longest patch: a person must be able to read it.
const LONGEST: usize = 16 << 10;

/// Kinds whose objects are never changed: their values must not be seen, so a change of them can't be shown.
const NEVER: [&str; 1] = ["Secret"];

/// Patches an object.
pub(super) struct Patch {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Form {
    #[default]
    Strategic,
    Merge,
    Json,
    Apply,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    kind: String,
    namespace: Option<String>,
    name: String,
    /// JSON.
    patch: String,
    /// Default strategic; merge for custom kinds.
    form: Option<Form>,
}

impl Patch {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "Patches an object, when a person approves. Not Secrets.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_patch", description, Effect::Write) }
    }
}

/// The edit that a text of JSON comes to.
fn edit(patch: &str, form: Form) -> Result<Edit, ToolError> {
    let wrong = |why: &str| ToolError::Arguments(format!("`patch` {why}"));
    if patch.len() > LONGEST {
        return Err(wrong(&format!("has {} bytes; at most {LONGEST} are shown to a person", patch.len())));
    }
    let value: Value = serde_json::from_str(patch).map_err(|error| wrong(&format!("is no JSON: {error}")))?;
    match (form, value) {
        (Form::Json, Value::Array(operations)) if !operations.is_empty() => Ok(Edit::Json(operations)),
        (Form::Json, _) => Err(wrong("is no list of operations, as a JSON patch (RFC 6902) is")),
        (Form::Strategic, value @ Value::Object(_)) => Ok(Edit::Strategic(value)),
        (Form::Merge, value @ Value::Object(_)) => Ok(Edit::Merge(value)),
        (Form::Apply, value @ Value::Object(_)) => Ok(Edit::Apply(value)),
        _ => Err(wrong("is no JSON object; for a list of operations set `form` to json")),
    }
}

#[async_trait]
impl Tool for Patch {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn plan(&self, arguments: Value, _look: &Look) -> Result<Option<Box<dyn Plan>>, ToolError> {
        let Arguments { kind, namespace, name, patch, form } = arguments::parse(&self.spec.name, arguments)?;
        let edit = edit(&patch, form.unwrap_or_default())?;
        let target = Target::named(&self.cluster, &kind, namespace.as_deref(), &name).await?;
        if NEVER.contains(&target.kind.kind.as_str()) {
            return Err(ToolError::Forbidden(format!(
                "{}s are never changed; propose it as a remedy",
                target.kind.kind
            )));
        }
        let before = target.read().await?;
        let title = format!("patch {}", target.object);
        target.plan(edit, before, title).await.map(Some)
    }

    async fn call(&self, _arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        Err(only_planned(&self.spec.name))
    }
}
