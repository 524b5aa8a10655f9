//! Lines of a text that match, with what stands around the first of them.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::ops::Range;

use regex::Regex;

/// Letters of a line that are shown.
pub(super) const LINE: usize = 400;

/// The lines of one text that match.
pub(super) struct Matches {
    /// How many lines there are.
    of: u64,
    /// How many of the matches are shown at most, and how many lines around each.
    most: usize,
    context: usize,
    count: usize,
    /// The matches that may be shown, each with its surroundings.
    shown: Vec<String>,
    /// The last lines, of which none is shown yet.
    before: VecDeque<(u64, String)>,
    /// How many lines more belong to the last match.
    after: usize,
    /// The line behind the last one that is shown; 0 before the first.
    next: u64,
}

impl Matches {
    /// Of a text with so many lines.
    pub(super) fn new(most: usize, context: usize, of: u64) -> Self {
        Self { of, most, context, count: 0, shown: vec![], before: VecDeque::new(), after: 0, next: 0 }
    }

    /// How many lines match.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// How many lines there are.
    pub(super) const fn of(&self) -> u64 {
        self.of
    }

    /// Takes the next line, which matches where all of these do.
    pub(super) fn look(&mut self, number: u64, line: &str, all_of: &[Regex]) {
        let part = all_of.split_first().and_then(|(first, rest)| {
            let part = first.find(line)?.range();
            rest.iter().all(|word| word.is_match(line)).then_some(part)
        });
        if let Some(part) = part {
            self.count += 1;
            // Of one that isn't shown itself, nothing is.
            self.after = if self.shown.len() < self.most { self.context } else { 0 };
            if self.shown.len() < self.most {
                self.begin(number, &around(line, &part));
            }
        } else if self.after > 0 {
            self.after -= 1;
            self.next = number + 1;
            if let Some(last) = self.shown.last_mut() {
                // Writing to a string can't fail.
                let _ = writeln!(last, "{}- {}", number + 1, around(line, &(0..0)));
            }
        } else if self.context > 0 && self.shown.len() < self.most {
            if self.before.len() == self.context {
                self.before.pop_front();
            }
            self.before.push_back((number, around(line, &(0..0))));
        }
    }

    fn begin(&mut self, number: u64, line: &str) {
        let mut text = String::new();
        let first = self.before.front().map_or(number, |(first, _)| *first);
        if self.next > 0 && first > self.next {
            text.push_str("--\n");
        }
        for (number, line) in self.before.drain(..) {
            let _ = writeln!(text, "{}- {line}", number + 1);
        }
        let _ = writeln!(text, "{}: {line}", number + 1);
        self.next = number + 1;
        self.shown.push(text);
    }

    /// Writes the first so many matches.
    pub(super) fn write(&self, into: &mut String, most: usize) {
        into.extend(self.shown.iter().take(most).map(String::as_str));
    }
}

/// The line, or as much of it around the match as is shown.
fn around(line: &str, part: &Range<usize>) -> String {
    if line.len() <= LINE {
        return line.to_owned();
    }
    let start = line.floor_char_boundary(part.start.saturating_sub(LINE / 4));
    let end = line.ceil_char_boundary((start + LINE).min(line.len()));
    let shown = line.get(start..end).unwrap_or_default();
    let (before, after) = (if start > 0 { "… " } else { "" }, if end < line.len() { " …" } else { "" });
    format!("{before}{shown}{after}")
}
