//! `kubernetes_events`: what the cluster's components said.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::since::since;
use super::{output, target};
use crate::kubernetes::clock::Clock;
use crate::kubernetes::family::is_workload;
use crate::kubernetes::field::text;
use crate::kubernetes::{Cluster, LookError, describe, events, reference};
use crate::view::Limits;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// The most events that are read over all namespaces.
const EVERYWHERE: usize = 2_000;

/// What the cluster's components said.
pub(super) struct Events {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Leave out for all.
    namespace: Option<String>,
    /// Kind of the object they are about.
    kind: Option<String>,
    /// Its name, or a UID; a workload's include its pods'.
    name: Option<String>,
    /// Only warnings.
    #[serde(default)]
    warnings: bool,
    /// As 30m, or a time.
    since: Option<String>,
}

impl Events {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "Events of an object, a namespace or the cluster, repeats folded, the latest last.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_events", description, Effect::Read) }
    }

    /// The events and whose they are.
    async fn read(
        &self,
        arguments: &Arguments,
    ) -> Result<(Vec<Value>, String, Option<marple_core::ObjectRef>), ToolError> {
        let namespace = arguments.namespace.as_deref();
        match (&arguments.kind, &arguments.name) {
            (Some(kind), Some(name)) => {
                let mut object = target(kind, name, namespace);
                self.cluster.kind(kind).await?.kind.clone_into(&mut object.kind);
                // Events outlive their object: one that is gone may still tell why.
                let mut about = match self.cluster.get(&object).await {
                    Ok(found) if is_workload(&object.kind) => {
                        let mut about: Vec<_> = reference(&found).into_iter().collect();
                        about.extend(self.cluster.family(&found).await?.references());
                        about
                    }
                    Ok(found) => {
                        let of = reference(&found);
                        let title = format!("events of {}", of.as_ref().unwrap_or(&object));
                        return Ok((self.cluster.events_about(&found).await?, title, of));
                    }
                    Err(LookError::NotFound { near, .. }) if object.namespace.is_none() => {
                        let what = format!("{} {} in any namespace", object.kind, object.name);
                        return Err(LookError::NotFound { what, near }.into());
                    }
                    Err(LookError::NotFound { .. } | LookError::Forbidden { .. }) => vec![],
                    Err(error) => return Err(error.into()),
                };
                if about.is_empty() {
                    about.push(object);
                }
                let of = about.first().cloned();
                let with = if about.len() > 1 { " and what it consists of" } else { "" };
                let title = format!("events of {}{with}", of.as_ref().map(ToString::to_string).unwrap_or_default());
                Ok((describe::of_objects(&self.cluster, &about).await?, title, of))
            }
            (None, Some(uid)) if is_uid(uid) => {
                let read = self.cluster.events_of_uid(uid.trim(), namespace).await?;
                Ok((read, format!("events of the object with the identifier {uid}"), None))
            }
            (None, Some(_)) => Err(ToolError::Arguments(format!("{}: a name needs its kind", self.spec.name))),
            (kind, None) => {
                let fields = match kind {
                    Some(kind) => Some(format!("involvedObject.kind={}", self.cluster.kind(kind).await?.kind)),
                    None => None,
                };
                let read = self.cluster.list("v1/Event", namespace, None, fields.as_deref(), EVERYWHERE).await?;
                let place =
                    namespace.map_or_else(|| "in all namespaces".to_owned(), |namespace| format!("in {namespace}"));
                let kind = kind.as_ref().map(|kind| format!(" about {kind}")).unwrap_or_default();
                Ok((read, format!("events {place}{kind}"), None))
            }
        }
    }
}

/// Whether a name is an object's identifier: 36 letters, as a UUID.
fn is_uid(name: &str) -> bool {
    let name = name.trim();
    name.len() == 36
        && name.matches('-').count() == 4
        && name.bytes().all(|letter| letter == b'-' || letter.is_ascii_hexdigit())
}

#[async_trait]
impl Tool for Events {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let from = arguments.since.as_deref().map(|text| since(&self.spec.name, "since", text, look)).transpose()?;
        let (mut read, mut title, object) = self.read(&arguments).await?;
        let before = read.len();
        if arguments.warnings {
            read.retain(|event| text(event, "/type") == Some("Warning"));
            title += ", warnings only";
        }
        if let Some(from) = from {
            read.retain(|event| events::last_seen(event).is_none_or(|at| at >= from));
            title = format!("{title}, since {from:.0}");
        }
        let clock = Clock::of(look);
        let lines = events::lines(&events::told(&read), clock);
        let content = if lines.is_empty() {
            let others =
                if before > 0 { format!("; {before} others don't fit what was asked for") } else { String::new() };
            format!("no events{others}. Events are kept for an hour by default.\n")
        } else {
            let legend = clock.legend().map(|legend| legend + "\n").unwrap_or_default();
            format!("{legend}{}\n", lines.join("\n"))
        };
        Ok(output(title, object, content, Limits { fold: false, head: 10, ..Limits::default() }))
    }
}
