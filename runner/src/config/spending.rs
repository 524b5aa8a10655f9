//! What the language model may cost, all investigations and questions together.

use schemars::JsonSchema;
use serde::Deserialize;

use super::ConfigError;

/// What the language model may cost beyond one run, whose bounds `budget` has. When a bound is reached the rules answer
/// alone and say so.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpendingConfig {
    /// All that is asked about one incident: its investigations and people's questions about it.
    pub incident: IncidentAllowance,
    /// All that is asked in a day, which begins at 00:00 UTC.
    pub day: DayAllowance,
}

/// What one incident may cost.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IncidentAllowance {
    /// Prompt tokens.
    pub prompt_tokens: u64,
    /// US dollars, by the prices of the models; without prices nothing is counted.
    pub cost: f64,
}

impl Default for IncidentAllowance {
    /// 1,200,000 prompt tokens, three dollars: three whole investigations.
    fn default() -> Self {
        Self { prompt_tokens: 1_200_000, cost: 3.0 }
    }
}

/// What one day may cost.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DayAllowance {
    /// Prompt tokens.
    pub prompt_tokens: u64,
    /// US dollars, by the prices of the models; without prices nothing is counted.
    pub cost: f64,
}

impl Default for DayAllowance {
    /// 20,000,000 prompt tokens, a hundred dollars.
    fn default() -> Self {
        Self { prompt_tokens: 20_000_000, cost: 100.0 }
    }
}

impl SpendingConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (path, cost) in [("spending.incident.cost", self.incident.cost), ("spending.day.cost", self.day.cost)] {
            if !cost.is_finite() || cost < 0.0 {
                return Err(ConfigError::value(path, format!("{cost} is no sum of dollars: 0 or more is wanted")));
            }
        }
        Ok(())
    }
}
