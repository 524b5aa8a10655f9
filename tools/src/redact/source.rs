//! The text that is read.

use memchr::{memchr, memrchr};

/// A text, read by the byte. All that secrets are told by is ASCII, so that a cut never splits a letter.
pub(super) struct Source<'a> {
    text: &'a str,
    bytes: &'a [u8],
}

impl<'a> Source<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes() }
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
        let rest = self.bytes_from(from);
        let end = from + memchr(b'\n', rest).unwrap_or(rest.len());
        if end > from && self.before(end) == Some(b'\r') { end - 1 } else { end }
    }

    /// Where the line begins.
    pub(super) fn line_start(&self, at: usize) -> usize {
        memrchr(b'\n', self.bytes.get(..at).unwrap_or_default()).map_or(0, |before| before + 1)
    }

    /// The start of the next line, or nothing on the last.
    pub(super) fn next_line(&self, from: usize) -> Option<usize> {
        memchr(b'\n', self.bytes_from(from)).map(|end| from + end + 1)
    }

    /// How many spaces stand at the start of the line, and of the marks of a list with them.
    pub(super) fn indent(&self, line: usize) -> usize {
        self.skip(line, |byte| byte == b' ') - line
    }
}
