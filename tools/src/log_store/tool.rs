//! `logs_search`: lines of a log store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use marple_core::ObjectRef;
use regex::RegexBuilder;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Level, LogStore, Pods, Search, Selection, Text, Wanted, report, step};
use crate::kubernetes::target;
use crate::moment::moment;
use crate::view::{self, Limits};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Lines that are read unless said otherwise, and at most.
const LINES: u32 = 200;
const MOST: u32 = 2_000;

/// How far before the incident a search begins, and how long it is where there is none.
const BEFORE: Duration = Duration::from_mins(15);
const WITHOUT_INCIDENT: Duration = Duration::from_hours(1);

/// The tools that ask this log store.
pub fn tools(store: LogStore) -> Vec<Arc<dyn Tool>> {
    vec![Arc::new(Logs::new(store))]
}

/// Lines of a log store.
struct Logs {
    store: LogStore,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Pod (default), or a workload.
    kind: Option<String>,
    /// Its name; left out, the whole namespace.
    name: Option<String>,
    namespace: Option<String>,
    container: Option<String>,
    /// Words in the line.
    text: Option<String>,
    regex: Option<String>,
    /// At least.
    level: Option<Level>,
    /// Default 15m before the incident; as -2h or a time.
    since: Option<String>,
    /// Default now.
    until: Option<String>,
    /// Newest lines, default 200.
    limit: Option<u32>,
    /// Instead of the above but times: in the store's language.
    query: Option<String>,
}

impl Logs {
    fn new(store: LogStore) -> Self {
        let description = format!(
            "Stored logs, also of pods that are gone: when lines began, counts over time, repeats folded. `query` is {}.",
            store.language()
        );
        Self { store, spec: arguments::spec::<Arguments>("logs_search", description, Effect::Read) }
    }

    fn wrong(&self, why: impl std::fmt::Display) -> ToolError {
        ToolError::Arguments(format!("{}: {why}", self.spec.name))
    }

    fn search(&self, arguments: &Arguments, look: &Look) -> Result<Search, ToolError> {
        let name = &self.spec.name;
        let read = |argument: &str, text: &Option<String>| {
            text.as_deref().map(|text| moment(name, argument, text, look)).transpose()
        };
        let usual = look.incident_start.map_or(look.now.checked_sub(WITHOUT_INCIDENT).unwrap_or(look.now), |start| {
            start.checked_sub(BEFORE).unwrap_or(start)
        });
        let to = read("until", &arguments.until)?.unwrap_or(look.now);
        let from = read("since", &arguments.since)?.unwrap_or(usual);
        if from >= to {
            return Err(self.wrong(format!("`since` is {from:.0}, which is not before `until`, {to:.0}")));
        }
        let limit = arguments.limit.unwrap_or(LINES).clamp(1, MOST) as usize;
        Ok(Search { wanted: self.wanted(arguments)?, from: step::aligned(from, step::of(from, to)), to, limit })
    }

    fn wanted(&self, arguments: &Arguments) -> Result<Wanted, ToolError> {
        let Arguments { kind, name, namespace, container, text, regex, level, query, .. } = arguments;
        if let Some(query) = query {
            let others = [kind, name, namespace, container, text, regex].iter().any(|argument| argument.is_some());
            if others || level.is_some() {
                return Err(self.wrong("`query` stands for itself: write what the other arguments say into it"));
            }
            return Ok(Wanted::Query(query.clone()));
        }
        let text = match (text, regex) {
            (Some(_), Some(_)) => return Err(self.wrong("give `text` or `regex`, not both")),
            (Some(words), None) => Some(Text::Words(words.clone())),
            (None, Some(pattern)) => {
                RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|error| {
                    self.wrong(format!("argument `regex` is {pattern:?}, which is no regular expression: {error}"))
                })?;
                Some(Text::Regex(pattern.clone()))
            }
            (None, None) => None,
        };
        let object = object(arguments);
        let pods = |object: &ObjectRef| {
            Pods::of(&object.kind, &object.name).ok_or_else(|| {
                let kind = &object.kind;
                self.wrong(format!("the names of a {kind}'s pods can't be told from its own; give a pod or a workload"))
            })
        };
        let namespace = object.as_ref().and_then(|object| object.namespace.clone()).or_else(|| namespace.clone());
        let pods = object.as_ref().map(pods).transpose()?;
        Ok(Wanted::Fitting(Selection { namespace, pods, container: container.clone(), text, level: *level }))
    }
}

#[async_trait]
impl Tool for Logs {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let search = self.search(&arguments, look)?;
        let found = self.store.search(&search).await?;
        let content = report::told(&found, &search, look.incident_start, self.store.language());
        let view = view::bounded(&content, Limits { characters: 8_000, ..Limits::default() });
        Ok(Output {
            title: title(&arguments, &search),
            object: object(&arguments),
            view: (view != content).then_some(view),
            content,
            ..Output::default()
        })
    }
}

/// The object whose pods are meant.
fn object(arguments: &Arguments) -> Option<ObjectRef> {
    let kind = arguments.kind.as_deref().unwrap_or("Pod");
    Some(target(kind, arguments.name.as_deref()?, arguments.namespace.as_deref()))
}

/// As `stored logs of Pod shop/cart-1, level error and worse, saying "refused", 02:45 to …`.
fn title(arguments: &Arguments, search: &Search) -> String {
    let Arguments { namespace, container, text, regex, level, query, .. } = arguments;
    let of = match (object(arguments), namespace) {
        (Some(object), _) => format!(" of {object}"),
        (None, Some(namespace)) => format!(" of namespace {namespace}"),
        (None, None) => String::new(),
    };
    let container = container.as_ref().map(|container| format!(" container {container}")).unwrap_or_default();
    let level = level.map(|level| format!(", level {} and worse", level.name())).unwrap_or_default();
    let text = text.as_ref().map(|text| format!(", saying {text:?}")).unwrap_or_default();
    let regex = regex.as_ref().map(|regex| format!(", matching {regex:?}")).unwrap_or_default();
    let query = query.as_ref().map(|query| format!(" by {query}")).unwrap_or_default();
    format!("stored logs{of}{container}{level}{text}{regex}{query}, {:.0} to {:.0}", search.from, search.to)
}

#[cfg(test)]
mod tests;
