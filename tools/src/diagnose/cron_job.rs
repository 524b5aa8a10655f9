//! CronJobs that don't run.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const SUSPENDED: Condition = Condition::cause("cron-job-suspended", 40);
const MISSED: Condition = Condition::cause("cron-job-misses-its-schedule", 20);
const SCHEDULE: Condition = Condition::cause("cron-job-schedule-invalid", 10);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[SUSPENDED, MISSED, SCHEDULE], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, value) in context.scene.of_kind("CronJob") {
        let schedule = field::text(value, "/spec/schedule").unwrap_or_default();
        if field::flag(value, "/spec/suspend") {
            let last = field::time(value, "/status/lastScheduleTime")
                .map(|at| format!("; it last ran {} ago", context.ago(at)))
                .unwrap_or_default();
            context
                .finding(&SUSPENDED, object, Category::Configuration)
                .says(format!("{object} is suspended{last}"))
                .severity(Severity::Info)
                .culprit(object)
                .field(object, "suspend", "true")
                .mend(
                    "Resume it",
                    format!(
                        "kubectl patch{} cronjob/{} -p '{{\"spec\":{{\"suspend\":false}}}}'",
                        workload::scope(object),
                        object.name
                    ),
                )
                .into(findings);
            continue;
        }
        let event = context.warning(object, |event| {
            matches!(
                event.reason.as_str(),
                "FailedNeedsStart"
                    | "TooManyMissedTimes"
                    | "MissSchedule"
                    | "UnparseableSchedule"
                    | "UnParseableCronJobSchedule"
                    | "InvalidSchedule"
            )
        });
        if let Some(event) = event {
            let condition =
                if event.reason.contains("chedule") && event.reason != "MissSchedule" { &SCHEDULE } else { &MISSED };
            context
                .finding(condition, object, Category::Configuration)
                .says(format!("{object} does not run on its schedule {schedule}: {}", line::cut(&event.message, 160)))
                .culprit(object)
                .event(event)
                .mend("Correct the schedule or its starting deadline", workload::edit(object))
                .into(findings);
        }
    }
}
