//! Answers of Prometheus's HTTP API, version 1 (<https://prometheus.io/docs/prometheus/latest/querying/api/>).

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use marple_core::Labels;
use serde::{Deserialize, Deserializer};

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// How much; not a number and infinities are values too.
    pub value: f64,
}

/// One series. A histogram's points, which are no numbers, are left out and only counted.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "RawSeries")]
pub struct Series {
    /// Its labels, with the metric's name as `__name__`.
    pub labels: Labels,
    /// Its values in the order of time; one for an instant query.
    pub points: Vec<Point>,
    /// How many points are histograms.
    pub histograms: usize,
}

/// What an instant query gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A value a series.
    Vector(Vec<Series>),
    /// The samples of a range a series, where the query is a range selector.
    Matrix(Vec<Series>),
    /// One value without labels.
    Scalar(Point),
    /// A text.
    Text(String),
}

impl Answer {
    /// The series of it; a scalar is one without labels.
    pub fn into_series(self) -> Vec<Series> {
        match self {
            Self::Vector(series) | Self::Matrix(series) => series,
            Self::Scalar(point) => vec![Series { labels: Labels::new(), points: vec![point], histograms: 0 }],
            Self::Text(_) => Vec::new(),
        }
    }
}

/// An answer with what the server warns of.
#[derive(Clone, Debug, PartialEq)]
pub struct Warned<T> {
    /// The answer.
    pub answer: T,
    /// Warnings, as of partial results; each one line.
    pub warnings: Vec<String>,
}

/// An alerting or recording rule.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Name of the alert, or of the metric that is recorded.
    pub name: String,
    /// The expression.
    pub query: String,
    /// Which of the two it is.
    #[serde(rename = "type")]
    pub kind: RuleKind,
    /// How long the expression must hold before the alert fires.
    #[serde(default, rename = "duration", deserialize_with = "seconds")]
    pub hold: Duration,
    /// How long it goes on to fire after the expression no longer holds.
    #[serde(default, deserialize_with = "seconds")]
    pub keep_firing_for: Duration,
    /// Labels that it adds.
    #[serde(default)]
    pub labels: Labels,
    /// Annotations, templates not filled in.
    #[serde(default)]
    pub annotations: Labels,
    /// Pending and firing alerts.
    #[serde(default)]
    pub alerts: Vec<ActiveAlert>,
    /// `ok`, `err` or `unknown`.
    #[serde(default)]
    pub health: String,
    /// Why its last evaluation failed.
    #[serde(default)]
    pub last_error: Option<String>,
}

/// What a rule makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// Alerts.
    Alerting,
    /// A metric.
    Recording,
}

/// An alert that is pending or fires.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveAlert {
    /// Labels, `alertname` among them.
    #[serde(default)]
    pub labels: Labels,
    /// Annotations, filled in.
    #[serde(default)]
    pub annotations: Labels,
    /// `pending` or `firing`.
    pub state: String,
    /// Since when the expression holds.
    #[serde(default)]
    pub active_at: Option<Timestamp>,
    /// The expression's value.
    #[serde(default, deserialize_with = "number_text")]
    pub value: Option<f64>,
}

/// What a metric is, as its exporter says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// `counter`, `gauge`, `histogram`, `summary`, `unknown` …
    #[serde(rename = "type")]
    pub kind: String,
    /// What it counts or measures.
    #[serde(default)]
    pub help: String,
}

/// What is scraped.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its labels, `job` and `instance` among them.
    #[serde(default)]
    pub labels: Labels,
    /// Where it is scraped.
    #[serde(default)]
    pub scrape_url: String,
    /// `up`, `down` or `unknown`.
    #[serde(default)]
    pub health: String,
    /// Why the last scrape failed.
    #[serde(default)]
    pub last_error: String,
    /// When it was last scraped.
    #[serde(default)]
    pub last_scrape: Option<Timestamp>,
}

/// The frame of each answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Frame<T> {
    pub(super) status: String,
    #[serde(default = "Option::default")]
    pub(super) data: Option<T>,
    #[serde(default)]
    pub(super) error_type: Option<String>,
    #[serde(default)]
    pub(super) error: Option<String>,
    #[serde(default)]
    pub(super) warnings: Vec<String>,
    /// `VictoriaMetrics` says so, where others warn.
    #[serde(default)]
    pub(super) is_partial: bool,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum RawAnswer {
    Vector(Vec<Series>),
    Matrix(Vec<Series>),
    Scalar(RawPoint),
    String((f64, String)),
}

impl From<RawAnswer> for Answer {
    fn from(raw: RawAnswer) -> Self {
        match raw {
            RawAnswer::Vector(series) => Self::Vector(series),
            RawAnswer::Matrix(series) => Self::Matrix(series),
            RawAnswer::Scalar(RawPoint(point)) => Self::Scalar(point),
            RawAnswer::String((_, text)) => Self::Text(text),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RawGroups {
    #[serde(default)]
    pub(super) groups: Vec<RawGroup>,
}

#[derive(Deserialize)]
pub(super) struct RawGroup {
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
}

#[derive(Deserialize)]
pub(super) struct RawAlerts {
    #[serde(default)]
    pub(super) alerts: Vec<ActiveAlert>,
}

#[derive(Deserialize)]
pub(super) struct RawTargets {
    #[serde(default, rename = "activeTargets")]
    pub(super) targets: Vec<Target>,
}

#[derive(Deserialize)]
struct RawSeries {
    #[serde(default)]
    metric: Labels,
    #[serde(default)]
    value: Option<RawPoint>,
    #[serde(default)]
    values: Vec<RawPoint>,
    #[serde(default)]
    histogram: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    histograms: Vec<serde::de::IgnoredAny>,
}

impl From<RawSeries> for Series {
    fn from(raw: RawSeries) -> Self {
        let histograms = raw.histograms.len() + usize::from(raw.histogram.is_some());
        let points = raw.value.into_iter().chain(raw.values).map(|RawPoint(point)| point).collect();
        Self { labels: raw.metric, points, histograms }
    }
}

/// A pair of seconds and a number in a text, as `[1767323045.123, "NaN"]`.
pub(super) struct RawPoint(Point);

impl<'de> Deserialize<'de> for RawPoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seconds, text) = <(f64, Cow<'de, str>)>::deserialize(deserializer)?;
        let value = number(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no sample value")))?;
        let at = instant(seconds).ok_or_else(|| serde::de::Error::custom(format!("{seconds} is no time")))?;
        Ok(Self(Point { at, value }))
    }
}

/// A time from seconds since 1970, to the millisecond, which is as exact as Prometheus is.
#[expect(clippy::cast_possible_truncation, reason = "out of range saturates, and is then no time")]
fn instant(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        other => other.parse().ok(),
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

fn number_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Cow<'de, str>>::deserialize(deserializer)?.as_deref().and_then(number))
}
