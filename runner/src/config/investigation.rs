//! When and how an incident is looked into.

use std::num::NonZeroUsize;

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{ConfigError, Hours};
use crate::route::Matcher;

/// How often the model is asked about an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asking {
    /// Never, whoever wants it.
    Never,
    /// When a person wants it.
    OnDemand,
    /// Once.
    Once,
    /// Once, and again when objects join it or it becomes worse.
    OnChange,
}

/// A rule of which incidents the model is asked about. It fits an incident when one of its alerts meets all matchers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// What an alert must meet, as those of routes; every alert meets an empty list.
    #[serde(default)]
    pub matchers: Vec<Matcher>,
    /// The hours in which it fits; absent: always.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// How often the model is asked.
    pub ask: Asking,
}

impl PolicyRule {
    fn takes_all(&self) -> bool {
        self.matchers.is_empty() && self.hours.is_none()
    }
}

/// When and how incidents are looked into.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InvestigationConfig {
    /// How long after an incident opens the first message goes out, so that what belongs together is told together.
    pub group_wait: Period,
    /// Least severity of an incident that the model is asked about; below it the rules' conclusion stands.
    pub model_from: Severity,
    /// Which incidents the model is asked about, and how often, in the order in which the rules are tried: the first that
    /// fits decides. Of what none fits, the model is asked, and again when it changes materially.
    pub policy: Vec<PolicyRule>,
    /// Whether a cause that the model names goes back to it once, to be refuted: fewer wrong causes, for a turn or two more.
    pub refute: bool,
    /// How long a cause that the model found is taken for a repeat of the same incident, without the model, after a check
    /// that its proofs are seen again; `0s` for never.
    pub reuse_within: Period,
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
            policy: Vec::new(),
            refute: false,
            reuse_within: Period::hours(24),
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
        for (index, rule) in self.policy.iter().enumerate() {
            let path = format!("investigation.policy[{index}]");
            if let Some(before) = self.policy.iter().take(index).position(PolicyRule::takes_all) {
                let what = format!(
                    "it is never tried, for investigation.policy[{before}] fits everything; move that one to the end"
                );
                return Err(ConfigError::value(path, what));
            }
            if let Some(fault) = rule.hours.as_ref().and_then(Hours::fault) {
                return Err(ConfigError::value(format!("{path}.hours"), fault));
            }
        }
        Ok(())
    }
}
