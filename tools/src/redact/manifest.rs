//! The values of Secrets in manifests, whatever their names.

use super::value::is_reference;
use super::{Source, Span, assignment};

/// Every value under `data` and `stringData` in a text that shows a Secret.
///
/// A text may show other objects too; of `data`, a block is taken only where all of its values are base64, as a Secret's are.
pub(super) fn secrets(source: &Source<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    for (field, encoded) in [("data", true), ("stringData", false)] {
        let mut from = 0;
        while let Some(found) = source.rest(from).find(field) {
            let at = from + found;
            from = at + field.len();
            if source.before(at).is_some_and(|byte| byte.is_ascii_alphanumeric()) {
                continue;
            }
            let block = json(source, from).unwrap_or_else(|| yaml(source, at, from));
            let secret = |span: &Span| !encoded || is_base64(source.slice(span.start, span.end));
            if block.iter().all(secret) {
                spans.extend(block);
            }
        }
    }
    spans
}

/// The values of `"data": {"name": "value", …}`, also in a string of JSON; `from` is where the field's name ends.
fn json(source: &Source<'_>, from: usize) -> Option<Vec<Span>> {
    let filler = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b':' | b'"' | b'\\');
    let open = source.skip(from, filler);
    if source.at(open) != Some(b'{') {
        return None;
    }
    let mut spans = Vec::new();
    let mut at = open + 1;
    loop {
        at = source.skip(at, |byte| byte.is_ascii_whitespace() || byte == b',');
        let Some((_, _, after_name)) = assignment::quoted(source, at) else { break };
        let value = source.skip(after_name, |byte| byte.is_ascii_whitespace() || byte == b':');
        let Some((start, end, after)) = assignment::quoted(source, value) else { break };
        spans.extend(span(source, start, end));
        at = after;
    }
    Some(spans)
}

/// The values below `data:`, which begins at `at`; `from` is where the field's name ends.
fn yaml(source: &Source<'_>, at: usize, from: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    let line = source.line_start(at);
    let alone = source.slice(line, at).bytes().all(|byte| matches!(byte, b' ' | b'-'));
    if !alone || source.slice(from, source.line_end(from)).trim() != ":" {
        return spans;
    }
    let column = at - line;
    let mut next = source.next_line(from);
    while let Some(line) = next {
        next = source.next_line(line);
        let text = source.slice(line, source.line_end(line));
        if text.trim().is_empty() {
            continue;
        }
        if source.indent(line) <= column {
            break;
        }
        let name = text.find(':').unwrap_or_default();
        let start = source.skip_blanks(line + name + 1);
        let (start, end) = match assignment::quoted(source, start) {
            Some((start, end, _)) if name > 0 => (start, end),
            _ if name > 0 && !text.trim_end().ends_with(['|', '-', '+', '>']) => (start, source.line_end(line)),
            // A line of a block.
            _ if name == 0 => (line + source.indent(line), source.line_end(line)),
            _ => continue,
        };
        spans.extend(span(source, start, end));
    }
    spans
}

fn span(source: &Source<'_>, start: usize, end: usize) -> Option<Span> {
    let value = source.slice(start, end);
    (!value.trim().is_empty() && !is_reference(value))
        .then(|| Span::new(start, start + value.trim_end().len(), "secret"))
}

fn is_base64(text: &str) -> bool {
    text.len().is_multiple_of(4)
        && text.trim_end_matches('=').bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
