//! Lengths of time as people write them in a configuration.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A length of time, written as `30s`, `10m`, `1h 30m` or `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Period(Duration);

/// A text that is no length of time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a length of time is a number with a unit, as 30s, 10m, 1h 30m or 30d; got {0:?}")]
pub struct PeriodError(String);

impl Period {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }

    /// So many days of 24 hours.
    pub const fn days(days: u64) -> Self {
        Self::hours(days * 24)
    }

    /// As the standard library's duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl From<Duration> for Period {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Self {
        period.0
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || PeriodError(text.chars().take(40).collect());
        // Days are no unit of a signed duration, for calendars disagree on them; here a day is 24 hours.
        let (days, rest) = match text.trim().split_once('d') {
            Some((days, rest)) if days.bytes().all(|byte| byte.is_ascii_digit()) => {
                (days.parse::<u64>().map_err(|_| wrong())?, rest.trim_start_matches("ays").trim_start_matches("ay"))
            }
            _ => (0, text.trim()),
        };
        let rest = match rest.trim() {
            "" if text.trim().is_empty() => return Err(wrong()),
            "" => Duration::ZERO,
            rest => {
                let signed: SignedDuration = rest.parse().map_err(|_| wrong())?;
                Duration::try_from(signed).map_err(|_| wrong())?
            }
        };
        days.checked_mul(86_400)
            .and_then(|seconds| Duration::from_secs(seconds).checked_add(rest))
            .map(Self)
            .ok_or_else(wrong)
    }
}

impl fmt::Display for Period {
    /// In the same form, each unit once: `1h30m`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.as_secs(), self.0.subsec_millis());
        let parts = [
            (seconds / 86_400, "d"),
            (seconds / 3_600 % 24, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
            (u64::from(millis), "ms"),
        ];
        if parts.iter().all(|(count, _)| *count == 0) {
            return formatter.write_str("0s");
        }
        parts.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, unit)| write!(formatter, "{count}{unit}"))
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl JsonSchema for Period {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A length of time, as 30s, 10m, 1h30m or 30d.", "examples": ["30s", "10m", "30d"] })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_and_writes_the_units_people_use() {
        for (text, seconds, written) in [
            ("30s", 30, "30s"),
            ("10m", 600, "10m"),
            ("1h 30m", 5_400, "1h30m"),
            ("1h30m", 5_400, "1h30m"),
            ("30d", 2_592_000, "30d"),
            ("1d 12h", 129_600, "1d12h"),
            ("2 minutes", 120, "2m"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!((period.duration(), period.to_string()), (Duration::from_secs(seconds), written.to_owned()));
            assert_eq!(written.parse(), Ok(period));
        }
        assert_eq!("250ms".parse(), Ok(Period::from(Duration::from_millis(250))));
    }

    #[test]
    fn refuses_what_has_no_unit_or_is_negative() {
        for text in ["", "10", "-5s", "soon", "d"] {
            assert!(text.parse::<Period>().is_err(), "{text:?}");
        }
    }
}
