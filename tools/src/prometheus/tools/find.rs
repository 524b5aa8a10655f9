//! `prometheus_find`: which metrics there are.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use promql_parser::parser::{Expr, parse};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::counted;
use crate::near::nearest;
use crate::prometheus::labels::NAME;
use crate::prometheus::{Metadata, Prometheus, PrometheusError, selector};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Metrics that a model is shown; of the first few the labels are asked for too.
const SHOWN: usize = 40;
const WITH_LABELS: usize = 12;

/// How many questions are asked at once.
const AT_ONCE: usize = 4;

/// How far back metrics are looked for.
const BEFORE: Duration = Duration::from_hours(1);

/// Which metrics there are.
pub(super) struct Find {
    prometheus: Prometheus,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Parts of the name or its help.
    words: Option<String>,
    /// Labels, as namespace="shop".
    matchers: Option<String>,
    /// Tell this label's values instead.
    values_of: Option<String>,
}

impl Find {
    pub(super) fn new(prometheus: Prometheus) -> Self {
        let description =
            "Names of metrics by words or labels, with type, help and label names. Before guessing names.";
        Self { prometheus, spec: arguments::spec::<Arguments>("prometheus_find", description, Effect::Read) }
    }

    /// The matchers as a selector, read and written again: nothing but matchers gets through.
    fn selector(&self, matchers: &str) -> Result<String, ToolError> {
        let inner = matchers.trim().trim_start_matches('{').trim_end_matches('}');
        match parse(&format!("{{{inner}}}")) {
            Ok(Expr::VectorSelector(read)) => Ok(read.to_string()),
            Ok(_) => Err("these are no matchers".to_owned()),
            Err(why) => Err(why),
        }
        .map_err(|why| {
            let name = &self.spec.name;
            ToolError::Arguments(format!(
                "{name}: argument `matchers` is {matchers:?} ({why}); wanted is as namespace=\"shop\",pod=~\"cart-.*\""
            ))
        })
    }

    async fn names(&self, selector: Option<&str>, window: (Timestamp, Timestamp)) -> Result<Vec<String>, ToolError> {
        Ok(match selector {
            Some(selector) => self.prometheus.values_of(NAME, selector, window.0, window.1).await?,
            None => self.prometheus.values(NAME).await?,
        })
    }

    /// The values of a label that hold a word, among the series that a selector finds.
    async fn values(
        &self,
        label: &str,
        word: Option<&str>,
        selector: Option<&str>,
        window: (Timestamp, Timestamp),
    ) -> Result<Output, ToolError> {
        let label = label.trim();
        if !selector::is_label(label) {
            let name = &self.spec.name;
            let why = format!("{name}: argument `values_of` is {label:?}, which is no label's name; wanted is as pod");
            return Err(ToolError::Arguments(why));
        }
        let mut values = match selector {
            Some(selector) => self.prometheus.values_of(label, selector, window.0, window.1).await?,
            None => self.prometheus.values(label).await?,
        };
        let word = word.unwrap_or_default().trim().to_lowercase();
        values.retain(|value| value.to_lowercase().contains(&word));
        let with = selector.map(|selector| format!(" with {selector}")).unwrap_or_default();
        let title = format!("values of the label {label}{with}");
        let head = format!("{}\n", counted(values.len(), "value"));
        let content = format!("{head}{}\n", values.join("\n"));
        let more = values.len().saturating_sub(SHOWN);
        let shown = values.get(..SHOWN).unwrap_or(&values).join("\n");
        let view = (more > 0).then(|| format!("{head}{shown}\n… {more} more left out; narrow it by `words` …\n"));
        Ok(Output { title, content, view, ..Output::default() })
    }

    /// A line a metric; the label names of the first few.
    async fn lines(
        &self,
        found: &[&str],
        about: &BTreeMap<String, Vec<Metadata>>,
        window: (Timestamp, Timestamp),
    ) -> Vec<String> {
        let selectors: Vec<String> = found.iter().take(WITH_LABELS).map(|name| selector::of_metric(name)).collect();
        let asked: Vec<_> =
            selectors.iter().map(|selector| self.prometheus.labels_of(selector, window.0, window.1)).collect();
        let labels: Vec<Result<Vec<String>, PrometheusError>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        let line = |(index, name): (usize, &&str)| {
            let about = metadata(name, about).map(|about| format!(" ({}): {}", about.kind, about.help.trim()));
            let labels = match labels.get(index) {
                Some(Ok(labels)) => {
                    let names: Vec<&str> = labels.iter().map(String::as_str).filter(|label| *label != NAME).collect();
                    format!("; labels {}", names.join(", "))
                }
                Some(Err(error)) => format!("; labels not read: {error}"),
                None => String::new(),
            };
            format!("{name}{}{labels}", about.unwrap_or_default())
        };
        found.iter().enumerate().map(line).collect()
    }
}

