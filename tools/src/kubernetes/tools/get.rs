//! `kubernetes_get`: one object as YAML, or a list with the server's columns.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{output, target};
use crate::kubernetes::clock::Clock;
use crate::kubernetes::table::can_list;
use crate::kubernetes::{Cluster, events, reference};
use crate::view::{self, Limits};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// The most events that are read.
const EVENTS: usize = 2_000;

/// One object, or a list.
pub(super) struct Get {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Any kind, plural, short name or group/kind.
    kind: String,
    /// Leave out for a list.
    name: Option<String>,
    /// Leave out for all.
    namespace: Option<String>,
    /// As app=cart,tier!=web.
    label_selector: Option<String>,
    /// As spec.nodeName=n1.
    field_selector: Option<String>,
}

impl Get {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "One object as YAML (Secrets: keys only), or without a name a list as `kubectl get` shows it, the unhealthy first.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_get", description, Effect::Read) }
    }

    async fn one(&self, arguments: &Arguments, name: &str) -> Result<Output, ToolError> {
        let object = self.cluster.get(&target(&arguments.kind, name, arguments.namespace.as_deref())).await?;
        let reference = reference(&object);
        let title = reference.as_ref().map(ToString::to_string).unwrap_or_default();
        let content = view::object(&object);
        Ok(output(title, reference, content, Limits { fold: false, ..Limits::default() }))
    }

    async fn many(&self, arguments: &Arguments, look: &Look) -> Result<Output, ToolError> {
        let kind = self.cluster.kind(&arguments.kind).await?;
        if !can_list(&kind) {
            let text = format!("{} can't be listed; give a name", kind.kind);
            return Err(ToolError::Arguments(text));
        }
        let namespace = arguments.namespace.as_deref().filter(|_| kind.namespaced);
        let (labels, fields) = (arguments.label_selector.as_deref(), arguments.field_selector.as_deref());
        let mut place = namespace.map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        if kind.namespaced && namespace.is_none() {
            " in all namespaces".clone_into(&mut place);
        }
        let selectors = [labels, fields].into_iter().flatten().collect::<Vec<_>>().join(" and ");
        let selected = if selectors.is_empty() { selectors } else { format!(" where {selectors}") };
        if kind.kind == "Event" {
            let read = self.cluster.list("v1/Event", namespace, labels, fields, EVENTS).await?;
            let lines = events::lines(&events::told(&read), Clock::of(look));
            let title = format!("events{place}{selected}");
            let content = if lines.is_empty() { format!("no {title}\n") } else { lines.join("\n") + "\n" };
            return Ok(output(title, None, content, Limits { fold: false, head: 10, ..Limits::default() }));
        }
        let table = self.cluster.table(&kind, namespace, labels, fields, Clock::of(look)).await?;
        let title = format!("{}{place}{selected}", kind.plural);
        if table.len() == 0 {
            return Ok(Output { content: format!("no {title}\n"), title, ..Output::default() });
        }
        let unhealthy = match table.unhealthy() {
            0 => String::new(),
            count => format!(", {count} unhealthy"),
        };
        let content = format!(
            "{} {}{unhealthy}\n{}",
            table.len(),
            kind.plural,
            table.written(kind.namespaced && namespace.is_none())
        );
        Ok(output(title, None, content, Limits::table()))
    }
}

#[async_trait]
impl Tool for Get {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        match &arguments.name {
            Some(name) => self.one(&arguments, name).await,
            None => self.many(&arguments, look).await,
        }
    }
}
