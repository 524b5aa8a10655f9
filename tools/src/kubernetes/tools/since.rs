//! Times in arguments: a length of time back from now, or a time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use marple_core::Period;

use crate::{Look, ToolError};

/// The time that `text` means: `15m` and `-15m` are before the look, `start` is the incident's start.
pub(super) fn since(tool: &str, argument: &str, text: &str, look: &Look) -> Result<Timestamp, ToolError> {
    let text = text.trim();
    let fault = || {
        ToolError::Arguments(format!(
            "{tool}: argument `{argument}` is {text:?}; wanted is a length of time as 15m or 2h, or a time as 2026-01-31T12:00:00Z"
        ))
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return TimeZone::UTC.to_timestamp(at).map_err(|_| fault());
    }
    let length = text.trim_start_matches('-').trim_end_matches(" ago").trim();
    let period: Period = length.parse().map_err(|_| fault())?;
    look.now.checked_sub(period.duration()).map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_times_are_read() {
        let now = "2026-01-02T03:00:00Z".parse().unwrap();
        let look = Look { incident_start: None, now, cancel: tokio_util::sync::CancellationToken::new() };
        let read =
            |text: &str| since("t", "since", text, &look).map(|at| at.to_string()).map_err(|error| error.to_string());
        assert_eq!(read("15m").as_deref(), Ok("2026-01-02T02:45:00Z"));
        assert_eq!(read("-1h30m").as_deref(), Ok("2026-01-02T01:30:00Z"));
        assert_eq!(read("2026-01-01T00:00:00+01:00").as_deref(), Ok("2025-12-31T23:00:00Z"));
        assert_eq!(read("2026-01-01T00:00:00").as_deref(), Ok("2026-01-01T00:00:00Z"));
        assert!(read("yesterday").unwrap_err().contains("yesterday"));
    }
}
