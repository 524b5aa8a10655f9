//! Whether a value is a secret, where its name says that it may be.

use super::Source;
use super::key::{Key, Surety};
use super::words::Words;

/// How a value stands by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As data: `name=value`, `"name": "value"`, a line of YAML.
    Data,
    /// As words may: `… the password: …` within a line.
    Prose,
}

/// First words of what is said about a password or token, in place of one.
const ABOUT: Words = Words::new(&[
    "a",
    "access",
    "an",
    "and",
    "argument",
    "auth",
    "authentication",
    "bad",
    "blank",
    "can't",
    "cannot",
    "changed",
    "connection",
    "context",
    "could",
    "couldn't",
    "created",
    "default",
    "denied",
    "dial",
    "does",
    "doesn't",
    "empty",
    "eof",
    "error",
    "exceeded",
    "expired",
    "failed",
    "field",
    "flag",
    "for",
    "forbidden",
    "get",
    "has",
    "http",
    "in",
    "incorrect",
    "invalid",
    "is",
    "malformed",
    "mismatch",
    "missing",
    "must",
    "no",
    "not",
    "of",
    "ok",
    "option",
    "or",
    "permission",
    "please",
    "post",
    "provided",
    "refused",
    "rejected",
    "required",
    "reset",
    "revoked",
    "secret",
    "should",
    "the",
    "timeout",
    "to",
    "too",
    "unable",
    "unauthorized",
    "unexpected",
    "unknown",
    "using",
    "valid",
    "was",
    "will",
    "wrong",
    "yes",
]);

/// Directories in which files with secrets are.
const DIRECTORIES: Words = Words::new(&[
    "app",
    "config",
    "credentials",
    "data",
    "etc",
    "home",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "secrets",
    "srv",
    "tmp",
    "usr",
    "var",
]);

/// Whether this value under this name is a secret.
pub(super) fn is_secret(source: &Source<'_>, start: usize, end: usize, key: Key, style: Style) -> bool {
    let value = source.slice(start, end);
    let start = start + (value.len() - value.trim_start().len());
    let value = value.trim();
    !value.is_empty() && may_be(value, key, style) && !is_reference(source, start, start + value.len())
}

/// Whether a value that is there may be one.
fn may_be(value: &str, key: Key, style: Style) -> bool {
    let word = |text: &str| {
        let text = text.trim_end_matches([',', '.', ':', ';', ')']);
        ABOUT.has(text)
    };
    let number = |most: usize| value.len() <= most && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match (key.surety, style) {
        (Surety::Sure, Style::Data) => true,
        (Surety::Sure, Style::Prose) => !word(value),
        (Surety::Likely, Style::Data) => {
            let first = value.split_whitespace().next().unwrap_or_default();
            !word(first) && !number(5) && !is_version(value) && !value.contains("://")
        }
        (Surety::Likely, Style::Prose) | (Surety::Random, _) => is_random(value),
        (Surety::Strong, _) => value.len() >= 24 && is_random(value) && mixed(value) && !value.contains(['/', ':']),
    }
}

/// What stands for no value.
const NONE: Words = Words::new(&[
    "true",
    "false",
    "null",
    "nil",
    "none",
    "undefined",
    "unset",
    "n/a",
    "~",
    "{}",
    "[]",
    "\"\"",
    "''",
    "-",
]);

/// What a value begins with that is elsewhere.
const ELSEWHERE: [&str; 19] = [
    "${",
    "$(",
    "{{",
    "%(",
    "<set to the key",
    "valuefrom",
    "secretkeyref",
    "vault:",
    "file:",
    "env:",
    "ref+",
    "op://",
    "arn:aws:",
    "projects/",
    "enc[",
    "!vault",
    "%s",
    "%v",
    "%q",
];

/// What stands in brackets or quotes where a value was taken out.
const MASKED: Words = Words::new(&[
    "redacted",
    "hidden",
    "masked",
    "sensitive",
    "sensitive value",
    "secret",
    "omitted",
    "filtered",
    "nil",
    "none",
    "unknown",
    "empty",
]);

