//! The text that is read.

use std::cell::{Cell, OnceCell};

use memchr::{memchr, memrchr};

use super::placeholder;
use super::reach::{Reach, Reaches};

/// A text, read by the byte. All that secrets are told by is ASCII, so that a cut never splits a letter.
///
/// What is far to look for is remembered: on a line of a megabyte each name would else read the line anew.
#[derive(Default)]
pub(super) struct Source<'a> {
    text: &'a str,
    bytes: &'a [u8],
    line_feed: Reach,
    /// Where a line begins, and how far it was seen to go on.
    line: Cell<(usize, usize)>,
    placeholders: OnceCell<Vec<(usize, usize)>>,
    /// How many bytes of long values were read and were no secrets.
    in_vain: Cell<usize>,
    /// A line, and whether it names a program that takes a user.
    programs: Cell<(Option<(usize, usize)>, bool)>,
    /// Where an `@` was looked for, and the last one there.
    at_sign: Cell<(usize, usize, Option<usize>)>,
    pub(super) reach: Reaches,
}

/// Longer values are seldom written where they can't be told to be a secret at once.
pub(super) const LONG: usize = 1 << 10;

/// How often a text's length may be read in vain. What people and programs write stays far below; beyond it a text is
/// made to cost time.
const PATIENCE: usize = 64;

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), ..Self::default() }
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn at(&self, index: usize) -> Option<u8> {
        self.bytes.get(index).copied()
    }

    /// The byte before.
    pub(super) fn before(&self, index: usize) -> Option<u8> {
        self.at(index.checked_sub(1)?)
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    pub(super) fn rest(&self, start: usize) -> &'a str {
        self.text.get(start..).unwrap_or_default()
    }

    pub(super) fn bytes_from(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..).unwrap_or_default()
    }

    /// Whether these letters stand there, whatever their case.
    pub(super) fn has(&self, index: usize, letters: &str) -> bool {
        let there = self.bytes.get(index..index + letters.len());
        there.is_some_and(|there| there.eq_ignore_ascii_case(letters.as_bytes()))
    }

    /// Where `most` bytes from there on end, between two letters.
    pub(super) fn cut(&self, from: usize, most: usize) -> usize {
        self.text.floor_char_boundary(from.saturating_add(most)).max(from)
    }

    /// The end of the bytes from there on that `fits`.
    pub(super) fn skip(&self, from: usize, fits: impl Fn(u8) -> bool) -> usize {
        self.skip_at_most(from, usize::MAX, fits)
    }

    /// The end of the bytes from there on that `fits`, at most `most` of them.
    pub(super) fn skip_at_most(&self, from: usize, most: usize, fits: impl Fn(u8) -> bool) -> usize {
        from + self.bytes_from(from).iter().take(most).take_while(|byte| fits(**byte)).count()
    }

    /// The start of the bytes up to there that `fits`, at most `most` of them.
    pub(super) fn skip_back(&self, to: usize, most: usize, fits: impl Fn(u8) -> bool) -> usize {
        let before = self.bytes.get(..to).unwrap_or_default();
        to - before.iter().rev().take(most).take_while(|byte| fits(**byte)).count()
    }

    /// The end of the spaces and tabs from there on.
    pub(super) fn skip_blanks(&self, from: usize) -> usize {
        self.skip(from, |byte| matches!(byte, b' ' | b'\t'))
    }

    /// Where the line ends, before its line feed and a carriage return.
    pub(super) fn line_end(&self, from: usize) -> usize {
        let end = self.line_feed(from);
        if end > from && self.before(end) == Some(b'\r') { end - 1 } else { end }
    }

    /// Where the next line feed is, or the text ends.
    fn line_feed(&self, from: usize) -> usize {
        self.line_feed.end(from, || {
            let rest = self.bytes_from(from);
            from + memchr(b'\n', rest).unwrap_or(rest.len())
        })
    }

    /// The same, no farther than `most` bytes.
    pub(super) fn line_feed_within(&self, from: usize, most: usize) -> usize {
        let rest = self.bytes_from(from);
        let rest = rest.get(..most).unwrap_or(rest);
        from + memchr(b'\n', rest).unwrap_or(rest.len())
    }

    /// Where the line begins.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let (start, seen) = self.line.get();
        let known = start <= at;
        let from = if known { seen.min(at) } else { 0 };
        let start = match memrchr(b'\n', self.bytes.get(from..at).unwrap_or_default()) {
            Some(before) => from + before + 1,
            None if known => start,
            None => 0,
        };
        self.line.set((start, if known { seen.max(at) } else { at }));
        start
    }

    /// The same, no farther than `most` bytes.
    pub(super) fn line_start_within(&self, at: usize, most: usize) -> usize {
        let from = at.saturating_sub(most);
        memrchr(b'\n', self.bytes.get(from..at).unwrap_or_default()).map_or(from, |before| from + before + 1)
    }

    /// The lines behind this one that are indented by more than `column`, up to the first that isn't: where each begins,
    /// and its text. Blank ones are passed over.
    pub(super) fn lines_below(&self, from: usize, column: usize) -> impl Iterator<Item = (usize, &'a str)> {
        let behind = std::iter::successors(self.next_line(from), |line| self.next_line(*line));
        let lines = behind.map(|line| (line, self.slice(line, self.line_end(line))));
        let filled = lines.filter(|(_, text)| !text.trim().is_empty());
        filled.take_while(move |(line, _)| self.indent(*line) > column)
    }

    /// The start of the next line, or nothing on the last.
    pub(super) fn next_line(&self, from: usize) -> Option<usize> {
        let end = self.line_feed(from);
        (end < self.len()).then_some(end + 1)
    }

    /// The last `@` of the stretch.
    pub(super) fn last_at_sign(&self, start: usize, end: usize) -> Option<usize> {
        let (from, to, mut found) = self.at_sign.get();
        if to != end || start < from {
            found = memrchr(b'@', self.bytes.get(start..end).unwrap_or_default()).map(|at| start + at);
            self.at_sign.set((start, end, found));
        }
        found.filter(|at| *at >= start)
    }

    /// Whether the line names one of these programs.
    pub(super) fn is_line_of(&self, at: usize, programs: &[&str]) -> bool {
        let line = (self.line_start(at), self.line_end(at));
        let (known, names) = self.programs.get();
        if known == Some(line) {
            return names;
        }
        let names = programs.iter().any(|program| self.slice(line.0, line.1).contains(program));
        self.programs.set((Some(line), names));
        names
    }

    /// Where placeholders stand, in order.
    pub(super) fn placeholders(&self) -> &[(usize, usize)] {
        self.placeholders.get_or_init(|| placeholder::ranges(self.text).collect())
    }

    /// The first placeholder that begins there or later.
    fn placeholder_from(&self, from: usize) -> Option<(usize, usize)> {
        let placeholders = self.placeholders();
        placeholders.get(placeholders.partition_point(|(start, _)| *start < from)).copied()
    }

    /// Whether a placeholder is in the stretch.
    pub(super) fn has_placeholder(&self, start: usize, end: usize) -> bool {
        self.placeholder_from(start).is_some_and(|(_, last)| last <= end)
    }

    /// Where the stretch ends, or the first placeholder in it begins.
    pub(super) fn up_to_placeholder(&self, start: usize, end: usize) -> usize {
        self.placeholder_from(start).map_or(end, |(first, _)| first.min(end))
    }

    /// Tells that so long a value was read and is no secret.
    pub(super) fn read_in_vain(&self, length: usize) {
        if length > LONG {
            self.in_vain.set(self.in_vain.get().saturating_add(length));
        }
    }

    /// Whether so long a value is not to be read any more: the text is made to have it read again and again.
    pub(super) fn is_past_reading(&self, length: usize) -> bool {
        length > LONG && self.in_vain.get() > PATIENCE.saturating_mul(self.len())
    }

    /// How many spaces stand at the start of the line, and of the marks of a list with them.
    pub(super) fn indent(&self, line: usize) -> usize {
        self.skip(line, |byte| byte == b' ') - line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Source;

    proptest! {
        #[test]
        fn what_is_remembered_is_what_is_read_anew(text in "[a@\\r\\n]{0,40}", places in proptest::collection::vec((0..40_usize, 0..40_usize), 1..20)) {
            let source = Source::new(&text);
            for (one, other) in places {
                let (start, end) = (one.min(other).min(text.len()), one.max(other).min(text.len()));
                let anew = Source::new(&text);
                prop_assert_eq!(source.line_start(end), text[..end].rfind('\n').map_or(0, |feed| feed + 1));
                prop_assert_eq!(source.line_end(start), anew.line_end(start));
                prop_assert_eq!(source.next_line(start), text[start..].find('\n').map(|feed| start + feed + 1));
                prop_assert_eq!(source.last_at_sign(start, end), text[start..end].rfind('@').map(|at| start + at));
                prop_assert_eq!(source.is_line_of(start, &["aa"]), anew.is_line_of(start, &["aa"]));
            }
        }
    }
}
