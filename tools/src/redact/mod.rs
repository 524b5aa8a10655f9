//! Takes secrets out of text before it is kept or leaves.
//!
//! One pass finds where a secret may stand: the prefix of a vendor's token, a name that tells of
//! one, a URL, a key block. What stands there is then read by hand. Nothing is taken for a secret for its entropy alone:
//! digests, UIDs, commits and names of pods stay.

mod assignment;
mod config;
mod cuts;
mod difference;
mod header;
mod key;
mod manifest;
mod pem;
mod personal;
mod placeholder;
mod quiet;
mod reach;
mod scan;
mod source;
mod stream;
mod trigger;
mod url;
mod value;
mod vendor;
mod words;

use std::borrow::Cow;
use std::sync::Arc;

use regex::Regex;

use crate::Redact;
use crate::toolbox::RedactStream;

pub use config::{RedactConfig, RedactError, SecretPattern};
use cuts::Cuts;
use placeholder::Placeholders;
use quiet::Quiet;
use scan::{Scanned, scan};
use source::Source;
use trigger::Triggers;

/// Replaces secrets by placeholders, as `[redacted:password:3fa9]`. Cheap to clone.
///
/// The same secret has the same four digits wherever it stands, so that two uses of it can be told to be the same. What
/// is redacted already stays as it is.
#[derive(Clone, Debug)]
pub struct Redactor(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    triggers: Triggers,
    emails: bool,
    cards: bool,
    extra: Vec<(String, Regex)>,
    allow: Vec<Regex>,
    placeholders: Placeholders,
}

/// A stretch of the text that is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    kind: Cow<'static, str>,
}

impl Span {
    fn new(start: usize, end: usize, kind: impl Into<Cow<'static, str>>) -> Self {
        Self { start, end, kind: kind.into() }
    }
}

impl Redactor {
    /// The redactor of a configuration.
    pub fn new(config: &RedactConfig) -> Result<Self, RedactError> {
        let compiled = |name: &str, pattern: &str| {
            Regex::new(pattern)
                .map_err(|source| RedactError::Pattern { name: name.to_owned(), source: Box::new(source) })
        };
        let mut extra = Vec::new();
        for SecretPattern { name, pattern } in &config.patterns {
            if name.is_empty() || name.len() > 40 || !name.bytes().all(placeholder::in_kind) {
                return Err(RedactError::Name { name: name.clone() });
            }
            let regex = compiled(name, pattern)?;
            if regex.is_match("") {
                return Err(RedactError::Empty { name: name.clone() });
            }
            extra.push((name.clone(), regex));
        }
        let allow = config.allow.iter().map(|pattern| compiled("allow", &format!("^(?:{pattern})$")));
        Ok(Self(Arc::new(Parts {
            triggers: Triggers::new(),
            emails: config.emails,
            cards: config.cards,
            extra,
            allow: allow.collect::<Result<_, _>>()?,
            placeholders: Placeholders::new(config.key.as_ref()),
        })))
    }

    /// The secrets in a text, in order; of it, these stretches are known to be quiet.
    fn scanned(&self, source: &Source<'_>, known: &Quiet) -> Scanned {
        let text = source.slice(0, source.len());
        let Scanned { mut spans, visits } = scan(source, &self.0.triggers, known);
        if self.0.emails {
            spans.extend(personal::emails(source));
        }
        if self.0.cards {
            spans.extend(personal::cards(source));
        }
        for (name, regex) in &self.0.extra {
            let secret = |found: regex::Captures<'_>| {
                let part = found.name("secret").or_else(|| found.get(0))?;
                (!part.is_empty()).then(|| Span::new(part.start(), part.end(), name.clone()))
            };
            spans.extend(regex.captures_iter(text).filter_map(secret));
        }
        if !spans.is_empty() {
            placeholder::leave(source, &mut spans);
        }
        spans.retain(|span| {
            let value = text.get(span.start..span.end).unwrap_or_default();
            !self.0.allow.iter().any(|allowed| allowed.is_match(value))
        });
        Scanned { spans: merged(spans), visits }
    }
}

/// Spans in order, those that touch or overlap as one; its kind is that of the first.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// How often a text is read again after something was taken out of it.
const AGAIN: usize = 4;

impl Redactor {
    /// The text without what one reading finds, and where it is quiet; nothing where it finds nothing. Cuts move with the
    /// text.
    fn pass(&self, text: &str, known: &Quiet, cuts: &mut Cuts) -> Option<(String, Quiet)> {
        let source = Source::new(text);
        let Scanned { spans, visits } = self.scanned(&source, known);
        if spans.is_empty() {
            return None;
        }
        let mut clean = String::with_capacity(text.len() + spans.len() * placeholder::USUAL);
        let mut replaced = Vec::with_capacity(spans.len());
        let mut from = 0;
        for span in spans {
            clean.push_str(text.get(from..span.start).unwrap_or_default());
            let secret = text.get(span.start..span.end).unwrap_or_default();
            let before = clean.len();
            self.0.placeholders.write(&mut clean, &span.kind, secret);
            from = span.end;
            replaced.push((span, clean.len() - before));
        }
        clean.push_str(text.get(from..).unwrap_or_default());
        cuts.moved(&replaced);
        Some((clean, Quiet::of(&source, &visits).moved(&replaced)))
    }

    /// The text without secrets, where it has some; cuts move with it.
    fn without(&self, text: &str, cuts: &mut Cuts) -> Option<String> {
        let (mut clean, mut quiet) = self.pass(text, &Quiet::default(), cuts)?;
        // What stood beside a secret may read as another once that is gone.
        for _ in 0..AGAIN {
            match self.pass(&clean, &quiet, cuts) {
                Some((again, still)) => (clean, quiet) = (again, still),
                None => break,
            }
        }
        Some(clean)
    }
}

impl Redact for Redactor {
    fn redact(&self, text: &str) -> String {
        self.without_secrets(text).unwrap_or_else(|| text.to_owned())
    }

    fn without_secrets(&self, text: &str) -> Option<String> {
        self.without(text, &mut Cuts::default())
    }

    fn stream(&self) -> Box<dyn RedactStream + '_> {
        Box::new(stream::Stream::new(self, stream::Reach::default()))
    }
}

#[cfg(test)]
mod tests;