/// Whether what is there stands for a value that is elsewhere, is masked or is none.
pub(super) fn is_reference(source: &Source<'_>, start: usize, end: usize) -> bool {
    refers(source.slice(start, end)) || source.has_placeholder(start, end)
}

fn refers(value: &str) -> bool {
    let begins = |start: &&str| {
        value.as_bytes().get(..start.len()).is_some_and(|there| there.eq_ignore_ascii_case(start.as_bytes()))
    };
    if NONE.has(value) || ELSEWHERE.iter().any(begins) {
        return true;
    }
    let inner = inner(value);
    if inner.len() < value.len() && MASKED.has(inner) || inner.eq_ignore_ascii_case("redacted") {
        return true;
    }
    if inner.len() >= 3 && inner.chars().all(|letter| matches!(letter, '*' | 'x' | 'X' | '•' | '.' | '#')) {
        return true;
    }
    if value.strip_suffix(" bytes").is_some_and(|size| size.bytes().all(|byte| byte.is_ascii_digit())) {
        return true;
    }
    let variable = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    value.strip_prefix('$').is_some_and(variable) || is_path(value)
}

/// What is within brackets and quotes.
fn inner(value: &str) -> &str {
    let encloses = |byte: &u8| matches!(byte, b'<' | b'>' | b'[' | b']' | b'(' | b')' | b'{' | b'}' | b'"' | b'\'');
    let start = value.bytes().take_while(|byte| encloses(byte)).count();
    let end = value.bytes().rev().take_while(|byte| encloses(byte)).count();
    value.get(start..value.len() - end).unwrap_or_default()
}

/// Linux' `PATH_MAX`.
const LONGEST_PATH: usize = 4_096;

/// A file's path, by its first directory: secrets in base64 may begin with a slash too.
fn is_path(value: &str) -> bool {
    let Some((first, rest)) = value.strip_prefix('/').and_then(|rest| rest.split_once('/')) else { return false };
    value.len() <= LONGEST_PATH
        && first.bytes().all(|byte| byte.is_ascii_lowercase())
        && DIRECTORIES.has(first)
        && !rest.contains(char::is_whitespace)
}

fn is_version(value: &str) -> bool {
    let value = value.strip_prefix('v').unwrap_or(value);
    value.contains('.')
        && value.starts_with(|letter: char| letter.is_ascii_digit())
        && value.len() < 16
        && value.split(['.', '-', '+']).all(|part| part.len() < 8)
}

/// Whether no person would have chosen it as a name: digits and letters mixed, or both cases, at some length.
pub(super) fn is_random(value: &str) -> bool {
    let digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    if value.len() < 7 || !letter || value.contains(char::is_whitespace) || value.contains("://") {
        return false;
    }
    if is_uuid(value) || value.starts_with("sha256:") || is_time(value) || is_version(value) {
        return false;
    }
    // Letters of names in Kubernetes (RFC 1123), with a namespace: only a part that no name's suffix is like tells.
    let named = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'/' | b':' | b'@')
    };
    if value.bytes().all(named) {
        let separates = |byte: &u8| matches!(byte, b'-' | b'.' | b'/' | b':' | b'@');
        let alone = !value.bytes().any(|byte| separates(&byte));
        let telling = |part: &[u8]| {
            let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
            digits >= 1 && digits < part.len() && (part.len() >= 16 || alone)
        };
        return value.as_bytes().split(separates).any(telling);
    }
    digit && (value.len() >= 8 || !value.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        || mixed(value) && value.len() >= 16
}

/// Whether both cases are in it otherwise than in a name like `ReplicaSet`.
fn mixed(value: &str) -> bool {
    let upper = value.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = value.bytes().filter(u8::is_ascii_lowercase).count();
    let letters = value.bytes().all(|byte| byte.is_ascii_alphabetic());
    upper >= 2 && lower >= 2 && (!letters || upper * 3 >= lower)
}

fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(index, byte)| {
            if matches!(index, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}

fn is_time(value: &str) -> bool {
    let bytes = value.as_bytes();
    value.len() >= 10
        && bytes.get(..4).is_some_and(|year| year.iter().all(u8::is_ascii_digit))
        && bytes.get(4) == Some(&b'-')
        && bytes.get(7) == Some(&b'-')
}
