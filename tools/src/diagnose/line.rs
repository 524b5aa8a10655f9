//! Lines of logs: which one tells why, and how it reads.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// The longest line shown in a statement, in characters.
const SHOWN_LIMIT: usize = 160;

/// How many lines from the end are looked at for one that tells.
const DEPTH: usize = 60;

/// Words of lines that tell of an error, in lower case.
const TELLING: [&str; 18] = [
    "error",
    "fatal",
    "panic",
    "exception",
    "caused by",
    "cannot",
    "can't",
    "could not",
    "failed",
    "failure",
    "refused",
    "denied",
    "missing",
    "not found",
    "no such",
    "timeout",
    "timed out",
    "invalid",
];

/// The line that tells most of why a program ended: the last with a word of error, else the last.
pub(super) fn telling(log: &str) -> Option<&str> {
    let lines = || log.lines().rev().filter(|line| !line.trim().is_empty()).take(DEPTH);
    lines().find(|line| tells(line)).or_else(|| lines().next()).map(str::trim)
}

/// Whether a line has a word of an error.
pub(super) fn tells(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    !is_frame(lower.trim_start()) && !is_member(line) && TELLING.iter().any(|word| lower.contains(word))
}

/// Whether a line is a frame of a stack trace, of Java and Node, Python, or Go: it names errors without being one.
fn is_frame(lower: &str) -> bool {
    lower.starts_with("at ") || lower.starts_with("file \"") || lower.contains(".go:") && lower.contains(" +0x")
}

/// Whether a line is a member of an object that a runtime prints behind its error, as `  code: 'ECONNREFUSED',`.
fn is_member(line: &str) -> bool {
    let line = line.trim();
    let inner = line.trim_end_matches([',', '}', ' ']);
    let member = inner.split_once(": ").is_some_and(|(key, value)| {
        let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let quoted = value.len() > 1 && value.starts_with('\'') && value.ends_with('\'');
        let whole = quoted || value.parse::<f64>().is_ok() || matches!(value, "true" | "false" | "null" | "undefined");
        plain && whole
    });
    // Python's last line reads so too: `KeyError: 'DATABASE_URL'`.
    member && !line.starts_with(|letter: char| letter.is_ascii_uppercase())
}

/// Whether a line is an error by its level, or by the words that runtimes end with.
pub(super) fn is_error(line: &str) -> bool {
    if let Ok(Value::Object(record)) = serde_json::from_str::<Value>(line) {
        let level = ["level", "severity", "lvl", "log.level"].iter().find_map(|name| record.get(*name)?.as_str());
        let level = level.unwrap_or_default().to_ascii_lowercase();
        return ["err", "fatal", "crit", "panic", "alert", "emerg"].iter().any(|word| level.starts_with(word));
    }
    let head = line.chars().take(80).collect::<String>();
    let marked = [
        " ERROR",
        "[ERROR]",
        "[error]",
        "ERROR ",
        "ERROR:",
        "level=error",
        "level=fatal",
        " FATAL",
        "[FATAL]",
        "[crit]",
        "panic:",
        "Traceback",
        "Exception",
    ];
    let klog = line.starts_with('E') && line.get(1..5).is_some_and(|day| day.bytes().all(|byte| byte.is_ascii_digit()));
    klog || marked.iter().any(|mark| head.contains(mark))
}

/// The last lines of a log, latest first.
pub(super) fn latest(log: &str, count: usize) -> impl Iterator<Item = &str> {
    log.lines().rev().filter(|line| !line.trim().is_empty()).take(count).map(str::trim)
}

