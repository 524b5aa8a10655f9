//! `kubernetes_logs`: logs of a pod's or a workload's containers.

mod filter;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use marple_core::ObjectRef;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::filter::Filter;
use super::since::since;
use super::target;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::family::is_workload;
use crate::kubernetes::field::{items, name, namespace, number, text};
use crate::kubernetes::{Cluster, LogRequest, LookError, pods, reference, selector};
use crate::view::{self, Limits};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Lines from the end of each log, unless said otherwise. A search goes through all that the kubelet keeps.
const LINES: u32 = 1_000;

/// Pods of a workload whose logs are read.
const PODS: usize = 3;

/// How many logs are read at once.
const AT_ONCE: usize = 4;

/// Characters of all logs together that a model is shown, and of one at least.
const SHOWN: usize = 8_000;
const SHOWN_OF_ONE: usize = 1_500;

/// Logs of a pod's or a workload's containers.
pub(super) struct Logs {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Pod (default), or a workload: its worst pods are read.
    kind: Option<String>,
    /// Name.
    name: String,
    /// Namespace.
    namespace: Option<String>,
    /// Leave out for all.
    container: Option<String>,
    /// true: the run before the last restart. Left out: both, where that run failed.
    previous: Option<bool>,
    /// As 15m, or a time.
    since: Option<String>,
    /// Lines from the end; with `grep`, the last that match.
    tail: Option<u32>,
    /// Regular expression; case is ignored.
    grep: Option<String>,
    /// Lines shown around each match.
    context: Option<u32>,
    /// Show the lines that don't match.
    #[serde(default)]
    invert: bool,
}

/// One log to read, and what is known of its container.
struct Source {
    request: LogRequest,
    heading: String,
}

impl Logs {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "Container logs of a pod or workload, searched where `grep` is given, repeats folded.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_logs", description, Effect::Read) }
    }

    /// What was asked for, its pods, the worst first, and how many it has.
    async fn pods(&self, object: &ObjectRef) -> Result<(ObjectRef, Vec<Value>, usize), ToolError> {
        let kind = self.cluster.kind(&object.kind).await?.kind;
        let read = self.cluster.get(object).await?;
        let object = reference(&read).unwrap_or_else(|| object.clone());
        let mut found = match kind.as_str() {
            "Pod" => return Ok((object, vec![read], 1)),
            kind if is_workload(kind) => self.cluster.family(&read).await?.pods,
            "Service" => match read.pointer("/spec/selector").and_then(selector::query) {
                Some(labels) => {
                    let mut found = self.cluster.list("v1/Pod", namespace(&read), Some(&labels), None, 500).await?;
                    pods::worst_first(&mut found);
                    found
                }
                None => vec![],
            },
            other => return Err(ToolError::Arguments(format!("{other} has no logs; give a pod or a workload"))),
        };
        if found.is_empty() {
            return Err(ToolError::NotFound(format!(
                "{object} has no pods, and so no logs; its events may say why (kubernetes_describe)"
            )));
        }
        let count = found.len();
        found.truncate(PODS);
        Ok((object, found, count))
    }

    fn sources(
        pod: &Value,
        arguments: &Arguments,
        since: Option<Timestamp>,
        clock: Clock,
    ) -> Result<Vec<Source>, LookError> {
        let names: Vec<&str> = ["/spec/initContainers", "/spec/containers", "/spec/ephemeralContainers"]
            .iter()
            .flat_map(|list| items(pod, list))
            .filter_map(|container| text(container, "/name"))
            .collect();
        let space = namespace(pod).unwrap_or_default();
        if let Some(wanted) = &arguments.container
            && !names.contains(&wanted.as_str())
        {
            let what = format!("container {wanted} in Pod {space}/{}", name(pod));
            return Err(LookError::NotFound { what, near: names.iter().map(|&name| name.to_owned()).collect() });
        }
        let statuses: Vec<&Value> =
            ["/status/initContainerStatuses", "/status/containerStatuses", "/status/ephemeralContainerStatuses"]
                .iter()
                .flat_map(|list| items(pod, list))
                .collect();
        let mut sources = Vec::new();
        for container in
            names.into_iter().filter(|name| arguments.container.as_deref().is_none_or(|wanted| wanted == *name))
        {
            let status = statuses.iter().find(|status| text(status, "/name") == Some(container));
            let told =
                |pointer: &str| status.and_then(|status| crate::kubernetes::describe::state(status, pointer, clock));
            let (state, last_state) = (told("/state"), told("/lastState"));
            let restarts = status.and_then(|status| number(status, "/restartCount")).unwrap_or_default();
            // A container that waits to be started again still shows the log of its last run as the current one.
            let failed_before = status.is_some_and(|status| {
                status.pointer("/state/running").is_some()
                    && number(status, "/lastState/terminated/exitCode").is_some_and(|code| code != 0)
            });
            let runs: &[bool] = match arguments.previous {
                Some(true) => &[true],
                None if failed_before => &[true, false],
                Some(false) | None => &[false],
            };
            for &previous in runs {
                let mut request = LogRequest::new(space, name(pod));
                request.container = Some(container.to_owned());
                request.previous = previous;
                request.since = since.filter(|_| !previous || arguments.previous == Some(true));
                // What is searched for may stand anywhere: the end is taken of what matches.
                request.tail_lines = arguments.grep.is_none().then_some(arguments.tail.unwrap_or(LINES));
                let shown = if previous { &last_state } else { &state };
                let shown = shown.as_deref().and_then(|state| state.lines().next()).unwrap_or("not started");
                let running = status.is_some_and(|status| status.pointer("/state/running").is_some());
                let run = match (previous, running) {
                    (true, _) => "previous run",
                    (false, true) => "current run",
                    (false, false) => "last run",
                };
                let again = if restarts == 1 { "restart" } else { "restarts" };
                let pod = name(pod);
                let heading = format!("Pod {space}/{pod} container {container}, {run} ({shown}; {restarts} {again})");
                sources.push(Source { request, heading });
            }
        }
        Ok(sources)
    }
}

