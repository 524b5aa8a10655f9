//! The values of Secrets in manifests, whatever their names.

use std::collections::HashMap;

use memchr::memmem;

use super::value::is_reference;
use super::{Source, Span, assignment};

/// Every value under `data` and `stringData` in a text that shows a Secret.
///
/// A text may show other objects too; of `data`, a block is taken only where all of its values are base64, as a Secret's are.
pub(super) fn secrets(source: &Source<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    for (field, encoded) in [("data", true), ("stringData", false)] {
        let mut blocks = Blocks { source, encoded, spans, read_lines: 0, read_names: HashMap::new() };
        for at in memmem::find_iter(source.bytes_from(0), field) {
            if !source.before(at).is_some_and(|byte| byte.is_ascii_alphanumeric()) {
                blocks.read(at, at + field.len());
            }
        }
        spans = blocks.spans;
    }
    spans
}

/// Whether a text has a block of values that a Secret may have.
pub(super) fn has_values(text: &str) -> bool {
    let source = Source::new(text);
    let begins = |at: usize| {
        let from = at + "data".len();
        opened(&source, from).is_some() || source.slice(from, source.line_end(from)).trim() == ":"
    };
    let fields = memmem::find_iter(text.as_bytes(), "ata").filter_map(|at| at.checked_sub(1));
    fields.filter(|at| source.has(*at, "data")).any(begins)
}

/// The blocks of values under one field.
struct Blocks<'a> {
    source: &'a Source<'a>,
    /// Whether all values of a block must be base64.
    encoded: bool,
    spans: Vec<Span>,
    /// Up to where lines of YAML were taken, which those have with them that stand deeper.
    read_lines: usize,
    /// Where names of JSON begin that were read, and whether their block was taken. Another block that comes to one goes on
    /// as that did, so none is read again: a text may be made of beginnings of blocks.
    read_names: HashMap<usize, bool>,
}

impl Blocks<'_> {
    /// Takes the values of the block whose field's name begins at `at` and ends at `from`.
    fn read(&mut self, at: usize, from: usize) {
        let before = self.spans.len();
        let taken = match opened(self.source, from) {
            Some(open) => self.json(open),
            None => self.yaml(at, from).is_some(),
        };
        if !taken {
            self.spans.truncate(before);
        }
    }

    /// The values of JSON that begin there. Whether they are taken.
    fn json(&mut self, open: usize) -> bool {
        let source = self.source;
        let mut names = Vec::new();
        let mut at = open;
        let taken = loop {
            at = source.skip(at, |byte| byte.is_ascii_whitespace() || byte == b',');
            if let Some(taken) = self.read_names.get(&at) {
                break *taken;
            }
            let Some((_, _, after_name)) = assignment::quoted(source, at) else { break true };
            let value = source.skip(after_name, |byte| byte.is_ascii_whitespace() || byte == b':');
            let Some((start, end, after)) = assignment::quoted(source, value) else { break true };
            names.push(at);
            if self.add(start, end).is_none() {
                break false;
            }
            at = after;
        };
        self.read_names.extend(names.into_iter().map(|name| (name, taken)));
        taken
    }

    /// The values below `data:` in YAML; nothing where they are not taken.
    fn yaml(&mut self, at: usize, from: usize) -> Option<()> {
        let source = self.source;
        let line = source.line_start(at);
        let alone = source.slice(line, at).bytes().all(|byte| matches!(byte, b' ' | b'-'));
        if at < self.read_lines || !alone || source.slice(from, source.line_end(from)).trim() != ":" {
            return None;
        }
        let column = at - line;
        let mut next = source.next_line(from);
        for (line, text) in source.lines_below(from, column) {
            self.line(line, text)?;
            next = source.next_line(line);
        }
        self.read_lines = next.unwrap_or(source.len());
        Some(())
    }

    /// The value on one line of a block of YAML; nothing where it is not encoded that should be.
    fn line(&mut self, line: usize, text: &str) -> Option<()> {
        let source = self.source;
        let name = text.find(':').unwrap_or_default();
        let start = source.skip_blanks(line + name + 1);
        let (start, end) = match assignment::quoted(source, start) {
            Some((start, end, _)) if name > 0 => (start, end),
            _ if name > 0 && begins_a_block(source.slice(start, source.line_end(line))) => return Some(()),
            // Something that was written into the manifest; the rest still counts.
            _ if name > 0 && self.encoded && is_foreign(text, source.slice(start, source.line_end(line))) => {
                return Some(());
            }
            _ if name > 0 => (start, source.line_end(line)),
            // A line of a block.
            _ => (line + source.indent(line), source.line_end(line)),
        };
        self.add(start, end)
    }

    /// Adds a value, unless it is none; nothing where it is not encoded that should be.
    fn add(&mut self, start: usize, end: usize) -> Option<()> {
        let value = self.source.slice(start, end);
        if value.trim().is_empty() || is_reference(self.source, start, end) {
            return Some(());
        }
        let value = value.trim_end();
        if self.encoded && !is_base64(value) {
            return None;
        }
        self.spans.push(Span::new(start, start + value.len(), "secret"));
        Some(())
    }
}

/// Where the values begin of `"data": {"name": "value", …}`, also in a string of JSON; `from` is where the field's name ends.
fn opened(source: &Source<'_>, from: usize) -> Option<usize> {
    let filler = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b':' | b'"' | b'\\');
    let open = source.skip(from, filler);
    (source.at(open) == Some(b'{')).then_some(open + 1)
}

/// Whether it is the mark of a block scalar of YAML, whose lines follow.
fn begins_a_block(value: &str) -> bool {
    value.starts_with(['|', '>'])
        && value.trim_end().bytes().all(|byte| matches!(byte, b'|' | b'>' | b'+' | b'-' | b'0'..=b'9'))
}

/// Whether a line ends as no value in base64 does.
fn is_foreign(line: &str, value: &str) -> bool {
    line.trim_end().ends_with(['|', '-', '+', '>']) && !is_base64(value.trim())
}

fn is_base64(text: &str) -> bool {
    text.len().is_multiple_of(4)
        && text.trim_end_matches('=').bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
