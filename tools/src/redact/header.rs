//! Values of the headers `Authorization` and `Cookie`, and of a scheme that stands alone.

use super::value::{is_random, is_reference};
use super::{Source, Span};

/// Schemes whose credentials are one word.
const ONE_WORD: [&str; 6] = ["bearer", "basic", "token", "apikey", "negotiate", "ntlm"];

/// Schemes whose credentials are the rest of the value.
const MANY_WORDS: [&str; 4] = ["digest", "aws4-hmac-sha256", "hawk", "sharedkey"];

/// The credentials in a value of `Authorization`, which ends at `end` at the latest.
pub(super) fn authorization(source: &Source<'_>, start: usize, end: usize) -> Option<Span> {
    let value = source.slice(start, end);
    let (scheme, rest) = value.split_once([' ', '\t'])?;
    let lower = scheme.to_ascii_lowercase();
    let from = start + scheme.len() + 1;
    let from = source.skip_blanks(from);
    let to = if ONE_WORD.contains(&lower.as_str()) {
        source
            .skip(from, |byte| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'\\' | b']' | b','))
            .min(end)
    } else if MANY_WORDS.contains(&lower.as_str()) {
        from + rest.trim().len()
    } else {
        return None;
    };
    let secret = source.slice(from, to);
    (!secret.is_empty() && !is_reference(source, from, to)).then(|| Span::new(from, to, lower))
}

/// The token after a `Bearer ` that stands alone; `at` is where that word ends.
pub(super) fn bearer(source: &Source<'_>, at: usize) -> Option<Span> {
    let from = source.skip_blanks(at);
    let to = source.skip(from, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    });
    let token = source.slice(from, to).trim_end_matches('.');
    (from > at && token.len() >= 12 && is_random(token)).then(|| Span::new(from, from + token.len(), "bearer"))
}

/// The credentials after a `Basic ` that stands alone: base64 of a name, a colon and a password.
pub(super) fn basic(source: &Source<'_>, at: usize) -> Option<Span> {
    let from = source.skip_blanks(at);
    let to = source.skip(from, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    let text = source.slice(from, to);
    let words = text.bytes().all(|byte| byte.is_ascii_lowercase());
    (text.len() >= 8 && text.len().is_multiple_of(4) && !words && decodes_to_a_pair(text))
        .then(|| Span::new(from, to, "basic"))
}

/// Whether base64 decodes to printable letters with a colon among them.
fn decodes_to_a_pair(text: &str) -> bool {
    let mut bits: u32 = 0;
    let mut held = 0;
    let mut colon = false;
    for byte in text.trim_end_matches('=').bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return false,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            let decoded = bits >> held & 0xff;
            if decoded < 0x20 || decoded == 0x7f {
                return false;
            }
            colon |= decoded == u32::from(b':');
        }
    }
    colon
}