#[async_trait]
impl Tool for Logs {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let from = arguments.since.as_deref().map(|text| since(&self.spec.name, text, look)).transpose()?;
        let filter = Filter::new(
            arguments.grep.as_deref(),
            arguments.context.unwrap_or_default(),
            arguments.tail,
            arguments.invert,
        )
        .map_err(|fault| ToolError::Arguments(format!("{}: {fault}", self.spec.name)))?;
        let object =
            target(arguments.kind.as_deref().unwrap_or("Pod"), &arguments.name, arguments.namespace.as_deref());
        let (object, pods, count) = self.pods(&object).await?;
        let clock = Clock::of(look);
        let mut sources = Vec::new();
        for pod in &pods {
            sources.extend(Self::sources(pod, &arguments, from, clock)?);
        }
        let explicit = arguments.container.is_some() || sources.len() == 1;
        let logs: Vec<(Source, Result<String, LookError>)> = stream::iter(sources)
            .map(|source| async {
                let log = self.cluster.logs(&source.request).await;
                (source, log)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        if logs.iter().all(|(_, log)| log.is_err())
            && let Some(error) = logs.iter().find_map(|(_, log)| log.as_ref().err())
            && (explicit || !matches!(error, LookError::NotFound { .. }))
        {
            return Err(error.clone().into());
        }
        let (mut content, mut view) = (String::new(), String::new());
        let limits = Limits { characters: (SHOWN / logs.len().max(1)).max(SHOWN_OF_ONE), ..Limits::default() };
        for (source, log) in &logs {
            let body = match log {
                Ok(log) => filter.apply(&view::plain(log)),
                Err(error) => format!("({error})\n"),
            };
            let heading = format!("=== {}\n", source.heading);
            view.extend([heading.as_str(), view::bounded(&body, limits).as_str()]);
            content.extend([heading.as_str(), body.as_str()]);
        }
        if count > pods.len() {
            let note = format!(
                "=== {} more pods were not read; the worst were: name one of them to read it\n",
                count - pods.len()
            );
            content += &note;
            view += &note;
        }
        let title = title(&arguments, &object, &logs);
        Ok(Output {
            title,
            object: Some(object),
            view: (view != content).then_some(view),
            content,
            ..Output::default()
        })
    }
}

fn title(arguments: &Arguments, object: &ObjectRef, logs: &[(Source, Result<String, LookError>)]) -> String {
    let title = match logs {
        [(only, _)] => only.request.title(),
        _ => format!("logs of {object}"),
    };
    if let Some(grep) = &arguments.grep {
        let not = if arguments.invert { "not " } else { "" };
        return format!("{title}, lines {not}matching {grep:?}");
    }
    title
}
