//! `prometheus_query`: the values of an expression at a time.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{instant, warnings};
use crate::moment::moment;
use crate::prometheus::expression::Expression;
use crate::prometheus::narrowed::narrowed;
use crate::prometheus::{Answer, Prometheus, Series, absence};
use crate::view::{self, Limits};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Series that a model is shown.
const SHOWN: usize = 40;

/// The values of an expression at a time.
pub(super) struct Query {
    prometheus: Prometheus,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    query: String,
    /// Default now; as -30m or a time.
    time: Option<String>,
}

impl Query {
    pub(super) fn new(prometheus: Prometheus) -> Self {
        let description = "PromQL at one time, the largest values first. Without a result it says what is missing.";
        Self { prometheus, spec: arguments::spec::<Arguments>("prometheus_query", description, Effect::Read) }
    }
}

#[async_trait]
impl Tool for Query {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let Arguments { query, time } = arguments::parse(&self.spec.name, arguments)?;
        let at = time.as_deref().map(|text| moment(&self.spec.name, "time", text, look)).transpose()?;
        let at = at.unwrap_or(look.now);
        let title = format!("PromQL {} at {at:.0}", query.trim());
        let asked = narrowed(&self.prometheus, query.trim(), at).await?;
        let answer = self.prometheus.instant(&asked.query, Some(at)).await?;
        let warned = format!("{}{}", asked.note, warnings(&answer.warnings));
        let text = |content: String| Output { title: title.clone(), content, ..Output::default() };
        let mut series = match answer.answer {
            Answer::Text(content) => return Ok(text(content)),
            other => other.into_series(),
        };
        if series.is_empty() {
            let why = absence::why(&self.prometheus, &query, at).await;
            return Ok(text(format!("no series: nothing fits the query at {at:.0}\n{why}{warned}")));
        }
        if !["sort", "bottomk"].iter().any(|word| query.contains(word)) {
            largest_first(&mut series);
        }
        let unit = Expression::read(&query).map(|expression| expression.unit()).unwrap_or_default();
        let head = format!("{} series\n{warned}", series.len());
        let content = format!("{head}{}", instant(&series, unit, usize::MAX));
        let view = view::bounded(&format!("{head}{}", instant(&series, unit, SHOWN)), Limits::table());
        Ok(Output { view: (view != content).then_some(view), ..text(content) })
    }
}

/// By the value; what is not a number comes last.
fn largest_first(series: &mut [Series]) {
    let value = |series: &Series| series.points.last().map(|point| point.value).filter(|value| !value.is_nan());
    let key = |series: &Series| value(series).unwrap_or(f64::NEG_INFINITY);
    series.sort_by(|left, right| key(right).total_cmp(&key(left)).then_with(|| left.labels.cmp(&right.labels)));
}
