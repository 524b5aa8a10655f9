//! Aggregations over elements.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use marple_core::Labels;
use promql_parser::parser::LabelModifier;

use super::QueryError;
use super::metric::{NAME, keep, set};
use super::over::extreme;
use super::plan::Scalar;
use super::store::Element;
use super::sum;
use super::{foremost, number};

/// What is made of the elements of a group.
#[derive(Debug)]
pub(super) enum Aggregation {
    Sum,
    Average,
    Count,
    Minimum,
    Maximum,
    Group,
    Deviation,
    Variance,
    Quantile(Box<Scalar>),
    Top(Box<Scalar>),
    Bottom(Box<Scalar>),
    /// Into the label of this name.
    CountValues(String),
}

/// Which elements belong together.
#[derive(Debug)]
pub(super) enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

impl Aggregation {
    pub(super) fn parameter(&self) -> Option<&Scalar> {
        match self {
            Self::Quantile(scalar) | Self::Top(scalar) | Self::Bottom(scalar) => Some(scalar),
            _ => None,
        }
    }
}

impl Grouping {
    pub(super) fn of(modifier: Option<&LabelModifier>) -> Self {
        match modifier {
            None => Self::By(Vec::new()),
            Some(LabelModifier::Include(labels)) => Self::By(labels.labels.clone()),
            Some(LabelModifier::Exclude(labels)) => Self::Without(labels.labels.clone()),
        }
    }

    fn key(&self, labels: &Labels) -> Labels {
        match self {
            Self::By(names) => keep(labels, |name| names.iter().any(|one| one == name)),
            Self::Without(names) => keep(labels, |name| name != NAME && names.iter().all(|one| one != name)),
        }
    }
}

/// Aggregates elements, group by group, in the order in which the groups are met.
pub(super) fn aggregate(
    aggregation: &Aggregation,
    parameter: Option<f64>,
    grouping: &Grouping,
    elements: Vec<Element>,
) -> Result<Vec<Element>, QueryError> {
    let parameter = parameter.unwrap_or(f64::NAN);
    let mut groups: Vec<(Labels, Vec<Element>)> = Vec::new();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    for element in elements {
        let mut key = grouping.key(&element.labels);
        if let Aggregation::CountValues(label) = aggregation {
            key = set(&key, label, &number::plain(element.value));
        }
        let place = *index.entry(key).or_insert_with_key(|key| {
            groups.push((key.clone(), Vec::new()));
            groups.len() - 1
        });
        if let Some((_, members)) = groups.get_mut(place) {
            members.push(element);
        }
    }
    if matches!(aggregation, Aggregation::Top(_) | Aggregation::Bottom(_)) && parameter.is_nan() {
        return Err(QueryError::Execution("Parameter value is NaN".to_owned()));
    }
    let mut out = Vec::new();
    for (labels, members) in groups {
        match aggregation {
            Aggregation::Top(_) => out.extend(foremost::first(parameter, members, true)),
            Aggregation::Bottom(_) => out.extend(foremost::first(parameter, members, false)),
            _ => out.push(Element { labels: Arc::new(labels), value: value(aggregation, parameter, &members) }),
        }
    }
    Ok(out)
}

fn value(aggregation: &Aggregation, parameter: f64, members: &[Element]) -> f64 {
    let values = || members.iter().map(|member| member.value);
    match aggregation {
        Aggregation::Sum => sum::total(values()),
        Aggregation::Average => sum::mean(values()),
        #[expect(clippy::cast_precision_loss, reason = "there are fewer series than a float has whole numbers")]
        Aggregation::Count | Aggregation::CountValues(_) => members.len() as f64,
        Aggregation::Minimum => extreme(values(), |value, least| value < least),
        Aggregation::Maximum => extreme(values(), |value, most| value > most),
        Aggregation::Group | Aggregation::Top(_) | Aggregation::Bottom(_) => 1.0,
        Aggregation::Variance => spread(values()),
        Aggregation::Deviation => spread(values()).sqrt(),
        Aggregation::Quantile(_) => quantile(parameter, values().collect()),
    }
}

/// The variance over elements, which Prometheus computes without compensation.
fn spread(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let delta: f64 = value - mean;
        mean += delta / count;
        squares += delta * (value - mean);
    }
    squares / count
}

/// The order of values; what is no number comes last either way.
pub(super) fn order(a: f64, b: f64, descending: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        }
    }
}

/// A quantile of values, between two of them in proportion.
pub(super) fn quantile(q: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    // Here what is no number comes first.
    values.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.partial_cmp(b).unwrap_or(Ordering::Equal)));
    #[expect(clippy::cast_precision_loss, reason = "there are fewer values than a float has whole numbers")]
    let rank = q * (values.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank is an index")]
    let lower = rank.floor() as usize;
    let weight = rank - rank.floor();
    let at = |index: usize| values.get(index.min(values.len() - 1)).copied().unwrap_or(f64::NAN);
    if weight == 0.0 { at(lower) } else { at(lower) * (1.0 - weight) + at(lower + 1) * weight }
}
