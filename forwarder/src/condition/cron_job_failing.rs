//! A CronJob whose last Job did not succeed.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting, Stage};
use crate::object::Object;

/// A CronJob whose last Job did not succeed. It ends when one of its Jobs succeeds, when it is suspended, or with the
/// CronJob. The failed Job is a condition of its own, of the same CronJob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CronJobFailing {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `1m`. Default: `1m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for CronJobFailing {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(1), rate_limit: Period::minutes(10) }
    }
}

impl Condition for CronJobFailing {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::CronJob(cron_job) = object else { return Vec::new() };
        let status = &cron_job.status;
        let Some(began) = status.last_schedule_time.filter(|_| !cron_job.spec.suspend) else { return Vec::new() };
        if status.last_successful_time.is_some_and(|succeeded| succeeded >= began) {
            return Vec::new();
        }
        let before = status
            .last_successful_time
            .map_or_else(|| "none has succeeded yet".to_owned(), |at| format!("the last success was at {at}"));
        // While a Job runs it is not known yet, but what was told has not ended.
        let running = !status.active.is_empty();
        vec![Sighting {
            stage: if running { Stage::Lingers } else { Stage::Holds(self.hold.duration()) },
            since: Some(began),
            reason: Some("LastJobFailed".to_owned()),
            ..Sighting::new(
                "CronJobFailing",
                Severity::Warning,
                format!("The last Job of {}, of {began}, did not succeed; {before}", context.key),
            )
        }]
    }
}
