//! A Job that failed.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, count, some_line};
use super::{Condition, Context, Sighting};
use crate::object::{Object, Status, find};

/// A Job that failed: too many of its pods did, or it took too long. It ends with the Job, or after `keep`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FailedJob {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it counts where the Job is not deleted, as `1d`. Default: `1d`.
    pub keep: Period,
}

impl Default for FailedJob {
    fn default() -> Self {
        Self { enabled: true, keep: Period::days(1) }
    }
}

impl Condition for FailedJob {
    fn enabled(&self) -> bool {
        self.enabled
    }

    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Job(job) = object else { return Vec::new() };
        let Some(condition) = find(&job.status.conditions, "Failed", Status::True) else { return Vec::new() };
        let reason = condition.reason.as_deref().unwrap_or("Failed");
        let message = condition.message.as_deref();
        let summary = format!(
            "{} failed: {reason}{}; {}",
            context.key,
            after_colon(message),
            count(job.status.failed, "failed pod"),
        );
        vec![Sighting {
            since: condition.last_transition_time,
            until: condition.last_transition_time.and_then(|since| since.checked_add(self.keep.duration()).ok()),
            reason: Some(reason.to_owned()),
            description: some_line(message),
            ..Sighting::new("JobFailed", Severity::Warning, summary)
        }]
    }
}
