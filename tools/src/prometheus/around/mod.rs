//! What Prometheus knows of the time around an incident's start.

mod asker;
mod node;
mod pods;
mod rules;
mod standard;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use marple_core::{EvidenceOrigin, ObjectRef, Signal, Unseen};

use self::asker::Asker;
use super::report::{Report, heading};
use super::{Graph, Prometheus, Series, Window, number::Unit};
use crate::view::{self, Limits, plain};
use crate::{EvidenceDraft, Redact};

/// How far before and after the start is looked, and how long all of it may take.
const BEFORE: Duration = Duration::from_mins(30);
const AFTER: Duration = Duration::from_mins(30);
const LONGEST: Duration = Duration::from_secs(5);

/// Series of one question that a view shows.
const SHOWN: usize = 8;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Evidence, redacted; none where Prometheus has no such metrics.
    pub measured: Vec<Measured>,
    /// What could not be asked.
    pub unseen: Vec<Unseen>,
}

/// Values of metrics, and what they look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The values as text.
    pub draft: EvidenceDraft,
    /// What an alert's expression is about as SVG, with its threshold and the incident's start.
    pub drawing: Option<String>,
}

/// Reads the rules of these signals and the metrics of these objects around the start. Takes at most 5 s in all.
///
/// Pods are taken as they are; of a workload, those that it owned in that time.
pub async fn around(
    prometheus: &Prometheus,
    subjects: &[ObjectRef],
    signals: &[Signal],
    start: Timestamp,
    now: Timestamp,
    redact: &dyn Redact,
) -> Around {
    if subjects.is_empty() && signals.is_empty() {
        return Around::default();
    }
    let asker = Asker::new(prometheus, LONGEST);
    let window = window(start, now);
    // On the heap: together they are far larger than what a caller's future should hold.
    let (rules, standard) = tokio::join!(
        Box::pin(rules::read(&asker, signals, window, now)),
        Box::pin(standard::read(&asker, subjects, window))
    );
    let clean = |text: &str| redact.redact(&plain(text));
    let measured = |found: Found| {
        let head = format!("{}{}", found.head, heading(window, Some(start)));
        let (mut whole, mut brief) = (head.clone(), head);
        for answer in &found.answers {
            let report = Report::new(&answer.series, window, answer.unit);
            // The queries stand in the whole: a view is for the values.
            whole += &format!("\n{} (`{}`)\n{}", answer.what, answer.query, report.whole());
            brief += &format!("\n{}\n{}", answer.what, report.brief(SHOWN));
        }
        let (content, brief) = (clean(&whole), clean(&brief));
        let shown = view::bounded(&brief, Limits { characters: 8_000, line: 900, ..Limits::table() });
        let drawing = found.graph.and_then(|drawn| {
            let first = found.answers.first()?;
            let graph = Graph::of(&drawn.title, (&first.series, first.unit), window, drawn.threshold, start, &clean)?;
            Some(graph.svg())
        });
        let draft = EvidenceDraft {
            origin: EvidenceOrigin::Capture,
            title: clean(&found.title),
            object: found.object,
            taken_at: now,
            view: (shown != content).then_some(shown),
            content,
        };
        Measured { draft, drawing }
    };
    let measured = rules.into_iter().chain(standard).map(measured).collect();
    let unseen = asker.unseen().map(|unseen| Unseen { what: unseen.what, why: clean(&unseen.why) });
    Around { measured, unseen: unseen.into_iter().collect() }
}

/// The answers to some questions about one thing.
struct Found {
    title: String,
    object: Option<ObjectRef>,
    /// What is said before the series.
    head: String,
    answers: Vec<Answered>,
    /// How the first answer is drawn, where people are shown it.
    graph: Option<Drawn>,
}

/// How an answer is drawn.
struct Drawn {
    title: String,
    /// The number that an alert's expression compares with.
    threshold: Option<f64>,
}

/// A question for the values of a window.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    /// What its values are, in a few words.
    what: &'static str,
    query: String,
    unit: Unit,
    /// Which of the series that it finds are meant: a selector of several namespaces and names may find others too.
    keep: Keep,
}

/// Which series of an answer are meant.
#[derive(Clone, Debug, PartialEq)]
enum Keep {
    All,
    /// Those whose namespace and label are among these.
    Named(&'static str, BTreeSet<(String, String)>),
    /// Those of these pods.
    Pods(pods::Pods),
}

/// A question with its series.
struct Answered {
    what: String,
    query: String,
    unit: Unit,
    series: Vec<Series>,
}

impl Question {
    fn of(what: &'static str, query: String, unit: Unit) -> Self {
        Self { what, query, unit, keep: Keep::All }
    }

    /// Asks it; nothing where it has no series or can't be asked.
    async fn ask(self, asker: &Asker<'_>, window: Window) -> Option<Answered> {
        let mut series = asker.ask(asker.prometheus.range(&self.query, window)).await?.answer;
        series.retain(|series| {
            let namespace = series.labels.get("namespace").unwrap_or_default();
            let is = |label: &str| series.labels.get(label).unwrap_or_default();
            match &self.keep {
                Keep::All => true,
                Keep::Named(label, names) => names.contains(&(namespace.to_owned(), is(label).to_owned())),
                Keep::Pods(pods) => pods.has(namespace, is("pod")),
            }
        });
        let (what, query) = (self.what.to_owned(), self.query);
        (!series.is_empty()).then_some(Answered { what, query, unit: self.unit, series })
    }
}

/// The time around the start, as far as it has passed.
fn window(start: Timestamp, now: Timestamp) -> Window {
    let from = start.checked_sub(BEFORE).unwrap_or(start);
    let to = start.checked_add(AFTER).unwrap_or(start).min(now).max(start);
    Window::between(from, to).aligned()
}

#[cfg(test)]
mod tests;