#[async_trait]
impl Tool for Find {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let Arguments { words, matchers, values_of } = arguments::parse(&self.spec.name, arguments)?;
        if words.is_none() && matchers.is_none() && values_of.is_none() {
            return Err(ToolError::Arguments(format!("{}: give `words`, `matchers` or `values_of`", self.spec.name)));
        }
        let selector = matchers.as_deref().map(|matchers| self.selector(matchers)).transpose()?;
        let from = look.incident_start.unwrap_or(look.now).min(look.now);
        let window = (from.checked_sub(BEFORE).unwrap_or(from), look.now);
        if let Some(label) = values_of {
            return self.values(&label, words.as_deref(), selector.as_deref(), window).await;
        }
        let names = self.names(selector.as_deref(), window).await?;
        // Without what exporters say of their metrics the names still help.
        let about = self.prometheus.metadata().await.unwrap_or_default();
        let wanted: Vec<String> = words
            .iter()
            .flat_map(|words| words.split([' ', ',', '*']))
            .map(str::to_lowercase)
            .filter(|word| !word.is_empty())
            .collect();
        let of = words.as_ref().map(|words| format!(" of {words:?}")).unwrap_or_default();
        let with = selector.as_ref().map(|selector| format!(" with {selector}")).unwrap_or_default();
        let title = format!("metrics{of}{with}");
        let (found, all) = fitting(&names, &about, &wanted);
        if found.is_empty() {
            let near = nearest(&wanted.join("_"), names.iter().map(String::as_str), 5);
            let near = if near.is_empty() { String::new() } else { format!("; similar names: {}", near.join(", ")) };
            let content = format!("none of {}{with} fits{near}\n", counted(names.len(), "metric"));
            return Ok(Output { title, content, ..Output::default() });
        }
        let lines = self.lines(&found, &about, window).await;
        let some = if all { "" } else { "; none fits all words, these fit some" };
        let head = format!("{} of {}{some}\n", found.len(), counted(names.len(), "metric"));
        let content = format!("{head}{}\n", lines.join("\n"));
        let shown: Vec<&str> = lines.iter().map(String::as_str).take(SHOWN).collect();
        let more = lines.len().saturating_sub(SHOWN);
        let view = (more > 0).then(|| {
            format!("{head}{}\n… {more} more left out; narrow it by more words or by labels …\n", shown.join("\n"))
        });
        Ok(Output { title, content, view, ..Output::default() })
    }
}

/// The names that fit all words, else those that fit most of them; shorter names first. Whether it is all words.
fn fitting<'a>(names: &'a [String], about: &BTreeMap<String, Vec<Metadata>>, words: &[String]) -> (Vec<&'a str>, bool) {
    let mut scored: Vec<(usize, usize, &str)> = names
        .iter()
        .map(|name| {
            let lower = name.to_lowercase();
            let help = metadata(name, about).map(|about| about.help.to_lowercase()).unwrap_or_default();
            let fit = words.iter().filter(|word| lower.contains(*word) || help.contains(*word)).count();
            // A word in the name says more than one in its help.
            let missing = words.iter().filter(|word| !lower.contains(*word)).count();
            (fit, missing, name.as_str())
        })
        .collect();
    let most = scored.iter().map(|(fit, ..)| *fit).max().unwrap_or_default();
    if most == 0 && !words.is_empty() {
        return (Vec::new(), false);
    }
    scored.retain(|(fit, ..)| *fit == most);
    scored.sort_by_key(|(_, missing, name)| (*missing, name.len(), *name));
    (scored.into_iter().map(|(.., name)| name).collect(), most == words.len())
}

/// What is known of a metric; a histogram's parts carry its name with an ending.
fn metadata<'a>(name: &str, about: &'a BTreeMap<String, Vec<Metadata>>) -> Option<&'a Metadata> {
    let family = ["_bucket", "_sum", "_count", "_total"].iter().find_map(|ending| name.strip_suffix(ending));
    about.get(name).or_else(|| about.get(family?)).and_then(|about| about.first())
}
