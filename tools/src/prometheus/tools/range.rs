//! `prometheus_range`: how the values of an expression went over a time.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::Period;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::warnings;
use crate::moment::moment;
use crate::prometheus::expression::Expression;
use crate::prometheus::narrowed::narrowed;
use crate::prometheus::report::{Report, heading};
use crate::prometheus::{Prometheus, Window, absence};
use crate::view::{self, Limits};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Series that a model is shown.
const SHOWN: usize = 10;

/// A report of at most so many bytes is shown whole, each value with its time.
const SHORT: usize = 1_600;

/// The most points of a series.
const POINTS: u64 = 60;

/// How far before the incident a window begins, and how long it is where there is none.
const BEFORE: Duration = Duration::from_mins(30);
const WITHOUT_INCIDENT: Duration = Duration::from_hours(1);

/// How the values of an expression went over a time.
pub(super) struct Range {
    prometheus: Prometheus,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    query: String,
    /// Default 30m before the incident; as -2h or a time.
    start: Option<String>,
    /// Default now.
    end: Option<String>,
    /// As 1m; chosen by default.
    step: Option<String>,
}

impl Range {
    pub(super) fn new(prometheus: Prometheus) -> Self {
        let description =
            "PromQL over a time: changes of level, trend, extremes and gaps of each series, the most changed first.";
        Self { prometheus, spec: arguments::spec::<Arguments>("prometheus_range", description, Effect::Read) }
    }

    fn window(&self, arguments: &Arguments, look: &Look) -> Result<Window, ToolError> {
        let name = &self.spec.name;
        let wrong = |why: String| Err(ToolError::Arguments(format!("{name}: {why}")));
        let read = |argument: &str, text: &Option<String>| {
            text.as_deref().map(|text| moment(name, argument, text, look)).transpose()
        };
        let end = read("end", &arguments.end)?.unwrap_or(look.now);
        let usual = look.incident_start.map_or(look.now.checked_sub(WITHOUT_INCIDENT).unwrap_or(look.now), |start| {
            start.checked_sub(BEFORE).unwrap_or(start)
        });
        let start = read("start", &arguments.start)?.unwrap_or(usual);
        if start >= end {
            return wrong(format!("`start` is {start:.0}, which is not before `end`, {end:.0}"));
        }
        let mut window = Window::between(start, end);
        if let Some(text) = arguments.step.as_deref() {
            let step = text.trim().parse::<Period>().map(Period::duration).ok().filter(|step| !step.is_zero());
            let Some(step) = step else {
                return wrong(format!("argument `step` is {text:?}; wanted is a length of time as 30s or 5m"));
            };
            let points = window.length().as_millis() / step.as_millis().max(1);
            if points > u128::from(POINTS) {
                let least = Period::seconds(window.length().as_secs().div_ceil(POINTS));
                return wrong(format!(
                    "a step of {text} gives {points} points a series; take at least {least}, or none"
                ));
            }
            window.step = step;
        }
        Ok(window.aligned())
    }
}

#[async_trait]
impl Tool for Range {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let window = self.window(&arguments, look)?;
        let query = arguments.query.trim();
        let title = format!("PromQL {query} from {:.0} to {:.0}", window.start, window.end);
        let asked = narrowed(&self.prometheus, query, window.end).await?;
        let answer = self.prometheus.range(&asked.query, window).await?;
        let warned = format!("{}{}", asked.note, warnings(&answer.warnings));
        if answer.answer.is_empty() {
            let content = format!("no series in that time\n{}{warned}", self.absence(query, window.end).await);
            return Ok(Output { title, content, ..Output::default() });
        }
        let unit = Expression::read(query).map(|expression| expression.unit()).unwrap_or_default();
        let report = Report::new(&answer.answer, window, unit);
        let head = format!("{} series {}{warned}", answer.answer.len(), heading(window, look.incident_start));
        let content = format!("{head}{}", report.whole());
        if content.len() <= SHORT {
            return Ok(Output { title, content, ..Output::default() });
        }
        let limits = Limits { characters: 5_000, line: 900, ..Limits::table() };
        let view = view::bounded(&format!("{head}{}", report.brief(SHOWN)), limits);
        Ok(Output { title, view: (view != content).then_some(view), content, ..Output::default() })
    }
}

impl Range {
    async fn absence(&self, query: &str, at: Timestamp) -> String {
        absence::why(&self.prometheus, query, at).await
    }
}
