//! Which incidents are recorded by themselves.

use std::num::NonZeroU32;
use std::path::PathBuf;

use marple_core::{Period, Severity, Size};
use schemars::JsonSchema;
use serde::Deserialize;

use super::ConfigError;

/// Incidents that are recorded into bundles once they are explained, to be replayed and to measure investigators by.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordingsConfig {
    /// Where bundles are written, each with its incident's id for a name. It is made where it is missing.
    pub folder: PathBuf,
    /// Incidents that are at least so severe.
    #[serde(default = "warning")]
    pub severity: Severity,
    /// How long after an incident opened it is recorded: what follows from its cause should be seen.
    #[serde(default = "after")]
    pub after: Period,
    /// How many bundles are kept; for more, the oldest go.
    #[serde(default = "keep")]
    pub keep: NonZeroU32,
    /// How much room they may have together; for more, the oldest go.
    #[serde(default = "max_size")]
    pub max_size: Size,
    /// Base URL of Alertmanager, whose alerts are recorded too.
    #[serde(default)]
    pub alertmanager: Option<String>,
}

fn warning() -> Severity {
    Severity::Warning
}

fn after() -> Period {
    Period::minutes(2)
}

fn keep() -> NonZeroU32 {
    const MANY: NonZeroU32 = NonZeroU32::new(200).unwrap();
    MANY
}

fn max_size() -> Size {
    Size::gibibytes(1)
}

impl RecordingsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.after > Period::hours(1) {
            let what = format!("is {}: the logs of what failed would be gone; at most 1h", self.after);
            return Err(ConfigError::value("recordings.after", what));
        }
        if self.max_size < Size::mebibytes(10) {
            let what = format!("is {}: one incident may have some MiB; at least 10MiB", self.max_size);
            return Err(ConfigError::value("recordings.max_size", what));
        }
        Ok(())
    }
}
