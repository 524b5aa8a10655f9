//! A query with its types told apart and its series found.

use marple_core::Labels;
use regex::Regex;

use super::aggregate::{Aggregation, Grouping};
use super::binary::Operator;
use super::calendar::Field;
use super::matching::{Matching, SetOperator};
use super::over::Over;

/// A whole query.
#[derive(Debug)]
pub(super) enum Plan {
    Scalar(Scalar),
    Vector(Vector),
    Range(Range),
    Text(String),
}

/// What gives one number.
#[derive(Debug)]
pub(super) enum Scalar {
    Number(f64),
    Time,
    /// `scalar(v)`
    Of(Box<Vector>),
    Negative(Box<Scalar>),
    Binary {
        operator: Operator,
        left: Box<Scalar>,
        right: Box<Scalar>,
    },
}

/// What gives an instant vector.
#[derive(Debug)]
pub(super) enum Vector {
    Select(Selector),
    /// `vector(s)`
    Constant(Box<Scalar>),
    /// The same function of each value; the name is dropped.
    Map {
        function: Map,
        of: Box<Vector>,
    },
    Calendar {
        field: Field,
        of: Option<Box<Vector>>,
    },
    /// The times of the samples that a selector finds.
    SampleTimes(Selector),
    /// The time of evaluation, for each element.
    Times(Box<Vector>),
    Over {
        function: Over,
        range: Range,
    },
    Absent {
        of: Box<Vector>,
        labels: Labels,
    },
    AbsentOver {
        range: Range,
        labels: Labels,
    },
    Aggregate {
        aggregation: Aggregation,
        grouping: Grouping,
        of: Box<Vector>,
    },
    /// Each element with one number.
    Scalewise {
        operator: Operator,
        returns_bool: bool,
        scalar_first: bool,
        vector: Box<Vector>,
        scalar: Box<Scalar>,
    },
    /// Each element with its match.
    Pairwise {
        operator: Operator,
        returns_bool: bool,
        matching: Matching,
        left: Box<Vector>,
        right: Box<Vector>,
    },
    Set {
        operator: SetOperator,
        matching: Matching,
        left: Box<Vector>,
        right: Box<Vector>,
    },
    LabelReplace {
        of: Box<Vector>,
        target: String,
        replacement: String,
        source: String,
        regex: Regex,
    },
    LabelJoin {
        of: Box<Vector>,
        target: String,
        separator: String,
        sources: Vec<String>,
    },
    HistogramQuantile {
        quantile: Box<Scalar>,
        of: Box<Vector>,
    },
    Sort {
        descending: bool,
        of: Box<Vector>,
    },
}

/// A function of each value by itself.
#[derive(Debug)]
pub(super) enum Map {
    Pure(fn(f64) -> f64),
    Clamp { least: Option<Box<Scalar>>, most: Option<Box<Scalar>> },
    Round { to: Box<Scalar> },
}

/// Series, and the time at which they are looked at.
#[derive(Debug)]
pub(super) struct Selector {
    /// Which series of the store.
    pub(super) series: Vec<usize>,
    pub(super) moment: Moment,
}

/// The time that is meant where a query is evaluated at another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// `@`, in milliseconds.
    pub(super) fixed: Option<i64>,
    /// `offset`, in milliseconds: positive is earlier.
    pub(super) offset: i64,
}

impl Moment {
    pub(super) fn of(self, at: i64) -> i64 {
        self.fixed.unwrap_or(at).saturating_sub(self.offset)
    }
}

/// What gives a range vector.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) source: Source,
    /// How far back, in milliseconds.
    pub(super) length: i64,
    pub(super) moment: Moment,
}

/// What a range is of.
#[derive(Debug)]
pub(super) enum Source {
    Series(Vec<usize>),
    Subquery { of: Box<Vector>, step: i64 },
}
