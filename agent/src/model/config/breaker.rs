//! When a model that fails is left alone.

use std::num::NonZeroU32;

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a model that fails is left alone, and for how long. Then one request tries whether it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// After so many failures in a row, each with all its retries.
    pub failures: NonZeroU32,
    /// For so long; twice as long after each try that fails.
    pub pause: Period,
    /// But never longer than this.
    pub longest_pause: Period,
}

impl Default for BreakerConfig {
    /// After three failures, for 15 s at first and two minutes at most.
    fn default() -> Self {
        Self {
            failures: NonZeroU32::MIN.saturating_add(2),
            pause: Period::seconds(15),
            longest_pause: Period::minutes(2),
        }
    }
}

impl BreakerConfig {
    /// The setting that can't be, and why.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let fault = |setting: &str, what: String| Err((format!("breaker.{setting}"), what));
        if self.pause < Period::seconds(1) {
            fault("pause", "is shorter than 1s: a server that is down would be asked without end".to_owned())
        } else if self.longest_pause < self.pause {
            fault("longest_pause", format!("{} is shorter than pause, {}", self.longest_pause, self.pause))
        } else if self.longest_pause > Period::hours(1) {
            fault("longest_pause", format!("{} is too long: at most 1h", self.longest_pause))
        } else {
            Ok(())
        }
    }
}
