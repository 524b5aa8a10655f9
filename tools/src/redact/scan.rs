//! Goes from one trigger to the next.

use regex::Regex;

use super::value::Style;
use super::{Source, Span, assignment, header, key, manifest, pem, url, value, vendor};

/// Every secret in the text, in no order.
pub(super) fn scan(source: &Source<'_>, triggers: &Regex) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut manifests = false;
    let mut at = 0;
    while let Some(found) = triggers.find_at(source.text(), at) {
        let (start, end) = (found.start(), found.end());
        at = end;
        let first = source.at(start).unwrap_or_default();
        let one = match first {
            b'[' => {
                // What is redacted already; its words are no names.
                at = source.skip(end, |byte| byte != b']' && byte != b'\n');
                None
            }
            b'-' => pem::block(source, start),
            b':' if found.as_str() == "://" => url::credentials(source, start),
            b':' => vendor::telegram(source, start),
            b'$' => vendor::hash(source, start),
            b'@' => url::driver(source, start),
            b' ' | b'\t' => url::command_line(source, end),
            _ if source.has(start, "hooks.slack") || source.has(start, "discord") => vendor::webhook(source, end),
            b'L' if source.rest(start).starts_with("LS0t") => pem::encoded(source, start),
            b'k' | b'K' if source.has(start, "kind") => {
                manifests = true;
                None
            }
            b'i' | b'I' if source.has(start, "identified") => identified(source, end),
            b'b' | b'B' if source.has(start, "basic ") => header::basic(source, end),
            _ => vendor::find(source, start).or_else(|| {
                let (resume, found) = named(source, start, end);
                at = at.max(resume);
                spans.extend(found);
                None
            }),
        };
        if let Some(span) = one {
            at = at.max(span.end);
            spans.push(span);
        }
    }
    if manifests {
        spans.extend(manifest::secrets(source));
    }
    spans.retain(|span| span.start < span.end);
    spans
}

/// The secrets under a name that the trigger is a part of, and where reading goes on.
fn named(source: &Source<'_>, start: usize, end: usize) -> (usize, Vec<Span>) {
    let (resume, key) = key::around(source, start, end);
    let Some(key) = key else { return (resume, Vec::new()) };
    let (mut spans, mut next) = assignment::secrets(source, key, resume);
    if spans.is_empty() && source.has(start, "bearer") {
        spans.extend(header::bearer(source, key.end));
        next = spans.iter().map(|span| span.end).max().unwrap_or(next);
    }
    (next, spans)
}

/// The password in SQL's `IDENTIFIED BY '…'`.
fn identified(source: &Source<'_>, at: usize) -> Option<Span> {
    let key = key::Key { start: at, end: at, kind: "password", surety: key::Surety::Sure };
    let (start, end, _) = assignment::quoted(source, source.skip_blanks(at))?;
    value::is_secret(source.slice(start, end), key, Style::Data).then(|| Span::new(start, end, "password"))
}
