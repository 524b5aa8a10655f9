//! A query over a time as a picture.

mod axis;
mod png;
mod svg;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use marple_core::Labels;

use super::expression::Expression;
use super::narrowed::{narrowed, read};
use super::number::Unit;
use super::{Prometheus, PrometheusError, Series, Window, labels};
pub use png::PngError;
use svg::Screen;

/// Lines that are told apart by their colours.
const LINES: usize = 8;

/// A query over a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    title: String,
    window: Window,
    unit: Unit,
    series: Vec<Series>,
    /// The number that a comparison in the query is about.
    threshold: Option<f64>,
    /// When the incident began.
    mark: Option<Timestamp>,
    warnings: Vec<String>,
}

impl Graph {
    /// Asks for a query over so long a time before `end`. A comparison with a number is taken off: what is drawn is the
    /// value that it is about, with the number as a line.
    pub async fn ask(
        prometheus: &Prometheus,
        query: &str,
        length: Duration,
        end: Timestamp,
        mark: Option<Timestamp>,
    ) -> Result<Self, PrometheusError> {
        let window = Window::between(end.checked_sub(length).unwrap_or(end), end).aligned();
        let expression = read(query)?;
        let compared = expression.as_ref().and_then(Expression::compared);
        let threshold = compared.as_ref().map(|(_, number)| *number);
        let drawn = compared.as_ref().map_or_else(|| query.to_owned(), |(values, _)| values.text());
        let unit = expression.map(|expression| expression.unit()).unwrap_or_default();
        let asked = narrowed(prometheus, &drawn, window.end).await?;
        let answer = prometheus.range(&asked.query, window).await?;
        let mut warnings = answer.warnings;
        warnings.extend((!asked.note.is_empty()).then(|| asked.note.trim().to_owned()));
        Ok(Self { title: query.to_owned(), window, unit, series: answer.answer, threshold, mark, warnings })
    }

    /// Of series that were asked for; none where there is nothing to draw. What it says is passed through `clean`.
    pub(super) fn of(
        title: &str,
        (series, unit): (&[Series], Unit),
        window: Window,
        threshold: Option<f64>,
        mark: Timestamp,
        clean: &dyn Fn(&str) -> String,
    ) -> Option<Self> {
        let told = |series: &Series| Series {
            labels: series.labels.iter().map(|(name, value)| (name.to_owned(), clean(value))).collect(),
            ..series.clone()
        };
        let series = series.iter().map(told).collect();
        let graph =
            Self { title: clean(title), window, unit, series, threshold, mark: Some(mark), warnings: Vec::new() };
        (!graph.is_empty()).then_some(graph)
    }

    /// How many series it has.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.points.iter().all(|point| !point.value.is_finite()))
    }

    /// What the server warned of, and how the query was narrowed.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// It as SVG, light or dark as its reader's screen is. Text in it is escaped.
    pub fn svg(&self) -> String {
        svg::written(self, Screen::Readers)
    }

    /// It as PNG, 1,440 pixels wide and light: for readers that show no SVG, as chats.
    pub fn png(&self) -> Result<Vec<u8>, PngError> {
        png::drawn(&svg::written(self, Screen::Light))
    }

    /// An SVG of a graph as PNG.
    pub fn pixels(svg: &str) -> Result<Vec<u8>, PngError> {
        png::drawn(svg)
    }

    /// The series that are drawn, those that reach highest first, and how many there are besides.
    fn drawn(&self) -> (Vec<&Series>, usize) {
        let highest = |series: &Series| {
            let finite = series.points.iter().map(|point| point.value).filter(|value| value.is_finite());
            finite.fold(f64::NEG_INFINITY, f64::max)
        };
        let mut series: Vec<&Series> = self.series.iter().filter(|series| highest(series).is_finite()).collect();
        series.sort_by(|left, right| {
            highest(right).total_cmp(&highest(left)).then_with(|| left.labels.cmp(&right.labels))
        });
        let more = series.len().saturating_sub(LINES);
        series.truncate(LINES);
        (series, more)
    }

    fn common(&self) -> Labels {
        labels::common(self.series.iter().map(|series| &series.labels))
    }
}
