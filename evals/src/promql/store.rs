//! Recorded series, ready to be queried.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use marple_core::Labels;
use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::Expr;

use super::compile::Compiler;
use super::evaluate::Evaluation;
use super::metric::NAME;
use super::plan::Plan;
use super::{QueryError, compile};
use crate::bundle::{Sample, Series};

/// The most steps of a range query: Prometheus's own bound.
const STEPS_LIMIT: i64 = 11_000;

/// One element of an instant vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Its labels.
    pub labels: Arc<Labels>,
    /// Its value.
    pub value: f64,
}

/// The points of one series of a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// Its labels.
    pub labels: Arc<Labels>,
    /// Times in milliseconds, with values, oldest first.
    pub points: Vec<(i64, f64)>,
}

/// The answer of an instant query.
#[derive(Clone, Debug, PartialEq)]
pub enum Result {
    /// A number.
    Scalar(f64),
    /// A text.
    Text(String),
    /// Elements, one a label set.
    Vector(Vec<Element>),
    /// Series with their samples.
    Matrix(Vec<Points>),
}

/// Recorded series, ready to be queried.
#[derive(Debug)]
pub struct Store {
    series: Vec<Series>,
    by_name: HashMap<String, Vec<usize>>,
    evaluation_interval_ms: i64,
}

impl Store {
    /// Makes these series ready. The interval is a subquery's step where it names none.
    pub fn new(series: &[Series], evaluation_interval_ms: i64) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, Series { labels, .. }) in series.iter().enumerate() {
            by_name.entry(labels.get(NAME).unwrap_or_default().to_owned()).or_default().push(index);
        }
        Self { series: series.to_vec(), by_name, evaluation_interval_ms: evaluation_interval_ms.max(1) }
    }

    /// Evaluates a query at one time, in milliseconds since 1970.
    pub fn instant(&self, query: &str, at: i64) -> std::result::Result<Result, QueryError> {
        let plan = self.plan(query, at, at)?;
        let evaluation = Evaluation::new(self);
        match plan {
            Plan::Scalar(scalar) => Ok(Result::Scalar(evaluation.scalar(&scalar, at)?)),
            Plan::Text(text) => Ok(Result::Text(text)),
            Plan::Vector(vector) => Ok(Result::Vector(evaluation.vector(&vector, at)?)),
            Plan::Range(range) => Ok(Result::Matrix(evaluation.range(&range, at)?)),
        }
    }

    /// Evaluates a query at each step between two times, both inclusive, all in milliseconds.
    pub fn range(&self, query: &str, start: i64, end: i64, step: i64) -> std::result::Result<Vec<Points>, QueryError> {
        let bad = |message: &str| Err(QueryError::BadData(message.to_owned()));
        if end < start {
            return bad("invalid parameter \"end\": end timestamp must not be before start time");
        }
        if step <= 0 {
            return bad(
                "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer",
            );
        }
        if end.saturating_sub(start) / step >= STEPS_LIMIT {
            return bad(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
            );
        }
        let plan = self.plan(query, start, end)?;
        let evaluation = Evaluation::new(self);
        let mut found: HashMap<Arc<Labels>, Vec<(i64, f64)>> = HashMap::new();
        let mut at = start;
        while at <= end {
            evaluation.step()?;
            match &plan {
                Plan::Scalar(scalar) => {
                    found.entry(Arc::default()).or_default().push((at, evaluation.scalar(scalar, at)?));
                }
                Plan::Vector(vector) => {
                    for Element { labels, value } in evaluation.vector(vector, at)? {
                        found.entry(labels).or_default().push((at, value));
                    }
                }
                Plan::Text(_) => return invalid_type("string"),
                Plan::Range(_) => return invalid_type("range vector"),
            }
            let Some(next) = at.checked_add(step) else { break };
            at = next;
        }
        let mut matrix: Vec<Points> = found.into_iter().map(|(labels, points)| Points { labels, points }).collect();
        matrix.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(matrix)
    }

    /// The label sets that a selector, as `up{job="x"}`, finds with a sample between two times.
    pub fn select(&self, selector: &str, start: i64, end: i64) -> std::result::Result<Vec<&Labels>, QueryError> {
        match compile::parse(selector)? {
            Expr::VectorSelector(selector) => {
                let matchers = compile::matchers(&selector)?;
                let found = self.matching(&matchers).into_iter().filter_map(|index| self.series.get(index));
                Ok(found
                    .filter(|series| has_sample(&series.samples, start, end))
                    .map(|series| &*series.labels)
                    .collect())
            }
            _ => Err(QueryError::BadData(
                "invalid parameter \"match[]\": it must be an instant vector selector".to_owned(),
            )),
        }
    }

    /// All label sets with a sample between two times.
    pub fn all(&self, start: i64, end: i64) -> Vec<&Labels> {
        self.series.iter().filter(|one| has_sample(&one.samples, start, end)).map(|one| &*one.labels).collect()
    }

    /// The series that meet all matchers, in the order of their labels.
    pub(super) fn matching(&self, matchers: &Matchers) -> Vec<usize> {
        let name =
            matchers.matchers.iter().find(|matcher| matcher.name == NAME && matches!(matcher.op, MatchOp::Equal));
        let candidates: BTreeSet<usize> = match name {
            Some(matcher) => self.by_name.get(&matcher.value).into_iter().flatten().copied().collect(),
            None => (0..self.series.len()).collect(),
        };
        let meets = |index: &usize| {
            self.series.get(*index).is_some_and(|series| {
                matchers.matchers.iter().all(|one| one.is_match(series.labels.get(&one.name).unwrap_or_default()))
            })
        };
        candidates.into_iter().filter(meets).collect()
    }

    pub(super) fn series(&self, index: usize) -> Option<&Series> {
        self.series.get(index)
    }

    fn plan(&self, query: &str, start: i64, end: i64) -> std::result::Result<Plan, QueryError> {
        let expression = compile::parse(query)?;
        Compiler { store: self, start, end, step: self.evaluation_interval_ms }.plan(&expression)
    }
}

fn has_sample(samples: &[Sample], start: i64, end: i64) -> bool {
    let from = samples.partition_point(|sample| sample.at < start);
    samples
        .get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(|sample| sample.at <= end)
        .any(|sample| !sample.is_stale())
}

fn invalid_type<T>(found: &str) -> std::result::Result<T, QueryError> {
    Err(QueryError::BadData(format!(
        "invalid expression type \"{found}\" for range query, must be Scalar or instant Vector"
    )))
}
