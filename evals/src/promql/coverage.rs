//! What a query would need that was not recorded.
//!
//! Whoever evaluates it, a query over a recording sees what was recorded alone: from a time on, of some namespaces,
//! without native histograms. What it asks for beyond that is told by its form, before it is evaluated: it is refused
//! where nothing of it can be known, and warned of where a part is missing.

use std::collections::BTreeSet;

use jiff::Timestamp;
use marple_core::Labels;
use promql_parser::label::Matchers;
use promql_parser::parser::{AtModifier, Expr, LabelModifier, Offset, VectorSelector};
use regex::Regex;

use super::compile::{back, matchers, milliseconds, parse, since_epoch};
use super::metric::NAME;
use super::select::LOOKBACK;
use super::{QueryError, Store};

/// So many of a query's selectors are named in one warning.
const NAMED: usize = 3;

/// What was recorded of a cluster's metrics.
#[derive(Debug, Default)]
pub struct Coverage {
    /// The time of the first samples, in milliseconds.
    pub from: Option<i64>,
    /// The namespaces whose series were recorded.
    pub namespaces: BTreeSet<String>,
    /// Those that there are beside them.
    pub others: Vec<String>,
    /// The names of metrics that were recorded of all namespaces.
    pub whole: Option<Regex>,
    /// The native histograms, which were not recorded.
    pub histograms: Vec<Labels>,
    /// Why series of any metric are missing, where some are.
    pub cut: Vec<String>,
    /// The metrics of which series are missing, each with why.
    pub left_out: Vec<(String, String)>,
}

/// When a query is evaluated, in milliseconds: at one time, or at each step between two.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The first.
    pub start: i64,
    /// The last.
    pub end: i64,
    /// From one to the next; 0 where there is one alone.
    pub step: i64,
}

/// What can be known of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// By how much later the first time has to be for all to be known, in milliseconds: whole steps, and no more of them than
    /// the query has.
    pub later: i64,
    /// What is missing, in words.
    pub warnings: Vec<String>,
}

/// The times that a part of a query looks at: the earliest; the latest where the whole is evaluated at its first time, and
/// at its last.
#[derive(Clone, Copy)]
struct Span {
    earliest: i64,
    at_first: i64,
    at_last: i64,
    /// Whether it is the same whenever the whole is evaluated.
    fixed: bool,
}

/// What was found in a query.
#[derive(Default)]
struct Found {
    selectors: usize,
    later: i64,
    reaching: Vec<String>,
    merged: BTreeSet<String>,
    /// Which of those that are left out.
    left_out: BTreeSet<usize>,
}

impl Coverage {
    /// What can be known of a query; an error where nothing can. One that can't be read is left to who evaluates it.
    pub fn of(&self, store: &Store, query: &str, times: Times) -> Result<Covered, QueryError> {
        let Ok(expression) = parse(query) else { return Ok(Covered::default()) };
        let span = |start: i64| Span { earliest: start, at_first: start, at_last: times.end, fixed: false };
        let mut found = Found::default();
        self.walk(store, &expression, span(times.start), false, &mut found)?;
        // Up to the next step, where there is one: the last is told with what is missing of it.
        let step = times.step.max(1);
        let last = times.end.saturating_sub(times.start) / step * step;
        let later = (found.later.saturating_add(step - 1) / step * step).min(last);
        if later > 0 {
            found = Found::default();
            self.walk(store, &expression, span(times.start.saturating_add(later)), false, &mut found)?;
        }
        let from = self.from.map(time).unwrap_or_default();
        let mut warnings = Vec::new();
        if later > 0 {
            warnings.push(format!("this incident is recorded from {from}: points before it are left out"));
        }
        if !found.reaching.is_empty() {
            let names = found.reaching.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            warnings.push(format!(
                "{names} reaches back before {from}, from when this incident is recorded: what was before is not counted"
            ));
        }
        for name in found.merged {
            let recorded = self.namespaces.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            warnings.push(format!(
                "{name} is recorded of the namespaces {recorded} alone: series of others are not counted"
            ));
        }
        for (name, why) in found.left_out.into_iter().filter_map(|index| self.left_out.get(index)) {
            warnings.push(format!("not all series of {name} were recorded: {why}"));
        }
        if found.selectors > 0 {
            warnings.extend(self.cut.iter().map(|why| format!("not all series were recorded: {why}")));
        }
        Ok(Covered { later, warnings })
    }

