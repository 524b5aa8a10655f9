//! Lines of logs: which one tells why, and how it reads.

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
    let tells = |line: &&str| {
        let line = line.to_ascii_lowercase();
        // A frame of a stack trace names errors without being one.
        !line.trim_start().starts_with("at ") && TELLING.iter().any(|word| line.contains(word))
    };
    lines().find(tells).or_else(|| lines().next()).map(str::trim)
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

/// At most `limit` characters, cut at a word where there is one near the end.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let head = text.chars().take(limit.saturating_sub(1)).collect::<String>();
    let end = head.rfind(char::is_whitespace).filter(|end| *end * 4 > head.len() * 3).unwrap_or(head.len());
    let head = head.get(..end).unwrap_or(&head).trim_end_matches([' ', ',', ';', ':', '.']);
    format!("{head}…")
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
    }

    #[test]
    fn a_record_reads_as_its_message_and_what_it_is_about() {
        let line = r#"{"time":"2026-01-02T03:04:05Z","level":"ERROR","msg":"required configuration is missing","service":"cart","variable":"DATABASE_URL"}"#;
        assert_eq!(readable(line), "required configuration is missing (variable=DATABASE_URL)");
        let line = r#"{"level":"ERROR","msg":"cannot connect","error":"dial tcp: refused"}"#;
        assert_eq!(readable(line), "cannot connect: dial tcp: refused");
    }

    #[test]
    fn a_cut_ends_at_a_word() {
        assert_eq!(cut("one two three four", 15), "one two three…");
        assert_eq!(cut("short", 15), "short");
    }
}
