//! Private keys in PEM (RFC 7468), also in a JSON string and in base64.

use super::{Source, Span};

/// The farthest that an end is looked for: a key of 16,384 bits has 13 KB.
const LONGEST: usize = 64 << 10;

/// The private key whose block begins there. Certificates and public keys are no secrets.
pub(super) fn block(source: &Source<'_>, at: usize) -> Option<Span> {
    let label_end =
        source.skip(at, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b' '));
    let label = source.slice(at, label_end);
    if !label.contains("PRIVATE KEY") && !label.contains("OPENSSH") {
        return None;
    }
    let body = at + label.trim_end().len();
    let rest = source.rest(body);
    let within = rest.get(..rest.floor_char_boundary(LONGEST)).unwrap_or_default();
    let end = match within.find("-----END") {
        // Only the letters between: the two lines say that a key was there.
        Some(end) => body + end,
        // Cut off: all that can still be of the key.
        None => source.skip(body, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b'\n' | b'\r' | b' ' | b'\t')
        }),
    };
    let (start, end) = trimmed(source, body, end);
    (end > start).then(|| Span::new(start, end, "private-key"))
}

/// Without the line ends around it, so that the lines of the text stay.
fn trimmed(source: &Source<'_>, mut start: usize, mut end: usize) -> (usize, usize) {
    while start < end && source.at(start).is_some_and(|byte| byte.is_ascii_whitespace()) {
        start += 1;
    }
    while end > start && source.before(end).is_some_and(|byte| byte.is_ascii_whitespace()) {
        end -= 1;
    }
    // The two letters `\n` of a line end in a string of JSON.
    if source.slice(start, end).starts_with("\\n") {
        start += 2;
    }
    if source.slice(start, end).ends_with("\\n") {
        end -= 2;
    }
    (start, end)
}

/// A whole block in base64, as a kubeconfig has it, which begins there.
pub(super) fn encoded(source: &Source<'_>, at: usize) -> Option<Span> {
    let end = source.skip(at, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    let text = source.slice(at, end);
    // The letters of `CERTIFICATE` and `PUBLIC` where they follow `-----BEGIN `.
    let public = ["LS0tLS1CRUdJTiBDRVJUSUZJQ0FUR", "LS0tLS1CRUdJTiBQVUJMSUMg"];
    (text.len() >= 40 && !public.iter().any(|public| text.starts_with(public)))
        .then(|| Span::new(at, end, "private-key"))
}