/// A line as people read it: of a JSON record the message and its error, without a time; cut at 160 characters.
pub(super) fn readable(line: &str) -> String {
    let text = match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(record)) => {
            let first = |names: &[&str]| {
                names.iter().find_map(|name| record.get(*name)).and_then(Value::as_str).map(str::to_owned)
            };
            let message = first(&["msg", "message", "log", "event"]);
            let error = first(&["error", "err", "exception", "cause"]);
            let rest = record
                .iter()
                .filter(|(name, _)| {
                    !["time", "ts", "timestamp", "@timestamp", "level", "severity", "service", "logger", "caller"]
                        .contains(&name.as_str())
                })
                .filter(|(name, _)| !["msg", "message", "log", "event", "error", "err"].contains(&name.as_str()))
                .filter_map(|(name, value)| match value {
                    Value::String(text) => Some(format!("{name}={text}")),
                    Value::Number(number) => Some(format!("{name}={number}")),
                    _ => None,
                })
                .take(3)
                .collect::<Vec<_>>()
                .join(", ");
            match (message, error) {
                (Some(message), Some(error)) => format!("{message}: {error}"),
                (Some(text), None) | (None, Some(text)) if rest.is_empty() => text,
                (Some(text), None) | (None, Some(text)) => format!("{text} ({rest})"),
                (None, None) => line.to_owned(),
            }
        }
        _ => line.to_owned(),
    };
    cut(&text, SHOWN_LIMIT)
}

/// When a line was said, where it tells: a record by its field of the time, text by a time among its first words. What
/// has no zone is taken as UTC, as containers have it.
pub(super) fn said_at(line: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(Value::Object(record)) = serde_json::from_str::<Value>(line) {
        let at =
            ["time", "ts", "timestamp", "@timestamp", "datetime", "t"].iter().find_map(|name| record.get(*name))?;
        return match at {
            Value::String(text) => read_time(text),
            Value::Number(number) => epoch(number.as_f64()?),
            _ => None,
        };
    }
    if let Some(at) = klog(line, now).or_else(|| access_log(line)) {
        return Some(at);
    }
    let mut words = line.split([' ', '\t', '[', ']', '"', '=']).filter(|word| !word.is_empty()).take(6).peekable();
    while let Some(word) = words.next() {
        let spaced = words.peek().and_then(|next| read_time(&format!("{word} {next}")));
        if let Some(at) = read_time(word).or(spaced) {
            return Some(at);
        }
    }
    None
}

/// `2026-01-02T03:04:05Z` with or without a zone, or the same with a space or with slashes.
fn read_time(text: &str) -> Option<Timestamp> {
    if text.len() < 19 || !text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let text = text.trim_end_matches([',', ':']).replace(',', ".").replacen('/', "-", 2);
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(civil)
}

/// `[02/Jan/2026:03:04:05 +0000]`, as servers write who asked them.
fn access_log(line: &str) -> Option<Timestamp> {
    let mut enclosed = line.split('[').skip(1).take(2).filter_map(|rest| Some(rest.split_once(']')?.0));
    enclosed.find_map(|text| jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?.to_timestamp().ok())
}

/// Seconds or milliseconds since 1970.
fn epoch(number: f64) -> Option<Timestamp> {
    let seconds = if number > 1e11 { number / 1e3 } else { number };
    let milliseconds = (seconds * 1e3).round();
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    (milliseconds.abs() < 1e14).then(|| Timestamp::from_millisecond(milliseconds as i64).ok()).flatten()
}

