//! When and how an incident is looked into.

use std::num::NonZeroUsize;

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::Deserialize;

use super::ConfigError;

/// When and how incidents are looked into.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InvestigationConfig {
    /// How long after an incident opens the first message goes out, so that what belongs together is told together.
    pub group_wait: Period,
    /// Least severity of an incident that the model is asked about; below it the rules' conclusion stands.
    pub model_from: Severity,
    /// How many incidents are investigated by the model at a time.
    pub concurrency: NonZeroUsize,
    /// How many incidents are captured at a time: each costs the API server some tens of requests.
    pub captures: NonZeroUsize,
    /// The longest that capturing one incident may take.
    pub capture_timeout: Period,
    /// The longest that one call of a tool may take.
    pub tool_timeout: Period,
}

impl Default for InvestigationConfig {
    fn default() -> Self {
        Self {
            group_wait: Period::seconds(10),
            model_from: Severity::Warning,
            concurrency: NonZeroUsize::MIN.saturating_add(3),
            captures: NonZeroUsize::MIN.saturating_add(3),
            capture_timeout: Period::seconds(20),
            tool_timeout: Period::seconds(30),
        }
    }
}

impl InvestigationConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (path, period, longest) in [
            ("investigation.group_wait", self.group_wait, Period::minutes(10)),
            ("investigation.capture_timeout", self.capture_timeout, Period::minutes(5)),
            ("investigation.tool_timeout", self.tool_timeout, Period::minutes(10)),
        ] {
            if period > longest {
                return Err(ConfigError::value(path, format!("{period} is too long: at most {longest}")));
            }
        }
        for (path, period) in
            [("investigation.capture_timeout", self.capture_timeout), ("investigation.tool_timeout", self.tool_timeout)]
        {
            if period < Period::seconds(1) {
                return Err(ConfigError::value(path, "is shorter than 1s: nothing could be seen in it"));
            }
        }
        Ok(())
    }
}
