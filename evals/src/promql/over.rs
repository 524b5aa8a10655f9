//! Functions of the samples of one series in a range.

use super::aggregate::quantile;
use super::plan::Scalar;
use super::rate::{self, Slope};
use super::sum;

/// A function of a range.
#[derive(Debug)]
pub(super) enum Over {
    Rate,
    Increase,
    Delta,
    InstantRate,
    InstantDelta,
    Derivative,
    /// Seconds into the future.
    Predict(Box<Scalar>),
    Changes,
    Resets,
    Average,
    Minimum,
    Maximum,
    Sum,
    Count,
    Last,
    Present,
    Deviation,
    Variance,
    Quantile(Box<Scalar>),
}

/// Where a range stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) start: i64,
    pub(super) end: i64,
    /// The time of evaluation.
    pub(super) at: i64,
    /// The function's parameter; not a number where it has none.
    pub(super) parameter: f64,
}

impl Over {
    /// The function of this name, where the range is its only argument.
    pub(super) fn simple(name: &str) -> Option<Self> {
        Some(match name {
            "rate" => Self::Rate,
            "increase" => Self::Increase,
            "delta" => Self::Delta,
            "irate" => Self::InstantRate,
            "idelta" => Self::InstantDelta,
            "deriv" => Self::Derivative,
            "changes" => Self::Changes,
            "resets" => Self::Resets,
            "avg_over_time" => Self::Average,
            "min_over_time" => Self::Minimum,
            "max_over_time" => Self::Maximum,
            "sum_over_time" => Self::Sum,
            "count_over_time" => Self::Count,
            "last_over_time" => Self::Last,
            "present_over_time" => Self::Present,
            "stddev_over_time" => Self::Deviation,
            "stdvar_over_time" => Self::Variance,
            _ => return None,
        })
    }

    pub(super) fn parameter(&self) -> Option<&Scalar> {
        match self {
            Self::Predict(scalar) | Self::Quantile(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether the result is still a value of the metric.
    pub(super) fn keeps_name(&self) -> bool {
        matches!(self, Self::Last)
    }
}

/// The function's value, or nothing where there are too few points. There is at least one.
pub(super) fn apply(function: &Over, points: &[(i64, f64)], window: Window) -> Option<f64> {
    let values = || points.iter().map(|(_, value)| *value);
    Some(match function {
        Over::Rate => rate::extrapolated(points, window, Slope::Counter, rate::seconds(window.end - window.start))?,
        Over::Increase => rate::extrapolated(points, window, Slope::Counter, 1.0)?,
        Over::Delta => rate::extrapolated(points, window, Slope::Gauge, 1.0)?,
        Over::InstantRate => rate::instant(points, Slope::Counter)?,
        Over::InstantDelta => rate::instant(points, Slope::Gauge)?,
        Over::Derivative => rate::regression(points, points.first()?.0)?.0,
        Over::Predict(_) => {
            let (slope, intercept) = rate::regression(points, window.at)?;
            slope * window.parameter + intercept
        }
        #[expect(clippy::float_cmp, reason = "any difference is a change")]
        Over::Changes => count(points, |before, after| before != after && !(before.is_nan() && after.is_nan())),
        Over::Resets => count(points, |before, after| after < before),
        Over::Average => sum::mean(values()),
        Over::Minimum => extreme(values(), |value, least| value < least),
        Over::Maximum => extreme(values(), |value, most| value > most),
        Over::Sum => sum::total(values()),
        #[expect(clippy::cast_precision_loss, reason = "a range has fewer samples than a float has whole numbers")]
        Over::Count => points.len() as f64,
        Over::Last => points.last()?.1,
        Over::Present => 1.0,
        Over::Deviation => sum::variance(values()).sqrt(),
        Over::Variance => sum::variance(values()),
        Over::Quantile(_) => quantile(window.parameter, values().collect()),
    })
}

fn count(points: &[(i64, f64)], counts: impl Fn(f64, f64) -> bool) -> f64 {
    points.iter().zip(points.iter().skip(1)).fold(
        0.0,
        |count, (before, after)| {
            if counts(before.1, after.1) { count + 1.0 } else { count }
        },
    )
}

/// The least or greatest; values that are no numbers lose against any that is.
pub(super) fn extreme(values: impl IntoIterator<Item = f64>, beats: impl Fn(f64, f64) -> bool) -> f64 {
    values.into_iter().fold(f64::NAN, |best, value| if beats(value, best) || best.is_nan() { value } else { best })
}
