//! How severe a line of a log is, whatever wrote it.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// Letters of a line in which its level is looked for: it stands near the start.
const DEPTH: usize = 400;

/// How severe a line is. A line that says nothing of it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// All is well, or only developers care.
    Info,
    Warning,
    /// An error, or worse.
    Error,
}

/// `level=error`, `"severity": "WARN"`, `"level":50` and their like.
static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i-u)\b(?:level|lvl|severity|loglevel|levelname)\\?["']?\s*[=:]\s*\\?["']?([a-z]+|\d+)"#).ok()
});

/// A word in capitals, as loggers put before the message; klog's `E0102`; syslog's `<3>`.
static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u)^[IWEF]\d{4} |^<[0-7]>|\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|PANIC|CRITICAL|CRIT|SEVERE|ALERT|EMERG)\b").ok()
});

/// Words that tell of an error or a warning where no level is said.
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i-u)\b(?:(warn|warning|deprecated)|error|errors|err|fatal|panic|panicked|exception|traceback|critical|severe|segfault|fail|failed|failure|cannot|refused|denied|unreachable|timed out|timeout)\b|(?-i:\b[A-Za-z]+(?:Error|Exception)\b)").ok()
});

/// The level that a line says, or seems to have.
pub(crate) fn level(line: &[u8]) -> Option<Level> {
    let line = line.get(..DEPTH).unwrap_or(line);
    if let Some(found) = FIELD.as_ref().and_then(|field| field.captures(line)).and_then(|found| found.get(1)) {
        return of_word(found.as_bytes());
    }
    if let Some(found) = MARK.as_ref().and_then(|mark| mark.find(line)) {
        return match found.as_bytes() {
            [b'<', b'0'..=b'3', ..] => Some(Level::Error),
            [b'<', b'4', ..] => Some(Level::Warning),
            [b'<', ..] => Some(Level::Info),
            [letter, b'0'..=b'9', ..] => of_word(&[*letter]),
            word => of_word(word),
        };
    }
    let found = WORD.as_ref().and_then(|word| word.captures(line))?;
    Some(if found.get(1).is_some() { Level::Warning } else { Level::Error })
}

/// What a level's name or number means. Numbers are those of bunyan and pino (50 is an error); those of syslog are
/// below ten.
fn of_word(word: &[u8]) -> Option<Level> {
    if let Some(number) = std::str::from_utf8(word).ok().and_then(|word| word.parse::<u32>().ok()) {
        return Some(match number {
            0..=3 | 50.. => Level::Error,
            4 | 40..=49 => Level::Warning,
            _ => Level::Info,
        });
    }
    let starts =
        |begin: &str| word.get(..begin.len()).is_some_and(|start| start.eq_ignore_ascii_case(begin.as_bytes()));
    let any = |words: &[&str]| words.iter().any(|word| starts(word));
    if any(&["err", "fatal", "panic", "crit", "severe", "alert", "emerg", "dpanic"]) || matches!(word, b"E" | b"F") {
        return Some(Level::Error);
    }
    if starts("warn") || word == b"W" {
        return Some(Level::Warning);
    }
    (any(&["info", "debug", "trace", "notice", "fine", "verbose"]) || word == b"I").then_some(Level::Info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_found_as_each_logger_writes_it() {
        for (line, wanted) in [
            (r#"{"time":"x","level":"error","msg":"db"}"#, Some(Level::Error)),
            (r#"{"level":50,"msg":"db"}"#, Some(Level::Error)),
            (r#"{"level":30,"msg":"no error at all"}"#, Some(Level::Info)),
            (r#"time=1 level=warning msg="slow""#, Some(Level::Warning)),
            (r#"time=1 lvl=info msg="0 errors""#, Some(Level::Info)),
            ("E0102 03:04:05.000001       1 reflector.go:1] failed", Some(Level::Error)),
            ("I0102 03:04:05.000001       1 main.go:1] errors: 0", Some(Level::Info)),
            ("2026-01-02 03:04:05 [main] WARN  c.e.Pool - slow", Some(Level::Warning)),
            ("2026-01-02 03:04:05 INFO error budget is fine", Some(Level::Info)),
            ("java.lang.IllegalStateException: no", Some(Level::Error)),
            ("Traceback (most recent call last):", Some(Level::Error)),
            ("panic: runtime error", Some(Level::Error)),
            ("dial tcp 10.0.0.1:5432: connect: connection refused", Some(Level::Error)),
            ("<3>kernel says", Some(Level::Error)),
            ("GET /terror 200", None),
            ("listening on :8080", None),
            ("", None),
        ] {
            assert_eq!(level(line.as_bytes()), wanted, "{line}");
        }
        assert_eq!(level(b"\xff\xfe error \x80"), Some(Level::Error));
    }
}
