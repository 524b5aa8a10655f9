//! The logs as streams of lines.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::bundle::RecordedLog;

/// The labels of each stream.
pub(super) const LABELS: [&str; 3] = ["container", "namespace", "pod"];

/// The lines of one container, of all its runs that were recorded.
#[derive(Debug)]
pub(super) struct Stream {
    namespace: String,
    pod: String,
    container: String,
    /// In the order of time.
    pub(super) lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) text: String,
}

impl Stream {
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        match name {
            "namespace" => Some(&self.namespace),
            "pod" => Some(&self.pod),
            "container" => Some(&self.container),
            _ => None,
        }
    }

    pub(super) fn labels(&self) -> Value {
        json!({ "namespace": self.namespace, "pod": self.pod, "container": self.container })
    }

    /// The lines from a time until before another.
    pub(super) fn between(&self, start: Timestamp, end: Timestamp) -> &[Line] {
        let first = self.lines.partition_point(|line| line.at < start);
        let last = self.lines.partition_point(|line| line.at < end);
        self.lines.get(first..last.max(first)).unwrap_or_default()
    }
}

/// The streams of what was recorded, by their labels.
pub(super) fn of(logs: &[RecordedLog]) -> Vec<Stream> {
    let mut streams: BTreeMap<[&str; 3], Vec<Line>> = BTreeMap::new();
    for log in logs {
        let lines = streams.entry([&log.namespace, &log.pod, &log.container]).or_default();
        lines.extend(log.text.lines().filter_map(|line| {
            let (time, text) = line.split_once(' ').unwrap_or((line, ""));
            Some(Line { at: time.parse().ok()?, text: text.to_owned() })
        }));
    }
    streams
        .into_iter()
        .filter(|(_, lines)| !lines.is_empty())
        .map(|([namespace, pod, container], mut lines)| {
            lines.sort_by_key(|line| line.at);
            Stream { namespace: namespace.to_owned(), pod: pod.to_owned(), container: container.to_owned(), lines }
        })
        .collect()
}
