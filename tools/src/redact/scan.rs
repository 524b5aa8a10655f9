//! Goes from one trigger to the next.

use super::quiet::{Quiet, Read, Visit};
use super::trigger::{Found, Trigger, Triggers};
use super::value::Style;
use super::{Source, Span, assignment, header, key, manifest, pem, url, value, vendor};

/// What one reading of a text gives.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Every secret, in no order.
    pub(super) spans: Vec<Span>,
    /// Every trigger, in order.
    pub(super) visits: Vec<Visit>,
}

/// Reads a text. No trigger begins in the stretches that are known to be quiet.
pub(super) fn scan(source: &Source<'_>, triggers: &Triggers, known: &Quiet) -> Scanned {
    let mut spans = Vec::new();
    let mut visits = Vec::new();
    // Private keys: in what is only taken for one reading goes on, so that not all end where it does.
    let mut blocks = Vec::new();
    let mut known = known.iter().peekable();
    let mut manifests = false;
    let mut at = 0;
    while let Some(Found { start, end, trigger }) = triggers.find_but(source, at, &mut known) {
        let before = spans.len();
        let (mut next, mut read) = (end, Read::Far);
        match trigger {
            // The words of what is redacted already are no names.
            Trigger::Placeholder => next = source.skip(end, |byte| byte != b']' && byte != b'\n'),
            Trigger::KeyBlock => {
                if let Some((span, resume)) = pem::block(source, start) {
                    blocks.push(span);
                    next = resume;
                }
            }
            Trigger::EncodedKey => spans.extend(pem::encoded(source, start)),
            Trigger::Url => {
                let (span, reach) = url::credentials(source, start);
                read = Read::To(reach);
                spans.extend(span);
            }
            Trigger::Driver => spans.extend(url::driver(source, start)),
            Trigger::User => spans.extend(url::command_line(source, end)),
            Trigger::Hash => spans.extend(vendor::hash(source, start)),
            Trigger::Webhook => spans.extend(vendor::webhook(source, end)),
            Trigger::Telegram => spans.extend(vendor::telegram(source, start)),
            Trigger::Identified => spans.extend(identified(source, end)),
            Trigger::Basic => spans.extend(header::basic(source, end)),
            Trigger::Manifest => manifests = true,
            Trigger::Token | Trigger::Name => {
                if let Some(span) = token(source, start, trigger) {
                    spans.push(span);
                } else {
                    (next, read) = named(source, start, end, &mut spans);
                }
            }
        }
        if let Some(found) = spans.get(before..).filter(|found| !found.is_empty()) {
            read = Read::Far;
            next = found.iter().map(|span| span.end).fold(next, usize::max);
        }
        at = next.max(end);
        visits.push(Visit { start, next: at, read });
    }
    if manifests {
        spans.extend(manifest::secrets(source));
    }
    spans.append(&mut blocks);
    spans.retain(|span| span.start < span.end);
    Scanned { spans, visits }
}

/// A vendor's token, where one begins.
fn token(source: &Source<'_>, start: usize, trigger: Trigger) -> Option<Span> {
    if trigger == Trigger::Token { vendor::find(source, start) } else { None }
}

/// Adds the secrets under a name that the trigger is a part of. Says where reading goes on, and what was read.
fn named(source: &Source<'_>, start: usize, end: usize, into: &mut Vec<Span>) -> (usize, Read) {
    let (resume, key) = key::around(source, start, end);
    let Some(key) = key else { return (resume, Read::To(resume)) };
    let (mut spans, mut next) = assignment::secrets(source, key, resume);
    if spans.is_empty() && source.has(start, "bearer") {
        spans.extend(header::bearer(source, key.end));
        next = spans.iter().map(|span| span.end).max().unwrap_or(next);
    }
    into.extend(spans);
    (next, Read::Under(key.start, key.end))
}

/// The password in SQL's `IDENTIFIED BY '…'`.
fn identified(source: &Source<'_>, at: usize) -> Option<Span> {
    let key = key::Key { start: at, end: at, kind: "password", surety: key::Surety::Sure };
    let (start, end, _) = assignment::quoted(source, source.skip_blanks(at))?;
    value::is_secret(source, start, end, key, Style::Data).then(|| Span::new(start, end, "password"))
}
