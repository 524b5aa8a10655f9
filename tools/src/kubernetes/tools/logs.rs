//! `kubernetes_logs`: logs of a pod's or a workload's containers, or of all pods that a selector finds.

mod sources;
mod written;

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use regex::bytes::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use self::sources::Source;
use self::written::{Log, Style, Written};
use super::since::since;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::logs::{Level, Wanted};
use crate::kubernetes::{Cluster, LookError};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Lines from the end of each log, unless said otherwise. A search goes through all that the kubelet keeps.
const LINES: u32 = 1_000;

/// How many logs are read at once, and for how long: less than a tool may take, so that what was read is told.
const AT_ONCE: usize = 4;
const READING: Duration = Duration::from_secs(20);

/// What is kept of all logs together: an eighth of what an incident's evidence may have.
const KEPT: usize = 8 << 20;

/// The most lines around a match.
const CONTEXT: u32 = 50;

/// Logs of containers.
pub(super) struct Logs {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Pod (default), workload or Service.
    kind: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    /// Instead of a name.
    label_selector: Option<String>,
    container: Option<String>,
    /// The run before the last restart. Left out: both, where that failed.
    previous: Option<bool>,
    /// As 15m, or a time.
    since: Option<String>,
    until: Option<String>,
    /// Lines from the end; with `grep`, the last that match.
    tail: Option<u32>,
    /// Regular expression, case ignored.
    grep: Option<String>,
    /// Lines around each match.
    context: Option<u32>,
    /// Lines that don't match.
    #[serde(default)]
    invert: bool,
    /// At least so severe.
    level: Option<Severity>,
}

/// How severe lines must be.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Error,
    Warning,
}

impl Arguments {
    fn pattern(&self) -> Result<Option<Regex>, ToolError> {
        let compile = |pattern: &String| {
            RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build().map_err(|error| {
                ToolError::Arguments(format!(
                    "kubernetes_logs: argument `grep` is {pattern:?}, which is no regular expression: {error}; a literal \
                     bracket or parenthesis needs a backslash"
                ))
            })
        };
        self.grep.as_ref().map(compile).transpose()
    }

    /// Whether only some of the lines are asked for, so that all must be read to find them.
    const fn selective(&self) -> bool {
        self.grep.is_some() || self.level.is_some()
    }

    /// As `, errors matching "refused"`.
    fn told(&self) -> String {
        let level = match self.level {
            Some(Severity::Error) => ", errors",
            Some(Severity::Warning) => ", warnings and errors",
            None => "",
        };
        let lines = if self.level.is_none() { ", lines" } else { "" };
        let not = if self.invert { "not " } else { "" };
        let grep = self.grep.as_ref().map(|grep| format!("{lines} {not}matching {grep:?}")).unwrap_or_default();
        format!("{level}{grep}")
    }
}

impl Logs {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "Container logs of a pod, workload or selector; several pods are merged by time. Errors first, \
                           repeats folded.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_logs", description, Effect::Read) }
    }

    async fn read(&self, sources: Vec<Source>, wanted: &Wanted) -> Vec<Log> {
        let until = Instant::now() + READING;
        stream::iter(sources)
            .map(|source| async {
                let taken = self.cluster.take_log(&source.request, wanted.clone(), until).await;
                Log { source, taken }
            })
            .buffered(AT_ONCE)
            .collect()
            .await
    }
}

#[async_trait]
impl Tool for Logs {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let time = |name: &str, text: &Option<String>| -> Result<Option<Timestamp>, ToolError> {
            text.as_deref().map(|text| since(&self.spec.name, name, text, look)).transpose()
        };
        let (from, until) = (time("since", &arguments.since)?, time("until", &arguments.until)?);
        let pattern = arguments.pattern()?;
        let found = sources::pods(&self.cluster, &arguments).await?;
        let clock = Clock::of(look);
        // What is searched for may stand anywhere: the end is taken of what matches.
        let whole = arguments.selective() || until.is_some();
        let tail = (!whole).then_some(arguments.tail.unwrap_or(LINES));
        let (mut sources, mut lacking) = (Vec::new(), None);
        for pod in &found.pods {
            match sources::of_pod(pod, &arguments, from, tail, clock) {
                Ok(of_pod) => sources.extend(of_pod),
                // Of several pods some may lack the container.
                Err(error) => lacking = Some(error),
            }
        }
        if let Some(error) = lacking.filter(|_| sources.is_empty()) {
            return Err(error.into());
        }
        let explicit = arguments.container.is_some() || sources.len() == 1;
        let wanted = Wanted {
            pattern,
            invert: arguments.invert,
            level: arguments.level.map(|level| match level {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
            }),
            until,
            context: arguments.context.unwrap_or_default().min(CONTEXT) as usize,
            last: arguments.tail.map_or(usize::MAX, |tail| usize::try_from(tail).unwrap_or(usize::MAX)),
            bytes: KEPT / sources.len().max(1),
            timestamps: true,
        };
        let logs = self.read(sources, &wanted).await;
        if logs.iter().all(|log| log.taken.is_err())
            && let Some(error) = logs.iter().find_map(|log| log.taken.as_ref().err())
            && (explicit || !matches!(error, LookError::NotFound { .. }))
        {
            return Err(error.clone().into());
        }
        let verb = if arguments.invert { "don't match" } else { "match" };
        let selective = arguments.selective();
        let style = Style { selective, context: wanted.context > 0, verb, now: look.now, clock };
        let mut written = Written::default();
        if found.pods.len() > 1 {
            written.merged(&logs, style);
        } else {
            written.apart(&logs, style);
        }
        if found.more > 0 {
            written.line(&format!(
                "=== {} more pods were not read; the worst were: name one of them to read it",
                found.more
            ));
        }
        let title = match logs.as_slice() {
            [only] => only.source.request.title(),
            _ => format!("logs of {}", found.told),
        };
        let Written { content, view } = written;
        Ok(Output {
            title: title + &arguments.told(),
            object: found.object,
            view: (view != content).then_some(view),
            content,
            ..Output::default()
        })
    }
}
