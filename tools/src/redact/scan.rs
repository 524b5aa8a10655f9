//! Goes from one trigger to the next.

use super::quiet::{Quiet, REACH};
use super::trigger::{Found, Trigger, Triggers};
use super::value::Style;
use super::{Source, Span, assignment, header, key, manifest, pem, url, value, vendor};

/// What one reading of a text gives.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Every secret, in no order.
    pub(super) spans: Vec<Span>,
    /// Stretches in which no trigger begins, in order.
    pub(super) quiet: Quiet,
}

/// Reads a text. No trigger begins in the stretches that are known to be quiet.
pub(super) fn scan(source: &Source<'_>, triggers: &Triggers, known: &Quiet) -> Scanned {
    let mut spans = Vec::new();
    let mut quiet = Quiet::default();
    let mut known = known.iter().peekable();
    let mut manifests = false;
    let (mut at, mut quiet_from) = (0, 0);
    loop {
        let Some(Found { start, end, trigger }) = triggers.find_but(source, at, &mut known) else {
            quiet.add(quiet_from, source.len());
            break;
        };
        at = end;
        let mut local = false;
        let one = match trigger {
            // The words of what is redacted already are no names.
            Trigger::Placeholder => {
                at = source.skip(end, |byte| byte != b']' && byte != b'\n');
                None
            }
            Trigger::KeyBlock => pem::block(source, start),
            Trigger::EncodedKey => pem::encoded(source, start),
            Trigger::Url => {
                let (span, reach) = url::credentials(source, start);
                local = span.is_none() && reach - start <= REACH;
                span
            }
            Trigger::Driver => url::driver(source, start),
            Trigger::User => url::command_line(source, end),
            Trigger::Hash => vendor::hash(source, start),
            Trigger::Webhook => vendor::webhook(source, end),
            Trigger::Telegram => vendor::telegram(source, start),
            Trigger::Identified => identified(source, end),
            Trigger::Basic => header::basic(source, end),
            Trigger::Manifest => {
                manifests = true;
                None
            }
            Trigger::Token | Trigger::Name => token(source, start, trigger).or_else(|| {
                let before = spans.len();
                let (resume, reads_on_line) = named(source, start, end, &mut spans);
                local = spans.len() == before && reads_on_line && resume - start <= REACH;
                at = at.max(resume);
                None
            }),
        };
        if let Some(span) = one {
            at = at.max(span.end);
            spans.push(span);
        }
        // What was read to no avail, and only near by, need not be read again where nothing near by changes.
        if !local {
            quiet.add(quiet_from, start);
            quiet_from = at;
        }
    }
    if manifests {
        spans.extend(manifest::secrets(source));
    }
    spans.retain(|span| span.start < span.end);
    Scanned { spans, quiet }
}

/// A vendor's token, where one begins.
fn token(source: &Source<'_>, start: usize, trigger: Trigger) -> Option<Span> {
    if trigger == Trigger::Token { vendor::find(source, start) } else { None }
}

/// Adds the secrets under a name that the trigger is a part of. Says where reading goes on, and whether no more was read
/// than a short line.
fn named(source: &Source<'_>, start: usize, end: usize, into: &mut Vec<Span>) -> (usize, bool) {
    let (resume, key) = key::around(source, start, end);
    let Some(key) = key else { return (resume, true) };
    let (mut spans, mut next) = assignment::secrets(source, key, resume);
    if spans.is_empty() && source.has(start, "bearer") {
        spans.extend(header::bearer(source, key.end));
        next = spans.iter().map(|span| span.end).max().unwrap_or(next);
    }
    let on_line = spans.is_empty() && assignment::is_on_a_short_line(source, key);
    into.extend(spans);
    (next, on_line)
}

/// The password in SQL's `IDENTIFIED BY '…'`.
fn identified(source: &Source<'_>, at: usize) -> Option<Span> {
    let key = key::Key { start: at, end: at, kind: "password", surety: key::Surety::Sure };
    let (start, end, _) = assignment::quoted(source, source.skip_blanks(at))?;
    value::is_secret(source.slice(start, end), key, Style::Data).then(|| Span::new(start, end, "password"))
}
