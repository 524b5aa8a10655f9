//! CronJobs that don't run.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const SUSPENDED: Condition = Condition::cause("cron-job-suspended", 40);
const MISSED: Condition = Condition::cause("cron-job-misses-its-schedule", 20);
const HELD: Condition = Condition::cause("cron-job-run-still-active", 22).likely();
const SCHEDULE: Condition = Condition::cause("cron-job-schedule-invalid", 10);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[SUSPENDED, MISSED, HELD, SCHEDULE], find };

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
                    | "UnknownTimeZone"
            )
        });
        let mut said = context.scene.events_of(object);
        if let Some(event) = said.find(|event| event.reason == "JobAlreadyActive") {
            let run = field::items(value, "/status/active").first().and_then(|run| field::text(run, "/name"));
            let run =
                run.zip(object.namespace.as_deref()).map(|(name, space)| ObjectRef::namespaced("Job", space, name));
            let named = run.as_ref().map_or_else(|| "an earlier run".to_owned(), ToString::to_string);
            let draft = context
                .finding(&HELD, object, Category::Scheduling)
                .says(format!(
                    "{object} begins no new run: {named} is still active, and it forbids that two run at once"
                ))
                .culprit(run.as_ref().unwrap_or(object))
                .event(event);
            match &run {
                Some(run) => draft.check("See what the run waits for", workload::describe(run)),
                None => draft.check("See its runs", workload::describe(object)),
            }
            .into(findings);
        }
        if let Some(event) = event {
            let condition =
                if ["MissSchedule", "FailedNeedsStart", "TooManyMissedTimes"].contains(&event.reason.as_str()) {
                    &MISSED
                } else {
                    &SCHEDULE
                };
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