/// `E0102 03:04:05.678901`, as Kubernetes' own components write; the year is that of the present, or the one before.
fn klog(line: &str, now: Timestamp) -> Option<Timestamp> {
    let rest = line.strip_prefix(['I', 'W', 'E', 'F'])?;
    let (day, clock) = (rest.get(..4)?, rest.get(5..13)?);
    let year = now.to_zoned(TimeZone::UTC).year();
    let of = |year: i16| {
        let text = format!("{year}-{}-{}T{clock}", day.get(..2)?, day.get(2..)?);
        text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    let this = of(year)?;
    // A line of December that is read in January.
    if this.duration_since(now) > jiff::SignedDuration::from_hours(48) { of(year - 1) } else { Some(this) }
}

/// At most `limit` characters, cut between two words where there are any in the second half.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept = limit.saturating_sub(2);
    let head = text.chars().take(kept).collect::<String>();
    let whole = text.chars().nth(kept).is_some_and(char::is_whitespace);
    let end = head.rfind(char::is_whitespace).filter(|end| *end * 2 > head.len());
    match end {
        _ if whole => format!("{} …", trimmed(&head)),
        Some(end) => format!("{} …", trimmed(head.get(..end).unwrap_or(&head))),
        // One word alone is longer.
        None => format!("{head}…"),
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches([' ', ',', ';', ':', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_tells_more_than_the_last_line() {
        assert_eq!(telling("start\nerror: no config\nbye\n"), Some("error: no config"));
        assert_eq!(telling("start\nbye\n\n"), Some("bye"));
        assert_eq!(telling("java.lang.Exception: x\n\tat com.FailedThing.run\n"), Some("java.lang.Exception: x"));
        assert_eq!(telling(""), None);
        let node = "Error: connect ECONNREFUSED 10.96.0.7:5432\n    at TCPConnectWrap.afterConnect (net.js:1)\n  errno: -111,\n  code: 'ECONNREFUSED',\n  syscall: 'connect'\n}\n";
        assert_eq!(telling(node), Some("Error: connect ECONNREFUSED 10.96.0.7:5432"));
        let missing = "Error: ENOENT: no such file or directory, open '/app/x'\n  errno: -2,\n  code: 'ENOENT',\n  path: '/app/missing'\n}";
        assert_eq!(telling(missing), Some("Error: ENOENT: no such file or directory, open '/app/x'"));
        assert_eq!(
            telling("Traceback (most recent call last):\nKeyError: 'DATABASE_URL'"),
            Some("KeyError: 'DATABASE_URL'")
        );
    }

    #[test]
    fn a_record_reads_as_its_message_and_what_it_is_about() {
        let line = r#"{"time":"2026-01-02T03:04:05Z","level":"ERROR","msg":"required configuration is missing","service":"cart","variable":"DATABASE_URL"}"#;
        assert_eq!(readable(line), "required configuration is missing (variable=DATABASE_URL)");
        let line = r#"{"level":"ERROR","msg":"cannot connect","error":"dial tcp: refused"}"#;
        assert_eq!(readable(line), "cannot connect: dial tcp: refused");
    }

    #[test]
    fn a_line_tells_when_it_was_said_in_the_forms_that_programs_use() {
        let now = "2026-01-02T12:00:00Z".parse().unwrap();
        let of = |line: &str| said_at(line, now).map(|at| at.to_string());
        let expected = Some("2026-01-02T03:04:05Z".to_owned());
        for line in [
            r#"{"level":"ERROR","time":"2026-01-02T03:04:05Z","msg":"x"}"#,
            r#"{"ts":1767323045.0,"msg":"x"}"#,
            r#"{"time":1767323045000,"msg":"x"}"#,
            "2026-01-02T03:04:05Z ERROR x",
            "2026-01-02 03:04:05 ERROR x",
            "[2026-01-02 03:04:05] x",
            "2026/01/02 03:04:05 x",
            "time=\"2026-01-02T04:04:05+01:00\" level=error msg=x",
            "E0102 03:04:05.000000       1 leaderelection.go:330] x",
            "10.0.0.1 - - [02/Jan/2026:03:04:05 +0000] \"GET / HTTP/1.1\" 200 1",
        ] {
            assert_eq!(of(line), expected, "{line}");
        }
        assert_eq!(of("2026-01-02 03:04:05,678 ERROR x").as_deref(), Some("2026-01-02T03:04:05.678Z"));
        assert_eq!(of("E1231 03:04:05.000000 1 x").as_deref(), Some("2025-12-31T03:04:05Z"));
        assert_eq!(of("connection refused"), None);
        assert_eq!(of("E is the letter ä of it"), None);
    }

    #[test]
    fn a_cut_ends_at_a_word() {
        assert_eq!(cut("one two three four", 15), "one two three …");
        assert_eq!(cut("one two three four", 14), "one two …");
        assert_eq!(cut(&"x".repeat(20), 10), "xxxxxxxx…");
        assert_eq!(cut("short", 15), "short");
    }
}
