//! A value beside its name, as two fields of one mapping.

use super::{Key, Reader, Style, at_least, quoted};
use crate::redact::{Source, Span};

/// What may stand between a name and a value of one mapping.
pub(super) const fn joins(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b'"' | b'\'' | b'\\')
}

/// Where the next field of the mapping begins: behind what joins the two, and the mark of a line of a difference.
fn joined(source: &Source<'_>, from: usize) -> usize {
    let at = source.skip(from, joins);
    let marked = matches!(source.at(at), Some(b'-' | b'+')) && source.before(at) == Some(b'\n');
    let inner = source.skip_blanks(at + 1);
    if marked && inner > at + 2 { inner } else { at }
}

/// Where the colon stands of a field called `value` that begins there.
fn value_at(source: &Source<'_>, at: usize) -> Option<usize> {
    let after = source.skip(at + 5, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b' '));
    (source.has(at, "value") && matches!(source.at(after), Some(b':' | b'='))).then_some(after)
}

impl Reader<'_> {
    /// The value beside a name that is itself a value: `name: DB_PASSWORD` with `value: …`, in whichever order.
    pub(super) fn named(&self, closed: usize) -> Option<Vec<Span>> {
        let source = self.source;
        let before = source.skip_back(self.key.start, 8, |byte| matches!(byte, b'"' | b'\'' | b'\\'));
        let before = source.skip_back(before, 8, |byte| matches!(byte, b' ' | b'\t'));
        if !matches!(source.before(before), Some(b':' | b'=')) {
            return None;
        }
        let name_end = source.skip_back(before - 1, 4, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b' '));
        let name = source.skip_back(name_end, 20, |byte| byte.is_ascii_alphanumeric());
        let label = source.slice(name, name_end).to_ascii_lowercase();
        if !["name", "key", "field", "variable", "var", "param", "parameter", "env", "header", "property", "k"]
            .contains(&label.as_str())
        {
            return None;
        }
        let data = Reader { source, key: Key { surety: at_least(self.key.surety), ..self.key }, alone: true };
        let at = source.skip(closed, joins);
        if source.at(at) == Some(b'>') {
            return data.element(at + 1);
        }
        let (mut values, mut at) = (None, joined(source, closed));
        // A difference shows the value before and the one after.
        while let Some(after) = value_at(source, at) {
            let below = Reader { key: Key { start: at, ..data.key }, ..data };
            values.get_or_insert_with(Vec::new).extend(below.spaced(source.skip_blanks(after + 1)));
            at = joined(source, source.line_end(after));
        }
        values.or_else(|| data.value_before(name))
    }

    /// The value that stands before the name, as `{"value": …, "name": …}` or on the line before.
    fn value_before(&self, name: usize) -> Option<Vec<Span>> {
        let source = self.source;
        // No value reaches over a line's end.
        let last = source.skip_back(name, 2_000, joins);
        let floor = source.line_start_within(last, 2_000 - (name - last));
        let mut end = last;
        let at = loop {
            let line = source.bytes_from(floor).get(..end - floor)?;
            end = floor + memchr::memrchr(b'v', line)?;
            if source.bytes_from(end).starts_with(b"value") && end + 5 <= last {
                break end;
            }
        };
        let after = value_at(source, at)?;
        let from = source.skip_blanks(after + 1);
        let (start, end, next) = quoted(source, from).unwrap_or_else(|| {
            let end = source.line_end(from).min(name);
            (from, end, end)
        });
        source.slice(next, name).bytes().all(joins).then(|| self.accept(start, end, Style::Data))
    }
}
