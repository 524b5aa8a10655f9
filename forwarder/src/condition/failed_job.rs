//! A Job that failed.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, count, some_line};
use super::{Condition, Context, Sighting, Stage};
use crate::object::{Object, Status, find};

/// A Job that failed: too many of its pods did, or it took too long. It ends with the Job, when a later Job of the same
/// CronJob has succeeded, or after `keep`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FailedJob {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How long it counts where the Job is not deleted, as `1d`. Default: `1d`.
    pub keep: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for FailedJob {
    fn default() -> Self {
        Self { enabled: true, hold: Period::seconds(0), keep: Period::days(1), rate_limit: Period::minutes(10) }
    }
}

impl Condition for FailedJob {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Job(job) = object else { return Vec::new() };
        let Some(condition) = find(&job.status.conditions, "Failed", Status::True) else { return Vec::new() };
        let failed = condition.last_transition_time;
        if failed.is_some() && failed < context.owner_succeeded {
            return Vec::new();
        }
        let reason = condition.reason.as_deref().unwrap_or("Failed");
        let message = condition.message.as_deref();
        let summary = format!(
            "{} failed: {reason}{}; {}",
            context.key,
            after_colon(message),
            count(job.status.failed, "failed pod"),
        );
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            since: failed,
            last: failed,
            until: failed.and_then(|since| since.checked_add(self.keep.duration()).ok()),
            reason: Some(reason.to_owned()),
            description: some_line(message),
            ..Sighting::new("JobFailed", Severity::Warning, summary)
        }]
    }
}
