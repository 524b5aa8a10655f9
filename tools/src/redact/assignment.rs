//! The value that a name is given, in the ways in which data is written.

mod beside;
mod near;
mod quotes;
mod word;

pub(super) use near::is_near;
pub(super) use quotes::quoted;
use word::word_end;

use super::key::{Key, Surety};
use super::value::{Style, is_secret};
use super::{Source, Span, difference, header};

/// The most elements of a list.
const ELEMENTS: usize = 50;

/// The secrets that this name is given, and where reading goes on.
pub(super) fn secrets(source: &Source<'_>, key: Key, resume: usize) -> (Vec<Span>, usize) {
    let reader = Reader { source, key, alone: alone(source, key.start) };
    let mut spans = reader.assigned().unwrap_or_default();
    spans.retain(|span| span.start < span.end);
    let end = spans.iter().map(|span| span.end).max().unwrap_or(resume);
    (spans, end.max(resume))
}

/// Quotes and brackets behind a name.
const fn closes(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']')
}

struct Reader<'a> {
    source: &'a Source<'a>,
    key: Key,
    /// Whether nothing that speaks stands before the name on its line.
    alone: bool,
}

/// Whether only indentation, a list's mark, a line's number or time, a quote or a shell's `export` stand before on the line.
fn alone(source: &Source<'_>, at: usize) -> bool {
    let start = source.line_start_within(at, 81);
    if at - start > 80 {
        return false;
    }
    let silent = |byte: u8| {
        byte.is_ascii_digit()
            || byte.is_ascii_whitespace()
            || matches!(byte, b'-' | b'+' | b'|' | b'#' | b'!' | b'"' | b'\'' | b'T' | b'Z' | b':' | b'.')
    };
    let before = source.slice(start, at);
    if before.bytes().all(silent) {
        return true;
    }
    let before = before.trim_ascii_end();
    let words = ["export", "set", "ENV", "ARG", "data."];
    let before = words.iter().find_map(|word| before.strip_suffix(word)).unwrap_or(before);
    before.bytes().all(silent)
}

