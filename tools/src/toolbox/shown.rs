//! What of an output a model is shown.

use marple_core::EvidenceId;

use crate::view::{Limits, bounded, grouped};

/// The longest view that a tool may choose itself, in characters: it knows better what tells most, but not the price.
const CHOSEN: usize = 9_000;

/// What stands where an output is empty.
const EMPTY: &str = "(empty)";

/// An output as it is shown.
pub(super) struct Shown {
    text: String,
    lines: usize,
    truncated: bool,
}

impl Shown {
    /// The view that the tool chose, else the whole; bounded both.
    pub(super) fn of(content: &str, view: Option<String>) -> Self {
        let text = match view {
            Some(view) if view.len() <= CHOSEN => view,
            Some(view) => bounded(&view, Limits { characters: CHOSEN, fold: false, ..Limits::default() }),
            None => bounded(content, Limits::default()),
        };
        let truncated = text.trim_end() != content.trim_end();
        Self { text, lines: content.lines().count(), truncated }
    }

    /// Notes that it is a part of a text that has so many lines.
    pub(super) fn is_of_whole(&mut self, lines: u64) {
        self.lines = usize::try_from(lines).unwrap_or(usize::MAX);
        self.truncated = true;
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is less than the whole.
    pub(super) const fn truncated(&self) -> bool {
        self.truncated
    }

    /// Whether there is nothing to show.
    pub(super) fn empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The text under its id and title, with the way to the rest where something was left out of new evidence.
    pub(super) fn headed(&self, id: Option<EvidenceId>, title: &str, new: bool, readers: &[&str]) -> String {
        let head = match id {
            Some(id) => format!("[{id}] {title}"),
            None => title.to_owned(),
        };
        let lines = if self.lines == 1 { "line" } else { "lines" };
        let rest = match (id, self.truncated && new, readers.is_empty()) {
            (Some(id), true, false) => format!(
                " (shown in part; the whole has {} {lines}, read them with {} of {id})",
                grouped(self.lines),
                readers.join(" or ")
            ),
            (_, true, _) => format!(" (shown in part; the whole has {} {lines})", grouped(self.lines)),
            _ => String::new(),
        };
        let body = if self.empty() { EMPTY } else { self.text.trim_end() };
        format!("{head}{rest}\n{body}\n")
    }
}
