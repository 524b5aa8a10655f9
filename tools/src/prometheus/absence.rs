//! Why a query gave nothing: the usual trap is a name that isn't there.

use std::time::Duration;

use jiff::Timestamp;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::VectorSelector;

use super::expression::{Expression, name};
use super::labels::{self, NAME};
use super::{Prometheus, PrometheusError, Window, selector};
use crate::near::nearest;

/// How many selectors, matchers and comparisons are looked into.
const LOOKED_INTO: usize = 4;

/// How long before the time of a query names and values are looked for.
const BEFORE: Duration = Duration::from_hours(1);

/// Why the query has no result at a time, in lines that say what there is instead.
///
/// The queries that this takes may fail: what is known by then is told, with why no more is.
pub(super) async fn why(prometheus: &Prometheus, query: &str, at: Timestamp) -> String {
    let Some(expression) = Expression::read(query) else { return String::new() };
    let absence = Absence { prometheus, start: at.checked_sub(BEFORE).unwrap_or(at), end: at };
    let mut text = String::new();
    if let Err(error) = absence.tell(&expression, &mut text).await {
        text += &format!("what is missing could not be looked up: {error}\n");
    }
    text
}

struct Absence<'a> {
    prometheus: &'a Prometheus,
    start: Timestamp,
    end: Timestamp,
}

impl Absence<'_> {
    async fn tell(&self, expression: &Expression, text: &mut String) -> Result<(), PrometheusError> {
        if self.behind_comparison(expression, text).await? {
            return Ok(());
        }
        let names = self.prometheus.values(NAME).await?;
        for selector in expression.selectors().iter().take(LOOKED_INTO) {
            match name(selector) {
                Some(metric) if !names.contains(&metric) => *text += &unknown(&metric, &names),
                Some(metric) => *text += &self.of_metric(&metric, selector).await?,
                None => {}
            }
        }
        Ok(())
    }

    /// Whether there are values and only the comparison holds for none of them.
    async fn behind_comparison(&self, expression: &Expression, text: &mut String) -> Result<bool, PrometheusError> {
        let parts = expression.parts();
        if parts.as_slice() == [expression.clone()] {
            return Ok(false);
        }
        let mut found = false;
        for part in parts.iter().take(LOOKED_INTO) {
            let query = part.text();
            let mut series = self.prometheus.instant(&query, Some(self.end)).await?.answer.into_series();
            let value = |series: &super::Series| series.points.first().map_or(f64::NEG_INFINITY, |point| point.value);
            series.sort_by(|left, right| value(right).total_cmp(&value(left)));
            if let (Some(most), Some(least)) = (series.first(), series.last()) {
                let told = |of: &super::Series| {
                    format!("{} {}", labels::told(&of.labels, &labels::common([])), part.unit().told(value(of)))
                };
                *text += &format!(
                    "without its conditions, `{query}` has {} series: from {} to {}\n",
                    series.len(),
                    told(least).trim(),
                    told(most).trim()
                );
                found = true;
            } else {
                *text += &format!("`{query}` has no series\n");
            }
        }
        Ok(found)
    }

    /// Which matcher fits no series of a metric that is there.
    async fn of_metric(&self, metric: &str, selector: &VectorSelector) -> Result<String, PrometheusError> {
        let all = selector::of_metric(metric);
        let wanted = |matcher: &&Matcher| {
            matcher.name != NAME && matches!(matcher.op, MatchOp::Equal | MatchOp::Re(_)) && !matcher.is_match("")
        };
        for matcher in selector.matchers.matchers.iter().filter(wanted).take(LOOKED_INTO) {
            let values = self.prometheus.values_of(&matcher.name, &all, self.start, self.end).await?;
            if values.is_empty() {
                let names = self.prometheus.labels_of(&all, self.start, self.end).await?;
                return Ok(no_label(metric, &matcher.name, &names));
            }
            if !values.iter().any(|value| matcher.is_match(value)) {
                return Ok(no_value(metric, matcher, &values));
            }
        }
        let found = self.prometheus.series(&selector_text(selector), self.start, self.end, 3).await?;
        Ok(match found.first() {
            None if selector.matchers.matchers.is_empty() => format!("{metric} had no series in the hour before\n"),
            None => format!("each matcher of {metric} fits some series, and none fits all of them\n"),
            Some(labels) => format!(
                "{metric} had such series in the hour before, as {}: they ended before that time, or a range in the query holds \
                 fewer than two of their values\n{}",
                labels::told(labels, &labels::common([])),
                self.last(&selector_text(selector)).await?
            ),
        })
    }

    /// The last values of a selector's series in the hour before, the latest first: they may be what was asked for.
    async fn last(&self, selector: &str) -> Result<String, PrometheusError> {
        let window = Window::between(self.start, self.end).aligned();
        let mut series = self.prometheus.range(selector, window).await?.answer;
        let at = |series: &super::Series| series.points.last().map(|point| point.at);
        series.sort_by_key(|series| std::cmp::Reverse(at(series)));
        let told = series.iter().take(LOOKED_INTO).filter_map(|series| {
            let point = series.points.last()?;
            let labels = labels::told(&series.labels, &labels::common([]));
            Some(format!("its last value: {labels} {} at {:.0}\n", point.value, point.at))
        });
        Ok(told.collect())
    }
}

/// A selector without its offset, which the search for series doesn't take.
fn selector_text(selector: &VectorSelector) -> String {
    VectorSelector { offset: None, at: None, ..selector.clone() }.to_string()
}

fn unknown(metric: &str, names: &[String]) -> String {
    // Of a hundred thousand names only those that share a word are compared letter by letter.
    let words: Vec<&str> = metric.split(['_', ':']).filter(|word| word.len() >= 4).collect();
    let related = names.iter().map(String::as_str).filter(|name| words.iter().any(|word| name.contains(word)));
    let mut near = nearest(metric, related, 5);
    if near.is_empty() && names.len() <= 20_000 {
        near = nearest(metric, names.iter().map(String::as_str), 5);
    }
    match near.as_slice() {
        [] => format!("there is no metric {metric}, and none of a similar name; search with prometheus_find\n"),
        near => format!("there is no metric {metric}; similar names: {}\n", near.join(", ")),
    }
}

fn no_label(metric: &str, label: &str, names: &[String]) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != NAME).collect();
    if names.is_empty() {
        return format!("{metric} had no series in the hour before\n");
    }
    format!("{metric} has no label {label}; its labels: {}\n", names.join(", "))
}

fn no_value(metric: &str, matcher: &Matcher, values: &[String]) -> String {
    let near = nearest(&matcher.value, values.iter().map(String::as_str), 5);
    let told = |values: &[&str]| values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(", ");
    let some: Vec<&str> = values.iter().map(String::as_str).take(8).collect();
    match (near.is_empty(), values.len().saturating_sub(some.len())) {
        (false, _) => format!("no series of {metric} has {matcher}; similar values: {}\n", told(&near)),
        (true, 0) => format!("no series of {metric} has {matcher}; its values: {}\n", told(&some)),
        (true, more) => format!("no series of {metric} has {matcher}; its values: {} and {more} more\n", told(&some)),
    }
}
