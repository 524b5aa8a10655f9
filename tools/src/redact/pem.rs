//! Private keys in PEM (RFC 7468), also in a JSON string and in base64.

use super::{Source, Span};

/// What stands on both sides of a label.
pub(super) const MARKS: &str = "-----";

/// The farthest that an end is looked for: a key of 16,384 bits has 13 KB.
const LONGEST: usize = 64 << 10;

/// The longest label of a key, and the marks around it.
const LABEL: usize = 100;

/// The private key whose block begins there, and where reading goes on: behind it, or within it where it has no end, for
/// then it may be no more than spoken of. Certificates and public keys are no secrets.
pub(super) fn block(source: &Source<'_>, at: usize) -> Option<(Span, usize)> {
    let body = label_end(source, at)?;
    let (end, resume) = match key_end(source, body).filter(|end| end - body <= LONGEST) {
        // Only the letters between: the two lines say that a key was there.
        Some(end) => (end, end),
        // Cut off: all that can still be of the key.
        None => (cut(source, body)?, body),
    };
    let (start, end) = trimmed(source, body, end);
    (end > start).then(|| (Span::new(start, end, "private-key"), resume))
}

/// Where what can be of a key ends that has no end; nothing where another begins at once.
fn cut(source: &Source<'_>, body: usize) -> Option<usize> {
    let start = source.skip(body, |byte| matches!(byte, b'-' | b' '));
    let in_key = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b'\n' | b'\r' | b' ' | b'\t')
    };
    (!source.rest(start).starts_with("BEGIN ")).then(|| source.skip(start, in_key))
}

/// Where the next line begins that ends a key.
fn key_end(source: &Source<'_>, from: usize) -> Option<usize> {
    let search = || source.rest(from).find("-----END").map_or(source.len(), |end| from + end);
    Some(source.reach.key.end(from, search)).filter(|end| *end < source.len())
}

/// Where the first line of a private key ends; what follows its marks is the key's, for a log may have joined the lines.
fn label_end(source: &Source<'_>, at: usize) -> Option<usize> {
    let in_label = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b' ');
    let label = source.slice(at, source.skip_at_most(at, LABEL, in_label));
    let name = ["PRIVATE KEY", "OPENSSH"].iter().filter_map(|name| label.find(name)).min()?;
    let marks = label.get(name..).and_then(|rest| rest.find(MARKS)).map(|marks| name + marks + MARKS.len());
    Some(at + marks.unwrap_or(label.trim_end().len()))
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
    // The letters of `CERTIFICATE` and `PUBLIC` where they follow `-----BEGIN `.
    let public = ["LS0tLS1CRUdJTiBDRVJUSUZJQ0FUR", "LS0tLS1CRUdJTiBQVUJMSUMg"];
    if public.iter().any(|public| source.rest(at).starts_with(public)) {
        return None;
    }
    let end = source.skip(at, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    (end - at >= 40).then(|| Span::new(at, end, "private-key"))
}
