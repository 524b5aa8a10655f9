//! How bad it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is, least first, so that the worst of several is their maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the record; nobody is woken.
    Info,
    /// Should be looked at in working hours.
    #[default]
    Warning,
    /// Users are affected or soon will be.
    Critical,
}

impl Severity {
    /// From a `severity` label, in the spellings that alert rules in the wild use; an unknown one is a warning.
    pub fn from_label(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "critical" | "error" | "high" | "major" | "page" | "emergency" | "fatal" | "p1" => Self::Critical,
            "info" | "informational" | "none" | "debug" | "notice" | "p4" | "p5" => Self::Info,
            _ => Self::Warning,
        }
    }

    /// The word for it, as in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}
