//! Times in arguments: a time, a length of time before now, or one from the incident's start.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use marple_core::Period;

use crate::{Look, ToolError};

/// The time that the argument means: `now`, `start` or `T` (of the incident), `T-10m`, `-30m` and `30m` (before now), or a time.
pub(crate) fn moment(tool: &str, argument: &str, text: &str, look: &Look) -> Result<Timestamp, ToolError> {
    read(text.trim(), look).ok_or_else(|| {
        ToolError::Arguments(format!(
            "{tool}: argument `{argument}` is {text:?}; wanted is `now`, a length of time before now as -30m, one from the \
             incident's start as T-10m, or a time as 2026-01-31T12:00:00Z"
        ))
    })
}

fn read(text: &str, look: &Look) -> Option<Timestamp> {
    if text.eq_ignore_ascii_case("now") {
        return Some(look.now);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return TimeZone::UTC.to_timestamp(at).ok();
    }
    if let Ok(seconds) = text.parse::<f64>()
        && seconds > 1e9
    {
        return Timestamp::from_duration(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?).ok();
    }
    let (from, rest) = match text.strip_prefix("start").or_else(|| text.strip_prefix('T')) {
        Some(rest) => (look.incident_start?, rest.trim()),
        None => (look.now, text.strip_prefix("now").unwrap_or(text).trim()),
    };
    if rest.is_empty() {
        return Some(from);
    }
    if let Some(later) = rest.strip_prefix('+') {
        return from.checked_add(length(later)?).ok();
    }
    from.checked_sub(length(rest.trim_start_matches('-').trim_end_matches(" ago"))?).ok()
}

fn length(text: &str) -> Option<Duration> {
    text.trim().parse::<Period>().ok().map(Period::duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let at = |text: &str| text.parse().unwrap();
        let mut look = Look {
            incident_start: Some(at("2026-01-02T02:00:00Z")),
            now: at("2026-01-02T03:00:00Z"),
            cancel: tokio_util::sync::CancellationToken::new(),
        };
        for (text, meant) in [
            ("now", "2026-01-02T03:00:00Z"),
            ("-30m", "2026-01-02T02:30:00Z"),
            ("30m ago", "2026-01-02T02:30:00Z"),
            ("now-1h", "2026-01-02T02:00:00Z"),
            ("start", "2026-01-02T02:00:00Z"),
            ("T-10m", "2026-01-02T01:50:00Z"),
            ("T+90s", "2026-01-02T02:01:30Z"),
            ("2026-01-01T00:00:00+01:00", "2025-12-31T23:00:00Z"),
            ("2026-01-01 00:00:00", "2026-01-01T00:00:00Z"),
            ("1767312000", "2026-01-02T00:00:00Z"),
        ] {
            assert_eq!(moment("t", "time", text, &look).ok(), Some(at(meant)), "{text}");
        }
        look.incident_start = None;
        for text in ["yesterday", "T-10m", "5", ""] {
            let error = if text.is_empty() { continue } else { moment("t", "time", text, &look).unwrap_err() };
            assert!(error.to_string().contains("`time`"), "{error}");
        }
    }
}
