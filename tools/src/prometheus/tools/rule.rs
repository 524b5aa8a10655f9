//! `prometheus_rule`: what an alert means.

use async_trait::async_trait;
use futures::future::join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{counted, instant};
use crate::kubernetes::Clock;
use crate::near::nearest;
use crate::prometheus::expression::Expression;
use crate::prometheus::{self, Prometheus, RuleKind, written};
use crate::view::{self, Limits};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Rules of one name that are told; one for each severity is usual.
const RULES: usize = 4;

/// Active alerts and series of each value that are shown.
const SHOWN: usize = 12;

/// Parts of an expression whose values are asked for.
const PARTS: usize = 4;

/// What an alert means.
pub(super) struct Rule {
    prometheus: Prometheus,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Of the alert, or of a recorded metric.
    name: String,
}

impl Rule {
    pub(super) fn new(prometheus: Prometheus) -> Self {
        let description =
            "An alert's rule: expression, its values now, how long it must hold, state and active alerts.";
        Self { prometheus, spec: arguments::spec::<Arguments>("prometheus_rule", description, Effect::Read) }
    }

    /// The values that the expression's conditions choose among, a block for each part.
    async fn values(&self, expr: &str, at: Timestamp, most: usize) -> String {
        let read = Expression::read(expr);
        let parts: Vec<Expression> = read.iter().flat_map(Expression::parts).take(PARTS).collect();
        let mut queries: Vec<(String, _)> = parts.iter().map(|part| (part.text(), part.unit())).collect();
        if queries.is_empty() {
            queries.push((expr.to_owned(), prometheus::number::Unit::default()));
        }
        let asked =
            queries.into_iter().map(async |(query, unit)| match self.prometheus.instant(&query, Some(at)).await {
                Err(error) => format!("`{query}` could not be asked: {error}\n"),
                Ok(answer) => {
                    let series = answer.answer.into_series();
                    let lines = written::indented(&instant(&series, unit, most));
                    format!("`{query}` now: {} series\n{lines}", series.len())
                }
            });
        join_all(asked).await.concat()
    }

    fn unknown(name: &str, rules: &[prometheus::Rule]) -> ToolError {
        let near = nearest(name, rules.iter().map(|rule| rule.name.as_str()), 5);
        let near = if near.is_empty() { String::new() } else { format!("; similar names: {}", near.join(", ")) };
        if rules.is_empty() {
            return ToolError::NotFound(
                "this server has no rules: with VictoriaMetrics they are vmalert's (`-vmalert.proxyURL`), with Thanos the \
                 ruler's (`--endpoint` of the querier), with Mimir its tenant's"
                    .to_owned(),
            );
        }
        let of = counted(rules.len(), "rule");
        ToolError::NotFound(format!("none of Prometheus's {of} has the name {name:?}{near}"))
    }
}

#[async_trait]
impl Tool for Rule {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let Arguments { name } = arguments::parse(&self.spec.name, arguments)?;
        let rules = self.prometheus.rules().await?;
        let found: Vec<&prometheus::Rule> =
            rules.iter().filter(|rule| rule.name.eq_ignore_ascii_case(name.trim())).collect();
        let Some(first) = found.first() else { return Err(Self::unknown(&name, &rules)) };
        let title = format!("rule {} of Prometheus", first.name);
        let (mut content, mut view) = (String::new(), String::new());
        for rule in found.iter().take(RULES) {
            let values = self.values(&rule.query, look.now, usize::MAX).await;
            let recorded = recorded(&rule.query, &rules);
            let told = |most: usize| written::rule(rule, Clock::of(look), most);
            content += &format!("{}{values}{recorded}", told(usize::MAX));
            let limits = Limits { characters: 3_500, ..Limits::table() };
            view += &format!("{}{}{recorded}", told(SHOWN), view::bounded(&values, limits));
        }
        let more = found.len().saturating_sub(RULES);
        if more > 0 {
            let note = format!("… {more} more rules of this name left out …\n");
            content += &note;
            view += &note;
        }
        Ok(Output { title, view: (view != content).then_some(view), content, ..Output::default() })
    }
}

/// The recording rules whose metrics an expression reads.
fn recorded(expr: &str, rules: &[prometheus::Rule]) -> String {
    let read = Expression::read(expr).map(|expression| expression.metrics()).unwrap_or_default();
    let recording = rules.iter().filter(|rule| rule.kind == RuleKind::Recording && read.contains(&rule.name));
    recording.map(|rule| format!("{} is recorded: {}\n", rule.name, rule.query)).collect()
}