impl Reader<'_> {
    fn assigned(&self) -> Option<Vec<Span>> {
        let source = self.source;
        let changed = difference::values(source, self.key.start, self.key.end);
        if !changed.is_empty() {
            let data = Reader { key: Key { surety: at_least(self.key.surety), ..self.key }, ..*self };
            return Some(changed.into_iter().flat_map(|(from, to)| data.accept(from, to, Style::Data)).collect());
        }
        let closed = source.skip(self.key.end, closes);
        let at = source.skip_blanks(closed);
        match (source.at(at), source.at(at + 1)) {
            (Some(b':'), Some(b'/')) if self.is_scheme(at) => None,
            (Some(b':' | b'='), Some(b'=' | b'>')) => Some(self.value(at + 2, at > closed || self.blank(at + 2))),
            (Some(b'='), Some(b'~')) => None,
            (Some(b'='), _) => Some(self.value(at + 1, at > closed || self.blank(at + 1))),
            (Some(b':'), _) if self.in_a_path(at) => None,
            (Some(b':'), _) => Some(self.colon(at + 1)),
            (Some(b'>'), _) if source.before(self.key.start) == Some(b'<') => self.element(at + 1),
            _ => self.argument(closed).or_else(|| self.named(closed)).or_else(|| self.quoted_after(closed, at)),
        }
    }

    fn blank(&self, at: usize) -> bool {
        matches!(self.source.at(at), Some(b' ' | b'\t'))
    }

    /// Whether the name and the colon begin an address: what follows reads as a host. A key may begin with slashes too.
    fn is_scheme(&self, colon: usize) -> bool {
        let of_host = |byte: u8| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || matches!(byte, b'.' | b'-' | b'_' | b':' | b'@' | b'[' | b']' | b'%')
        };
        let end = self.source.skip(colon + 3, of_host);
        self.source.at(colon + 2) == Some(b'/')
            && !self.source.at(end).is_some_and(|byte| byte.is_ascii_uppercase() || matches!(byte, b'+' | b'='))
    }

    /// Whether the name and the colon are parts of an image, a path, an ARN or an address.
    fn in_a_path(&self, colon: usize) -> bool {
        let tight = !self.blank(colon + 1)
            && !matches!(self.source.at(colon + 1), None | Some(b'\n' | b'\r' | b'"' | b'\'' | b'[' | b'\\'));
        let before = self.source.before(self.key.start);
        tight && matches!(before, Some(b'/' | b':' | b'@')) && !self.alone
    }

    /// The value after a colon.
    fn colon(&self, at: usize) -> Vec<Span> {
        if self.blank(at) || matches!(self.source.at(at), None | Some(b'\n' | b'\r')) {
            return self.spaced(self.source.skip_blanks(at));
        }
        self.value(at, false)
    }

    /// The value after an equals sign or a tight colon.
    fn value(&self, at: usize, spaced: bool) -> Vec<Span> {
        let from = self.source.skip_blanks(at);
        if let Some(spans) = self.enclosed(from) {
            return spans;
        }
        if spaced && self.alone {
            return self.rest_of_line(from);
        }
        // What a program's environment prints: the value may have spaces, unless another assignment follows.
        let capitals = self.source.slice(self.key.start, self.key.end).bytes().all(|byte| !byte.is_ascii_lowercase());
        let simple = || {
            let rest = self.source.slice(from, self.source.line_end(from));
            !rest.contains(['=', '"', '\'', '\\', '{', '}'])
        };
        if self.alone && capitals && !spaced && self.source.before(self.key.start) != Some(b'"') && simple() {
            return self.rest_of_line(from);
        }
        self.word(from, Style::Data)
    }

    /// The value after a colon and a blank.
    fn spaced(&self, from: usize) -> Vec<Span> {
        if let Some(spans) = self.enclosed(from) {
            return spans;
        }
        if !self.alone {
            return self.words(from);
        }
        match self.source.at(from) {
            None | Some(b'\n' | b'\r') => self.below(from),
            Some(b'|' | b'>')
                if self
                    .source
                    .slice(from + 1, self.source.line_end(from))
                    .bytes()
                    .all(|byte| matches!(byte, b'+' | b'-' | b' ' | b'0'..=b'9')) =>
            {
                self.block(from)
            }
            _ => self.rest_of_line(from),
        }
    }

    /// Values in quotes, and lists of values; nothing where neither begins there.
    fn enclosed(&self, from: usize) -> Option<Vec<Span>> {
        match self.source.at(from)? {
            b'"' | b'\'' | b'`' | b'\\' => {
                let (start, end, _) = quoted(self.source, from)?;
                Some(self.accept(start, end, Style::Data))
            }
            b'[' => Some(self.list(from + 1)),
            b'{' if self.source.at(from + 1) != Some(b'{') => Some(Vec::new()),
            _ => None,
        }
    }

    fn list(&self, from: usize) -> Vec<Span> {
        let source = self.source;
        if source.rest(from).starts_with("redacted:") {
            return Vec::new();
        }
        let mut spans = Vec::new();
        let mut at = from;
        for _ in 0..ELEMENTS {
            at = source.skip(at, |byte| byte.is_ascii_whitespace() || byte == b',');
            match source.at(at) {
                None | Some(b']' | b'{' | b'[') => break,
                _ => {}
            }
            let (start, end, after) = quoted(source, at).unwrap_or_else(|| {
                let in_element = |byte| !matches!(byte, b',' | b']' | b'\n' | b'"');
                let end = source.reach.element.end(at, || source.skip(at, in_element));
                (at, end, end)
            });
            spans.extend(self.accept(start, end, Style::Data));
            if after <= at {
                break;
            }
            at = after;
        }
        spans
    }

    /// All that stands to the end of the line, without a comment.
    fn rest_of_line(&self, from: usize) -> Vec<Span> {
        let end = self.source.line_end(from);
        let line = self.source.slice(from, end);
        let line = line.find(" #").map_or(line, |comment| line.get(..comment).unwrap_or_default()).trim_end();
        // A line of a table or of a flow: what follows the value is not its.
        let line = line.strip_suffix(',').unwrap_or(line);
        self.accept(from, from + line.len(), Style::Data)
    }

    /// One word, as it is given with an equals sign: what follows a separator and is itself an assignment is not its.
    fn word(&self, from: usize, style: Style) -> Vec<Span> {
        if self.key.kind == "authorization" {
            return self.accept(from, self.source.line_end(from), style);
        }
        self.accept(from, word_end(self.source, from), style)
    }

    /// The word after a colon within a line.
    fn words(&self, from: usize) -> Vec<Span> {
        match self.key.kind {
            "authorization" | "cookie" => {
                let in_header = |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'\\');
                let end = self.source.reach.header.end(from, || self.source.skip(from, in_header));
                self.accept(from, end, Style::Prose)
            }
            _ => self.word(from, Style::Prose),
        }
    }

    /// The lines of a block scalar of YAML: those that are indented more than the name.
    fn block(&self, from: usize) -> Vec<Span> {
        let source = self.source;
        let column = self.column();
        let (mut start, mut end) = (None, from);
        for (line, _) in source.lines_below(from, column) {
            start.get_or_insert(line + source.indent(line));
            end = source.line_end(line);
        }
        start.map(|start| self.accept(start, end, Style::Data)).unwrap_or_default()
    }

    /// A value on the next line, or a list of values on the next lines. A mapping there has names of its own.
    fn below(&self, from: usize) -> Vec<Span> {
        let source = self.source;
        let mut spans = Vec::new();
        let mut next = source.next_line(from);
        for index in 0..ELEMENTS {
            let Some(line) = next else { break };
            let indent = source.indent(line);
            let content = source.slice(line + indent, source.line_end(line));
            let item = content.strip_prefix("- ");
            let text = item.unwrap_or(content);
            let deep = indent > self.column() || item.is_some() && indent >= self.column();
            let mapping =
                text.contains(": ") || text.ends_with([':', '{', '[']) || text.starts_with('-') && item.is_none();
            if !deep || mapping || index > 0 && item.is_none() {
                break;
            }
            let start = source.line_end(line) - text.len();
            match quoted(source, start) {
                Some((start, end, _)) => spans.extend(self.accept(start, end, Style::Data)),
                None => {
                    spans.extend(self.accept(start, start + text.trim_end().trim_end_matches(',').len(), Style::Data));
                }
            }
            next = source.next_line(line);
        }
        spans
    }

    /// The column of the name; a quote before it belongs to it.
    fn column(&self) -> usize {
        let quote = matches!(self.source.before(self.key.start), Some(b'"' | b'\''));
        self.key.start - self.source.line_start(self.key.start) - usize::from(quote)
    }

    /// The text of `<password>…</password>`.
    fn element(&self, from: usize) -> Option<Vec<Span>> {
        let end = self.source.skip(from, |byte| byte != b'<');
        self.source.rest(end).starts_with("</").then(|| self.accept(from, end, Style::Data))
    }

    /// The argument after `--password`, also in a list of arguments.
    fn argument(&self, closed: usize) -> Option<Vec<Span>> {
        let source = self.source;
        if source.before(self.key.start) != Some(b'-') || matches!(self.key.surety, Surety::Random | Surety::Strong) {
            return None;
        }
        let in_quotes = closed > self.key.end;
        let mut at = source
            .skip(closed, |byte| matches!(byte, b' ' | b'\t' | b',' | b'\n' | b'\r') && (in_quotes || byte != b','));
        if at == closed {
            return None;
        }
        if source.rest(at).starts_with("- ") {
            at = source.skip_blanks(at + 1);
        } else if source.slice(closed, at).contains('\n') && !in_quotes {
            return None;
        }
        if source.at(at) == Some(b'-') {
            return None;
        }
        let style = if in_quotes { Style::Data } else { Style::Prose };
        match quoted(source, at) {
            Some((start, end, _)) => Some(self.accept(start, end, Style::Data)),
            // Which of two words is meant can't be told from how a token looks.
            None if self.key.surety == Surety::Likely => Some(self.word(at, Style::Data)),
            None => Some(self.word(at, style)),
        }
    }

    /// A password in quotes right after the word, as in `password "…"`, and the SQL of `IDENTIFIED BY '…'`.
    fn quoted_after(&self, closed: usize, at: usize) -> Option<Vec<Span>> {
        if self.key.kind != "password" || at == closed || closed != self.key.end {
            return None;
        }
        let (start, end, _) = quoted(self.source, at)?;
        Some(self.accept(start, end, Style::Prose))
    }

    /// The stretch, where it is a secret.
    fn accept(&self, start: usize, end: usize, style: Style) -> Vec<Span> {
        let source = self.source;
        if source.is_past_reading(end.saturating_sub(start)) {
            return vec![Span::new(start, source.up_to_placeholder(start, end), self.key.kind)];
        }
        let value = source.slice(start, end);
        if self.key.kind == "authorization"
            && let Some(span) = header::authorization(source, start, end)
        {
            return vec![span];
        }
        // A cookie is a name and a value; else the word is spoken of.
        let secret = match self.key.kind {
            "cookie" => value.contains('='),
            _ => is_secret(source, start, end, self.key, style),
        };
        if !secret {
            source.read_in_vain(value.len());
            return Vec::new();
        }
        let blank = value.len() - value.trim_start().len();
        vec![Span::new(start + blank, start + blank + value.trim().len(), self.key.kind)]
    }
}

/// A variable's name that tells of a secret is meant so.
const fn at_least(surety: Surety) -> Surety {
    match surety {
        Surety::Strong => Surety::Likely,
        other => other,
    }
}
