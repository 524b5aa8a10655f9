//! What stands where a secret stood.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use hmac::{Hmac, KeyInit, Mac};
use marple_core::Secret;
use memchr::memmem::Finder;
use sha2::Sha256;

use super::{Source, Span};

/// What each placeholder begins with.
pub(super) const START: &str = "[redacted:";

/// How long most are.
pub(super) const USUAL: usize = 24;

/// Writes placeholders.
#[derive(Clone)]
pub(super) struct Placeholders(Hmac<Sha256>);

impl std::fmt::Debug for Placeholders {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Placeholders")
    }
}

impl Placeholders {
    pub(super) fn new(key: Option<&Secret>) -> Self {
        let key = match key {
            Some(key) => key.expose().as_bytes().to_vec(),
            // The standard library seeds its maps' hashes from the operating system's randomness.
            None => (0..4).flat_map(|part: u8| RandomState::new().hash_one(part).to_le_bytes()).collect(),
        };
        // A key of any length is taken; without this the type would say otherwise.
        let hashed = Hmac::<Sha256>::new_from_slice(&key).unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
        Self(hashed)
    }

    /// Writes `[redacted:<kind>:<4 digits>]`: enough to tell two secrets apart, too little to try guesses against.
    pub(super) fn write(&self, into: &mut String, kind: &str, secret: &str) {
        let mut hash = self.0.clone();
        hash.update(secret.trim().as_bytes());
        let digest = hash.finalize().into_bytes();
        let [first, second, ..] = digest.as_slice() else { return };
        let digit = |four: u8| char::from_digit(u32::from(four & 0xf), 16).unwrap_or_default();
        into.extend([START, kind, ":"]);
        into.extend([first >> 4, *first, second >> 4, *second].map(digit));
        into.push(']');
    }
}

/// Where placeholders stand in the text: exactly what is written here, for a log may hold words that look like it.
pub(super) fn ranges(text: &str) -> impl Iterator<Item = (usize, usize)> {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(START));
    FINDER.find_iter(text.as_bytes()).filter_map(|start| {
        let (kind, rest) = text.get(start + START.len()..)?.split_once(':')?;
        let named = !kind.is_empty() && kind.len() <= 40 && kind.bytes().all(in_kind);
        let digits = rest.get(..4).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let end = start + START.len() + kind.len() + 6;
        (named && digits && rest.as_bytes().get(4) == Some(&b']')).then_some((start, end))
    })
}

/// Takes out the spans that touch a placeholder: what is redacted stays as it is.
pub(super) fn leave(source: &Source<'_>, spans: &mut Vec<Span>) {
    let done = source.placeholders();
    spans.retain(|span| {
        let next = done.partition_point(|(_, end)| *end <= span.start);
        done.get(next).is_none_or(|(start, _)| *start >= span.end)
    });
}

/// Whether this letter can stand in a kind.
pub(super) const fn in_kind(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
