//! A CronJob that doesn't begin its Jobs.

use std::num::NonZeroU32;

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sighting::Enough;
use super::{Condition, Context, Sighting};
use crate::object::{Kind, Object, ObjectKey};

/// A CronJob that doesn't begin its Jobs: it has missed their time, they are refused, or its schedule can't be used, from
/// events. It ends when it begins a Job, when it is suspended, after `quiet` without a further event, or with the CronJob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CronJobMissed {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How often the same must have happened. Default: 1.
    pub events: NonZeroU32,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How long after the last event it is over, as `1d`: many schedules are daily. Default: `1d`.
    pub quiet: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for CronJobMissed {
    fn default() -> Self {
        Self {
            enabled: true,
            events: NonZeroU32::MIN,
            hold: Period::seconds(0),
            quiet: Period::days(1),
            rate_limit: Period::minutes(10),
        }
    }
}

/// What its controller calls it (`pkg/controller/cronjob/cronjob_controllerv2.go`), in older versions too.
const REASONS: [&str; 7] = [
    "MissSchedule",
    "TooManyMissedTimes",
    "FailedNeedsStart",
    "FailedCreate",
    "InvalidSchedule",
    "UnparseableSchedule",
    "UnknownTimeZone",
];

impl Condition for CronJobMissed {
    fn told_by_events(&self) -> &'static [&'static str] {
        &["CronJobNotScheduled"]
    }

    fn see(&self, object: &Object, _: &Context<'_>) -> Vec<Sighting> {
        let what = |subject: &ObjectKey| format!("{subject} doesn't begin its Job");
        let enough = Enough { times: self.events, hold: self.hold, quiet: self.quiet };
        Sighting::of_reasons("CronJobNotScheduled", object, (&Kind::CronJob, &REASONS), what, enough)
    }
}
