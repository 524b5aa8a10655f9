//! What a store found.

use std::time::Duration;

use jiff::Timestamp;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was written.
    pub at: Timestamp,
    /// Its pod and container, or whatever the store knows of where it is from; may be empty.
    pub source: String,
    /// The line, or lines.
    pub line: String,
}

/// Lines counted in stretches of equal length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The starts of stretches that have lines, and how many, in the order of time.
    pub each: Vec<(Timestamp, u64)>,
    /// How long each is.
    pub step: Duration,
}

impl Counts {
    /// All lines.
    pub fn total(&self) -> u64 {
        self.each.iter().map(|(_, count)| count).sum()
    }
}

/// What a store found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The question as the store was asked it.
    pub query: String,
    /// How many lines there are and when; nothing where the answer is no lines.
    pub counts: Option<Counts>,
    /// Some of the oldest, in the order of time, where there are more than were asked for.
    pub oldest: Vec<Entry>,
    /// The newest, in the order of time.
    pub newest: Vec<Entry>,
    /// What the query gave that is no lines, as sums.
    pub rows: Vec<String>,
}
