//! `kubernetes_logs`: logs of a pod's or a workload's containers, or of all pods that a selector finds.

mod sources;
mod spilled;
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
use self::spilled::Spilled;
use self::written::{Log, Style, Written};
use super::since::since;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::logs::{Level, Spill, Wanted};
use crate::kubernetes::{Cluster, LookError};
use crate::toolbox::Whole;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Lines from the end of each log, unless said otherwise. A search goes through all that the kubelet keeps.
const LINES: u32 = 1_000;

/// How many logs are read at once, and for how long: less than a tool may take, so that what was read is told.
const AT_ONCE: usize = 4;
const READING: Duration = Duration::from_secs(25);

/// What is held of all logs together. Of what is more, an investigation's evidence has the rest.
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

    async fn read<'a>(
        &self,
        sources: Vec<Source>,
        wanted: &Wanted,
        style: Style<'a>,
        whole: Option<&'a Whole<'a>>,
    ) -> Vec<Log<'a>> {
        let until = Instant::now() + READING;
        stream::iter(sources.into_iter().zip((0..).map(lines_of)))
            .map(|(source, part)| async move {
                let mut spilled = whole.map(|whole| Spilled::new(whole, part, style));
                let spill = spilled.as_mut().map(|spilled| spilled as &mut dyn Spill);
                let taken = self.cluster.take_log(&source.request, wanted.clone(), until, spill).await;
                Log { source, taken, spilled: spilled.filter(Spilled::has_begun) }
            })
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    async fn look(&self, arguments: Value, look: &Look, whole: Option<&Whole<'_>>) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let time = |name: &str, text: &Option<String>| -> Result<Option<Timestamp>, ToolError> {
            text.as_deref().map(|text| since(&self.spec.name, name, text, look)).transpose()
        };
        let (from, until) = (time("since", &arguments.since)?, time("until", &arguments.until)?);
        let pattern = arguments.pattern()?;
        let found = sources::pods(&self.cluster, &arguments).await?;
        let clock = Clock::of(look);
        // What is searched for may stand anywhere: the end is taken of what matches.
        let all = arguments.selective() || until.is_some();
        let tail = (!all).then_some(arguments.tail.unwrap_or(LINES));
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
        let verb = if arguments.invert { "don't match" } else { "match" };
        let selective = arguments.selective();
        let style = Style { selective, context: wanted.context > 0, verb, now: look.now, clock };
        let mut logs = self.read(sources, &wanted, style, whole).await;
        if logs.iter().all(|log| log.taken.is_err())
            && let Some(error) = logs.iter().find_map(|log| log.taken.as_ref().err())
            && (explicit || !matches!(error, LookError::NotFound { .. }))
        {
            return Err(error.clone().into());
        }
        let mut written = Written::default();
        let merged = found.pods.len() > 1;
        if merged {
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
        let title = title + &arguments.told();
        if let Some(whole) = whole.filter(|_| logs.iter().any(|log| log.spilled.is_some())) {
            write(&mut logs, &written, merged, whole).await?;
            return Ok(Output { title, object: found.object, view: Some(written.view), ..Output::default() });
        }
        let (content, view) = (written.content(), written.view);
        Ok(Output {
            title,
            object: found.object,
            view: (view != content).then_some(view),
            content,
            ..Output::default()
        })
    }
}

/// Which parts of a text that is too long to be held are what is said of a log, and its lines.
const fn head_of(log: u32) -> u32 {
    2 * log
}

const fn lines_of(log: u32) -> u32 {
    2 * log + 1
}

/// Writes what has not been written of a text that is too long to be held.
async fn write(logs: &mut [Log<'_>], written: &Written, merged: bool, whole: &Whole<'_>) -> Result<(), ToolError> {
    let part = async |number: u32, text: &str| {
        let mut part = whole.part(number);
        part.append(text).await?;
        part.end().await
    };
    let mut sections = written.sections.iter();
    for (number, log) in (0..).zip(&mut *logs) {
        let section = if merged { None } else { sections.next() };
        if let Some(section) = section {
            part(head_of(number), &section.head).await?;
        }
        match (&mut log.spilled, section, &log.taken) {
            (Some(spilled), Some(_), Ok(taken)) => spilled.end(taken.lines.iter()).await?,
            (Some(spilled), _, _) => {
                part(head_of(number), &format!("=== {}: its earlier lines\n", log.source.heading)).await?;
                spilled.end([].iter()).await?;
            }
            (None, Some(section), _) => drop(part(lines_of(number), &section.lines).await?),
            (None, None, _) => {}
        }
    }
    let rest: String = sections.flat_map(|section| [section.head.as_str(), section.lines.as_str()]).collect();
    part(head_of(u32::try_from(logs.len()).unwrap_or(u32::MAX / 4)), &rest).await?;
    Ok(())
}

#[async_trait]
impl Tool for Logs {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        self.look(arguments, look, None).await
    }

    async fn call_whole(&self, arguments: Value, look: &Look, whole: &Whole<'_>) -> Result<Output, ToolError> {
        self.look(arguments, look, Some(whole)).await
    }
}