    /// `merged` says whether series of several namespaces become one.
    fn walk(
        &self,
        store: &Store,
        expression: &Expr,
        span: Span,
        merged: bool,
        found: &mut Found,
    ) -> Result<(), QueryError> {
        match expression {
            Expr::Paren(inner) => self.walk(store, &inner.expr, span, merged, found),
            Expr::Unary(inner) => self.walk(store, &inner.expr, span, merged, found),
            Expr::Binary(binary) => {
                self.walk(store, &binary.lhs, span, merged, found)?;
                self.walk(store, &binary.rhs, span, merged, found)
            }
            Expr::Aggregate(aggregate) => {
                let kept = match &aggregate.modifier {
                    Some(LabelModifier::Include(labels)) => labels.labels.iter().any(|label| label == "namespace"),
                    Some(LabelModifier::Exclude(labels)) => labels.labels.iter().all(|label| label != "namespace"),
                    None => false,
                };
                if let Some(parameter) = &aggregate.param {
                    self.walk(store, parameter, span, merged, found)?;
                }
                self.walk(store, &aggregate.expr, span, merged || !kept, found)
            }
            Expr::Call(call) => {
                let of_all = matches!(call.func.name, "absent" | "absent_over_time" | "scalar");
                call.args.args.iter().try_for_each(|argument| self.walk(store, argument, span, merged || of_all, found))
            }
            Expr::Subquery(subquery) => {
                let moved = span.moved(subquery.at.as_ref(), subquery.offset.as_ref(), milliseconds(subquery.range));
                self.walk(store, &subquery.expr, moved, merged, found)
            }
            Expr::VectorSelector(selector) => self.selector(store, selector, 0, span, merged, found),
            Expr::MatrixSelector(matrix) => {
                self.selector(store, &matrix.vs, milliseconds(matrix.range), span, merged, found)
            }
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Ok(()),
        }
    }

    /// `range` is 0 where the latest sample is wanted.
    fn selector(
        &self,
        store: &Store,
        selector: &VectorSelector,
        range: i64,
        span: Span,
        merged: bool,
        found: &mut Found,
    ) -> Result<(), QueryError> {
        let Ok(matchers) = matchers(selector) else { return Ok(()) };
        found.selectors += 1;
        let name = selector.name.clone().unwrap_or_else(|| selector.to_string());
        if self.histograms.iter().any(|labels| meets(&matchers, labels)) {
            return Err(QueryError::Execution(format!(
                "{name} finds native histograms, which are not recorded: only samples that are numbers are"
            )));
        }
        let finds = |metric: &str| matchers.matchers.iter().all(|one| one.name != NAME || one.is_match(metric));
        let left_out = self.left_out.iter().enumerate().filter(|(_, (metric, _))| finds(metric));
        found.left_out.extend(left_out.map(|(index, _)| index));
        let length = if range == 0 { LOOKBACK } else { range };
        let span = span.moved(selector.at.as_ref(), selector.offset.as_ref(), length);
        if let Some(from) = self.from {
            if span.at_last < from {
                return Err(QueryError::Execution(format!(
                    "{name} is asked for at {}, and this incident is recorded from {}: nothing is known of it then",
                    time(span.at_last),
                    time(from)
                )));
            }
            // The latest sample is known where all times are at which it may stand.
            let needed = if range == 0 { from.saturating_add(LOOKBACK) } else { from };
            if !span.fixed {
                found.later = found.later.max(needed.saturating_sub(span.at_first));
            }
            if span.earliest < from {
                let text = if range > 0 { format!("{name}[{}s]", range / 1000) } else { name.clone() };
                found.reaching.extend((!found.reaching.contains(&text)).then_some(text));
            }
        }
        if merged && self.lacks_namespaces(store, &matchers, selector.name.as_deref()) {
            found.merged.insert(name);
        }
        Ok(())
    }

    /// Whether series of namespaces that were not recorded would meet the matchers, as far as can be told.
    fn lacks_namespaces(&self, store: &Store, matchers: &Matchers, name: Option<&str>) -> bool {
        if name.is_some_and(|name| self.whole.as_ref().is_some_and(|whole| whole.is_match(name))) {
            return false;
        }
        let of_namespace = || matchers.matchers.iter().filter(|matcher| matcher.name == "namespace");
        if !self.others.iter().any(|other| of_namespace().all(|matcher| matcher.is_match(other))) {
            return false;
        }
        let series = store.matching(matchers);
        let has_namespace =
            |index: &usize| store.series(*index).is_some_and(|one| one.labels.get("namespace").is_some());
        series.is_empty() || series.iter().any(has_namespace)
    }
}

impl Span {
    /// The times that are looked at so far back, where others are meant.
    fn moved(self, at: Option<&AtModifier>, offset: Option<&Offset>, length: i64) -> Self {
        let offset = back(offset);
        let fixed = match at {
            Some(AtModifier::At(time)) => Some(since_epoch(*time)),
            Some(AtModifier::End) => Some(self.at_last),
            // The first time may be moved, and is looked at all the same.
            Some(AtModifier::Start) => Some(self.at_first),
            None => None,
        };
        let moved = |time: i64| fixed.unwrap_or(time).saturating_sub(offset);
        Self {
            earliest: moved(self.earliest).saturating_sub(length),
            at_first: moved(self.at_first),
            at_last: moved(self.at_last),
            fixed: self.fixed || at.is_some(),
        }
    }
}

/// Whether a series meets all matchers; one of which only the name is known, those of the name.
fn meets(matchers: &Matchers, labels: &Labels) -> bool {
    let known = |name: &str| name == NAME || labels.len() > 1;
    let mut asked = matchers.matchers.iter().filter(|matcher| known(&matcher.name));
    matchers.matchers.iter().any(|matcher| known(&matcher.name))
        && asked.all(|matcher| matcher.is_match(labels.get(&matcher.name).unwrap_or_default()))
}

/// A time as people read it.
fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(|_| milliseconds.to_string(), |time| format!("{time:.0}"))
}
