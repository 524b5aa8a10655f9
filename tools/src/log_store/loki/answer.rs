//! The answers of Loki's API.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::super::config::FieldNames;
use super::{Entry, source};

/// The rows of sums that are told.
const POINTS: usize = 60;

/// What stands around each answer.
#[derive(Deserialize)]
pub(super) struct Frame<T> {
    pub(super) data: T,
}

/// What it says of a query that it can't answer, where that comes as JSON.
#[derive(Deserialize)]
pub(super) struct Refusal {
    pub(super) message: String,
}

/// Lines, or sums over lines.
#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum Data {
    Streams(Vec<Stream>),
    Matrix(Vec<Series>),
    Vector(Vec<Sample>),
    Scalar((f64, String)),
}

/// Lines of the same labels.
#[derive(Deserialize)]
pub(super) struct Stream {
    stream: BTreeMap<String, String>,
    values: Vec<Line>,
}

/// Nanoseconds, the line, and what some versions add.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Plain(String, String),
    More(String, String, serde::de::IgnoredAny),
}

#[derive(Deserialize)]
pub(super) struct Series {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

#[derive(Deserialize)]
pub(super) struct Sample {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

impl Data {
    /// The lines in the order of time.
    pub(super) fn entries(self, fields: &FieldNames) -> Vec<Entry> {
        let Self::Streams(streams) = self else { return Vec::new() };
        let mut entries: Vec<Entry> = Vec::new();
        for Stream { stream, values } in streams {
            let source = source(fields, &stream);
            for line in values {
                let (Line::Plain(at, line) | Line::More(at, line, _)) = line;
                let Some(at) = at.parse().ok().and_then(|at| Timestamp::from_nanosecond(at).ok()) else { continue };
                entries.push(Entry { at, source: source.clone(), line });
            }
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// The points of a sum over all.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of lines and times in seconds")]
    pub(super) fn points(&self) -> Vec<(Timestamp, u64)> {
        let Self::Matrix(series) = self else { return Vec::new() };
        let points = series.iter().flat_map(|series| &series.values);
        points
            .filter_map(|(at, count)| {
                let at = Timestamp::from_millisecond((at * 1000.0).round() as i64).ok()?;
                Some((at, count.parse::<f64>().ok()?.max(0.0) as u64))
            })
            .collect()
    }

    /// What is no lines, a row each.
    pub(super) fn rows(&self) -> Option<Vec<String>> {
        let named = |labels: &BTreeMap<String, String>| {
            labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(" ")
        };
        let told = |(at, value): &(f64, String)| format!("{at:.0} {value}");
        Some(match self {
            Self::Streams(_) => return None,
            Self::Matrix(series) => series
                .iter()
                .map(|series| {
                    let skipped = series.values.len().saturating_sub(POINTS);
                    let left_out =
                        if skipped > 0 { format!("… {skipped} points left out … ") } else { String::new() };
                    let points: Vec<String> = series.values.iter().skip(skipped).map(told).collect();
                    format!("{} {left_out}{}", named(&series.metric), points.join(", "))
                })
                .collect(),
            Self::Vector(samples) => {
                samples.iter().map(|sample| format!("{} {}", named(&sample.metric), sample.value.1)).collect()
            }
            Self::Scalar((_, value)) => vec![value.clone()],
        })
    }
}
