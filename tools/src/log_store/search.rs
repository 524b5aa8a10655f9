//! What is looked for, whatever the store.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::pods::Pods;
use super::step;

/// Lines to look for, in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Which lines.
    pub wanted: Wanted,
    /// None before.
    pub from: Timestamp,
    /// None after.
    pub to: Timestamp,
    /// So many of the newest lines; where there are more, a few of the oldest too.
    pub limit: usize,
}

/// Which lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those that fit.
    Fitting(Selection),
    /// Those of a query in the store's own language.
    Query(String),
}

/// What lines must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The pods' namespace.
    pub namespace: Option<String>,
    /// The pods, all where there is none.
    pub pods: Option<Pods>,
    /// The container.
    pub container: Option<String>,
    /// What they say.
    pub text: Option<Text>,
    /// How bad they are at least.
    pub level: Option<Level>,
}

/// What a line says. Case doesn't count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// These words, as they stand.
    Words(String),
    /// What fits this regular expression.
    Regex(String),
}

/// How bad a line is at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Errors and worse.
    Error,
    /// Warnings and worse.
    Warn,
}

/// What loggers call an error or worse, and a warning.
const ERRORS: [&str; 11] =
    ["error", "err", "fatal", "critical", "crit", "alert", "emergency", "emerg", "panic", "dpanic", "severe"];
const WARNINGS: [&str; 2] = ["warn", "warning"];

impl Level {
    /// As it is written in arguments.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
        }
    }

    /// What loggers call it and what is worse, in small letters.
    pub(super) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Error => ERRORS.to_vec(),
            Self::Warn => ERRORS.into_iter().chain(WARNINGS).collect(),
        }
    }

    /// A regular expression (RE2) of lines that seem so bad: a word of the level, Java's and Python's exceptions, or
    /// klog's first letter.
    pub(super) fn pattern(self) -> String {
        let first = match self {
            Self::Error => "EF",
            Self::Warn => "EFW",
        };
        format!(r"(?i)\b({}|\w*exception|traceback)\b|^(?-i:[{first}])\d{{4}} ", self.names().join("|"))
    }

    /// A regular expression (RE2) of lines that say themselves that they are less bad: `level=info`, `"level":"info"`.
    pub(super) fn milder(self) -> String {
        let milder = match self {
            Self::Error => "info|debug|trace|notice|warn|warning",
            Self::Warn => "info|debug|trace|notice",
        };
        format!(r#"(?i)\b(level|lvl|severity)"?\s*[=:]\s*"?({milder})\b"#)
    }
}

impl Search {
    /// The stretches of time that lines are counted in.
    pub(super) fn step(&self) -> std::time::Duration {
        step::of(self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn lines_are_known_for_how_bad_they_are() {
        let bad = |level: Level, line: &str| {
            let is = |pattern: String| Regex::new(&pattern).unwrap().is_match(line);
            is(level.pattern()) && !is(level.milder())
        };
        for line in [
            "2026-01-02 ERROR no connection",
            "level=error msg=\"gone\"",
            r#"{"level":"fatal","msg":"gone"}"#,
            "E0102 03:04:05.678 1 main.go:7] gone",
            "java.lang.NullPointerException: null",
            "Traceback (most recent call last):",
            "panic: runtime error: index out of range",
        ] {
            assert!(bad(Level::Error, line) && bad(Level::Warn, line), "{line}");
        }
        for line in [
            "level=info msg=\"no error\"",
            r#"{"severity": "DEBUG", "text": "error budget"}"#,
            "I0102 03:04:05 started",
            "terror",
        ] {
            assert!(!bad(Level::Error, line) && !bad(Level::Warn, line), "{line}");
        }
        for line in ["level=warn msg=\"slow\"", "W0102 03:04:05 slow", "WARNING: slow"] {
            assert!(!bad(Level::Error, line) && bad(Level::Warn, line), "{line}");
        }
    }
}
