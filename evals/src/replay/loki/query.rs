//! Queries over streams.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use super::Failure;
use super::streams::{Line, Stream};

/// What is asked.
#[derive(Debug)]
pub(super) enum Query {
    Lines(LogQuery),
    Sums(Sums),
}

/// Which lines are wanted.
#[derive(Debug)]
pub(super) struct LogQuery {
    pub(super) matchers: Vec<Matcher>,
    pub(super) filters: Vec<Filter>,
}

/// A condition on a label. One that isn't there is empty.
#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) name: String,
    pub(super) pattern: Regex,
    pub(super) wanted: bool,
}

/// A condition on lines.
#[derive(Debug)]
pub(super) enum Filter {
    /// Any of the patterns is found in the line, or none.
    Line { patterns: Vec<Regex>, wanted: bool },
    /// Any of the conditions on labels holds.
    Labels(Vec<Matcher>),
}

/// Lines counted over a time.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) of: LogQuery,
    pub(super) sum: Sum,
    pub(super) per_second: bool,
    pub(super) range: SignedDuration,
    pub(super) by: Grouping,
}

/// What is summed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sum {
    Lines,
    Bytes,
}

/// What becomes one series.
#[derive(Debug)]
pub(super) enum Grouping {
    /// Each stream.
    Streams,
    /// Those that have the same values of these labels.
    By(Vec<String>),
}

/// Lines of a stream that were found.
pub(super) struct Lines<'a> {
    pub(super) stream: &'a Stream,
    pub(super) lines: Vec<&'a Line>,
}

/// A sum over time.
pub(super) struct Series {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) points: Vec<(Timestamp, f64)>,
}

impl Query {
    /// Which lines it is about.
    pub(super) const fn of(&self) -> &LogQuery {
        match self {
            Self::Lines(of) | Self::Sums(Sums { of, .. }) => of,
        }
    }
}

impl Matcher {
    /// Whether it leaves out streams that don't have the label.
    pub(super) fn narrows(&self) -> bool {
        self.pattern.is_match("") != self.wanted
    }

    fn fits(&self, stream: &Stream) -> bool {
        self.pattern.is_match(stream.label(&self.name).unwrap_or_default()) == self.wanted
    }
}

impl LogQuery {
    /// Whether lines of a stream may be wanted.
    pub(super) fn selects(&self, stream: &Stream) -> bool {
        let fits = |filter: &Filter| match filter {
            Filter::Line { .. } => true,
            Filter::Labels(any) => any.iter().any(|matcher| matcher.fits(stream)),
        };
        self.matchers.iter().all(|matcher| matcher.fits(stream)) && self.filters.iter().all(fits)
    }

    fn wants(&self, line: &Line) -> bool {
        self.filters.iter().all(|filter| match filter {
            Filter::Line { patterns, wanted } => patterns.iter().any(|pattern| pattern.is_match(&line.text)) == *wanted,
            Filter::Labels(_) => true,
        })
    }

    /// The first or the last lines of a time, of all streams together.
    pub(super) fn lines<'a>(
        &self,
        streams: &'a [Stream],
        start: Timestamp,
        end: Timestamp,
        forward: bool,
        limit: usize,
    ) -> Vec<Lines<'a>> {
        let selected = streams.iter().enumerate().filter(|(_, stream)| self.selects(stream));
        let mut found: Vec<(usize, &Line)> = selected
            .flat_map(|(number, stream)| stream.between(start, end).iter().map(move |line| (number, line)))
            .filter(|(_, line)| self.wants(line))
            .collect();
        found.sort_by_key(|(_, line)| line.at);
        if !forward {
            found.reverse();
        }
        found.truncate(limit);
        let mut by_stream: BTreeMap<usize, Vec<&Line>> = BTreeMap::new();
        for (number, line) in found {
            by_stream.entry(number).or_default().push(line);
        }
        by_stream
            .into_iter()
            .filter_map(|(number, lines)| Some(Lines { stream: streams.get(number)?, lines }))
            .collect()
    }
}

impl Sums {
    /// At each step of a time, where that is done before `until`.
    pub(super) fn range(
        &self,
        streams: &[Stream],
        start: Timestamp,
        end: Timestamp,
        step: SignedDuration,
        until: Instant,
    ) -> Result<Vec<Series>, Failure> {
        let mut series: BTreeMap<BTreeMap<String, String>, Vec<(Timestamp, f64)>> = BTreeMap::new();
        let mut at = Some(start);
        while let Some(now) = at.filter(|now| *now <= end) {
            if Instant::now() >= until {
                return Err(Failure(
                    "request timed out, decrease the duration of the request or add more label matchers\n".to_owned(),
                ));
            }
            for Series { labels, points } in self.at(streams, now) {
                series.entry(labels).or_default().extend(points);
            }
            at = now.checked_add(step).ok();
        }
        Ok(series.into_iter().map(|(labels, points)| Series { labels, points }).collect())
    }

    /// Over the range that ends at a time, which is part of it. Where no line is, no sum is.
    pub(super) fn at(&self, streams: &[Stream], at: Timestamp) -> Vec<Series> {
        let after = |time: Timestamp| time.checked_add(SignedDuration::from_nanos(1)).unwrap_or(time);
        let from = after(at.checked_sub(self.range).unwrap_or(Timestamp::MIN));
        let mut sums: BTreeMap<BTreeMap<String, String>, u64> = BTreeMap::new();
        for stream in streams.iter().filter(|stream| self.of.selects(stream)) {
            let lines = stream.between(from, after(at)).iter().filter(|line| self.of.wants(line));
            let sum: u64 = match self.sum {
                Sum::Lines => lines.count() as u64,
                Sum::Bytes => lines.map(|line| line.text.len() as u64).sum(),
            };
            if sum > 0 {
                *sums.entry(self.labels(stream)).or_default() += sum;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a recording has fewer bytes")]
        let value = |sum: u64| if self.per_second { sum as f64 / self.range.as_secs_f64() } else { sum as f64 };
        sums.into_iter().map(|(labels, sum)| Series { labels, points: vec![(at, value(sum))] }).collect()
    }

    fn labels(&self, stream: &Stream) -> BTreeMap<String, String> {
        let all: Vec<&str> = match &self.by {
            Grouping::Streams => super::LABELS.to_vec(),
            Grouping::By(names) => names.iter().map(String::as_str).collect(),
        };
        all.into_iter().filter_map(|name| Some((name.to_owned(), stream.label(name)?.to_owned()))).collect()
    }
}
