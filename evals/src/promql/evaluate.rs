//! Evaluates plans at a time.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use marple_core::Labels;

use super::metric::nameless;
use super::plan::{Map, Range, Scalar, Source, Vector};
use super::select;
use super::store::{Element, Points, Store};
use super::{QueryError, aggregate, binary, calendar, histogram, matching, over, relabel};

/// The most samples that one query may read: Prometheus's `--query.max-samples`.
const SAMPLES_LIMIT: usize = 50_000_000;

/// The longest that one query may take: whoever asked has gone by then.
const QUERY: Duration = Duration::from_secs(30);

/// So many evaluations of the inside of a subquery go by between two looks at the clock.
const UNTIMED: usize = 256;

/// One query's evaluation.
pub(super) struct Evaluation<'a> {
    store: &'a Store,
    read: Cell<usize>,
    steps: Cell<usize>,
    until: Instant,
}

type Evaluated<T> = Result<T, QueryError>;

impl<'a> Evaluation<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self::until(store, Instant::now() + QUERY)
    }

    pub(super) fn until(store: &'a Store, until: Instant) -> Self {
        Self { store, read: Cell::new(0), steps: Cell::new(0), until }
    }

    pub(super) fn scalar(&self, scalar: &Scalar, at: i64) -> Evaluated<f64> {
        Ok(match scalar {
            Scalar::Number(number) => *number,
            Scalar::Time => seconds(at),
            Scalar::Of(vector) => match self.vector(vector, at)?.as_slice() {
                [one] => one.value,
                _ => f64::NAN,
            },
            Scalar::Negative(scalar) => -self.scalar(scalar, at)?,
            Scalar::Binary { operator, left, right } => {
                operator.number(self.scalar(left, at)?, self.scalar(right, at)?)
            }
        })
    }

    pub(super) fn vector(&self, vector: &Vector, at: i64) -> Evaluated<Vec<Element>> {
        match vector {
            Vector::Select(selector) => {
                let found = select::latest(self.store, selector, at);
                self.count(found.len())?;
                Ok(found.into_iter().map(|(labels, sample)| Element { labels, value: sample.value }).collect())
            }
            Vector::SampleTimes(selector) => {
                let found = select::latest(self.store, selector, at);
                self.count(found.len())?;
                let time = |(labels, sample): (Arc<Labels>, crate::bundle::Sample)| Element {
                    labels: nameless(&labels),
                    value: seconds(sample.at),
                };
                unique(found.into_iter().map(time).collect())
            }
            Vector::Times(of) => unique(self.mapped(of, at, |_| seconds(at))?),
            Vector::Constant(scalar) => Ok(vec![Element { labels: Arc::default(), value: self.scalar(scalar, at)? }]),
            Vector::Map { function, of } => unique(self.map(function, of, at)?),
            Vector::Calendar { field, of: Some(of) } => {
                unique(self.mapped(of, at, |value| calendar::of(*field, value))?)
            }
            Vector::Calendar { field, of: None } => {
                Ok(vec![Element { labels: Arc::default(), value: calendar::of(*field, seconds(at)) }])
            }
            Vector::Over { function, range } => self.over(function, range, at),
            Vector::Absent { of, labels } => {
                let there = !self.vector(of, at)?.is_empty();
                Ok(absent(there, labels))
            }
            Vector::AbsentOver { range, labels } => {
                let there = !self.range(range, at)?.is_empty();
                Ok(absent(there, labels))
            }
            Vector::Aggregate { aggregation, grouping, of } => {
                let parameter = aggregation.parameter().map(|scalar| self.scalar(scalar, at)).transpose()?;
                aggregate::aggregate(aggregation, parameter, grouping, self.vector(of, at)?)
            }
            Vector::Scalewise { operator, returns_bool, scalar_first, vector, scalar } => {
                let scalar = self.scalar(scalar, at)?;
                let vector = self.vector(vector, at)?;
                unique(binary::with_scalar(*operator, *returns_bool, *scalar_first, vector, scalar))
            }
            Vector::Pairwise { operator, returns_bool, matching, left, right } => {
                let (left, right) = (self.vector(left, at)?, self.vector(right, at)?);
                unique(binary::with_vector(*operator, *returns_bool, matching, left, right)?)
            }
            Vector::Set { operator, matching, left, right } => {
                let (left, right) = (self.vector(left, at)?, self.vector(right, at)?);
                unique(matching::combine(*operator, matching, left, right))
            }
            Vector::LabelReplace { of, target, replacement, source, regex } => {
                unique(relabel::replace(self.vector(of, at)?, target, replacement, source, regex))
            }
            Vector::LabelJoin { of, target, separator, sources } => {
                unique(relabel::join(self.vector(of, at)?, target, separator, sources))
            }
            Vector::HistogramQuantile { quantile, of } => {
                let quantile = self.scalar(quantile, at)?;
                unique(histogram::quantile(quantile, self.vector(of, at)?))
            }
            Vector::Sort { descending, of } => {
                let mut elements = self.vector(of, at)?;
                elements.sort_by(|a, b| aggregate::order(a.value, b.value, *descending));
                Ok(elements)
            }
        }
    }

    /// The series of a range, with their samples inside it.
    pub(super) fn range(&self, range: &Range, at: i64) -> Evaluated<Vec<Points>> {
        let end = range.moment.of(at);
        let start = end.saturating_sub(range.length);
        let found = match &range.source {
            Source::Series(series) => {
                let found = select::between(self.store, series, start, end);
                self.count(found.iter().map(|series| series.points.len()).sum())?;
                found
            }
            Source::Subquery { of, step } => {
                // Each gives a sample at least, or was looked at in vain.
                if usize::try_from(range.length / step).is_ok_and(|steps| steps > SAMPLES_LIMIT) {
                    return Err(QueryError::too_many_samples());
                }
                let mut found: Vec<Points> = Vec::new();
                let mut index: std::collections::HashMap<Arc<Labels>, usize> = std::collections::HashMap::new();
                // Steps are multiples of the step since 1970, so that they don't move with the query.
                let mut time = start.div_euclid(*step).saturating_add(1).saturating_mul(*step);
                while time <= end {
                    self.step()?;
                    let elements = self.vector(of, time)?;
                    self.count(elements.len())?;
                    for Element { labels, value } in elements {
                        let next = found.len();
                        let place = *index.entry(Arc::clone(&labels)).or_insert(next);
                        if place == next {
                            found.push(Points { labels, points: Vec::new() });
                        }
                        if let Some(series) = found.get_mut(place) {
                            series.points.push((time, value));
                        }
                    }
                    let Some(next) = time.checked_add(*step) else { break };
                    time = next;
                }
                found
            }
        };
        Ok(found)
    }

    fn over(&self, function: &over::Over, range: &Range, at: i64) -> Evaluated<Vec<Element>> {
        let parameter = function.parameter().map(|scalar| self.scalar(scalar, at)).transpose()?.unwrap_or(f64::NAN);
        let end = range.moment.of(at);
        let window = over::Window { start: end.saturating_sub(range.length), end, at, parameter };
        let mut elements = Vec::new();
        for Points { labels, points } in self.range(range, at)? {
            if let Some(value) = over::apply(function, &points, window) {
                let labels = if function.keeps_name() { labels } else { nameless(&labels) };
                elements.push(Element { labels, value });
            }
        }
        unique(elements)
    }

    fn map(&self, function: &Map, of: &Vector, at: i64) -> Evaluated<Vec<Element>> {
        match function {
            Map::Pure(function) => self.mapped(of, at, function),
            Map::Clamp { least, most } => {
                let bound =
                    |scalar: &Option<Box<Scalar>>| scalar.as_ref().map(|scalar| self.scalar(scalar, at)).transpose();
                let (least, most) = (bound(least)?.unwrap_or(f64::NEG_INFINITY), bound(most)?.unwrap_or(f64::INFINITY));
                if least > most {
                    return Ok(Vec::new());
                }
                // As Go's math.Max and math.Min: a bound that is no number makes the value none.
                self.mapped(of, at, |value| propagating(f64::max, least, propagating(f64::min, most, value)))
            }
            Map::Round { to } => {
                let inverse = 1.0 / self.scalar(to, at)?;
                self.mapped(of, at, |value| (value * inverse + 0.5).floor() / inverse)
            }
        }
    }

    fn mapped(&self, of: &Vector, at: i64, function: impl Fn(f64) -> f64) -> Evaluated<Vec<Element>> {
        let apply = |element: Element| Element { labels: nameless(&element.labels), value: function(element.value) };
        Ok(self.vector(of, at)?.into_iter().map(apply).collect())
    }

    /// Counts what is read, up to the bound.
    fn count(&self, samples: usize) -> Evaluated<()> {
        self.read.set(self.read.get().saturating_add(samples));
        if self.read.get() > SAMPLES_LIMIT {
            return Err(QueryError::too_many_samples());
        }
        Ok(())
    }

    /// Counts one evaluation among many, up to the bounds.
    pub(super) fn step(&self) -> Evaluated<()> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > SAMPLES_LIMIT {
            return Err(QueryError::too_many_samples());
        }
        if steps.is_multiple_of(UNTIMED) && Instant::now() >= self.until {
            return Err(QueryError::Timeout);
        }
        Ok(())
    }
}

fn absent(there: bool, labels: &Labels) -> Vec<Element> {
    if there { Vec::new() } else { vec![Element { labels: Arc::new(labels.clone()), value: 1.0 }] }
}

fn propagating(function: fn(f64, f64) -> f64, bound: f64, value: f64) -> f64 {
    if bound.is_nan() || value.is_nan() { f64::NAN } else { function(bound, value) }
}

/// The elements, where no two have the same labels.
fn unique(elements: Vec<Element>) -> Evaluated<Vec<Element>> {
    let mut seen = std::collections::HashSet::with_capacity(elements.len());
    if elements.iter().all(|element| seen.insert(&element.labels)) {
        Ok(elements)
    } else {
        Err(QueryError::same_labels())
    }
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "times of this century are exact in a float")]
pub(super) fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}
