//! `kubernetes_get`: one object as YAML, or a list with the server's columns, filtered and counted.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{output, target};
use crate::kubernetes::cel::Expression;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::table::{Choice, Key, can_list};
use crate::kubernetes::{Cluster, Kind, events, reference};
use crate::view::{self, Limits, grouped};
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
    /// CEL, as object.status.phase != 'Running'.
    filter: Option<String>,
    /// Count by columns or fields, as status, spec.nodeName.
    #[serde(default)]
    group_by: Vec<String>,
}

impl Get {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description =
            "One object as YAML (Secrets: keys only), or a list as `kubectl get` shows it, the unhealthy first.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_get", description, Effect::Read) }
    }

    async fn one(&self, arguments: &Arguments, name: &str) -> Result<Output, ToolError> {
        let lists = [
            ("label_selector", arguments.label_selector.is_some()),
            ("field_selector", arguments.field_selector.is_some()),
            ("filter", arguments.filter.is_some()),
            ("group_by", !arguments.group_by.is_empty()),
        ];
        if let Some((argument, _)) = lists.into_iter().find(|(_, given)| *given) {
            let why = format!("{}: `{argument}` chooses from a list: leave it or `name` out", self.spec.name);
            return Err(ToolError::Arguments(why));
        }
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
        let fault = |argument: &str, fault: String| {
            ToolError::Arguments(format!("{}: argument `{argument}`: {fault}", self.spec.name))
        };
        let filter = arguments.filter.as_deref().map(Expression::parse).transpose();
        let filter = filter.map_err(|why| fault("filter", why))?;
        let keys = arguments.group_by.iter().map(|text| Key::parse(text)).collect::<Result<Vec<_>, _>>();
        let keys = keys.map_err(|why| fault("group_by", why))?;
        let choice = Choice {
            namespace: arguments.namespace.as_deref().filter(|_| kind.namespaced),
            labels: arguments.label_selector.as_deref(),
            fields: arguments.field_selector.as_deref(),
            filter: filter.as_ref(),
            keys: &keys,
        };
        let title = title(&kind, choice.namespace, arguments);
        if kind.kind == "Event" && filter.is_none() && keys.is_empty() {
            let read = self.cluster.list("v1/Event", choice.namespace, choice.labels, choice.fields, EVENTS).await?;
            let lines = events::lines(&events::told(&read), Clock::of(look));
            let content = if lines.is_empty() { format!("no {title}\n") } else { lines.join("\n") + "\n" };
            return Ok(output(title, None, content, Limits { fold: false, head: 10, ..Limits::default() }));
        }
        let table = self.cluster.table(&kind, choice, look.now, Clock::of(look)).await?;
        if let Some((count, why)) = table.unjudged().filter(|(count, _)| *count == table.seen()) {
            let of = format!("it says nothing of any of {} {}: {why}", grouped(count), kind.plural);
            return Err(fault("filter", of));
        }
        if table.len() == 0 {
            let of =
                if filter.is_some() { format!(" (of {} looked at)", grouped(table.seen())) } else { String::new() };
            return Ok(Output { content: format!("no {title}{of}\n{}", table.withheld()), title, ..Output::default() });
        }
        let unhealthy = match table.unhealthy() {
            0 => String::new(),
            count => format!(", {} unhealthy", grouped(count)),
        };
        let of = if filter.is_some() { format!(" of {}", grouped(table.seen())) } else { String::new() };
        let spaces = kind.namespaced && choice.namespace.is_none();
        let rows = if keys.is_empty() {
            table.written(spaces)
        } else {
            table.grouped(&keys).map_err(|why| fault("group_by", why))?
        };
        let head = format!("{}{of} {}{unhealthy}\n", grouped(table.len()), kind.plural);
        let folded = if keys.is_empty() && kind.kind == "Pod" { table.folded(spaces) } else { None };
        let mut output = output(title, None, format!("{head}{rows}"), Limits::table());
        if let Some(folded) = folded {
            output.view = Some(view::bounded(&format!("{head}{folded}"), Limits::table()));
        }
        Ok(output)
    }
}

/// As `pods in shop where app=cart, by status`.
fn title(kind: &Kind, namespace: Option<&str>, arguments: &Arguments) -> String {
    let place = match namespace {
        Some(namespace) => format!(" in {namespace}"),
        None if kind.namespaced => " in all namespaces".to_owned(),
        None => String::new(),
    };
    let wanted = [&arguments.label_selector, &arguments.field_selector, &arguments.filter];
    let wanted = wanted.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" and ");
    let wanted = if wanted.is_empty() { wanted } else { format!(" where {wanted}") };
    let by =
        if arguments.group_by.is_empty() { String::new() } else { format!(", by {}", arguments.group_by.join(", ")) };
    format!("{}{place}{wanted}{by}", kind.plural)
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
