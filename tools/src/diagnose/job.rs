//! Jobs that failed.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::field;

const FAILED: Condition = Condition::symptom("job-failed", 30);
const DEADLINE: Condition = Condition::cause("job-deadline-exceeded", 20);
const SUSPENDED: Condition = Condition::cause("job-suspended", 40);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[FAILED, DEADLINE, SUSPENDED], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (job, value) in context.scene.of_kind("Job") {
        if field::flag(value, "/spec/suspend") {
            context
                .finding(&SUSPENDED, job, Category::Configuration)
                .says(format!("{job} is suspended"))
                .severity(Severity::Info)
                .culprit(&context.graph.top_owner(job))
                .field(job, "suspend", "true")
                .mend(
                    "Resume it",
                    format!(
                        "kubectl patch{} job/{} -p '{{\"spec\":{{\"suspend\":false}}}}'",
                        workload::scope(job),
                        job.name
                    ),
                )
                .into(findings);
        }
        let Some(failed) = field::condition(value, "Failed").filter(|one| field::text(one, "/status") == Some("True"))
        else {
            continue;
        };
        let reason = field::text(failed, "/reason").unwrap_or("Failed");
        let at = field::time(failed, "/lastTransitionTime");
        let ago = at.map(|at| format!(" {} ago", context.ago(at))).unwrap_or_default();
        let attempts = field::number(value, "/status/failed").unwrap_or_default();
        let draft = if reason == "DeadlineExceeded" {
            let seconds = field::number(value, "/spec/activeDeadlineSeconds").unwrap_or_default();
            context
                .finding(&DEADLINE, job, Category::Configuration)
                .says(format!("{job} was ended{ago} as it ran longer than its deadline of {seconds} s"))
                .culprit(&context.graph.top_owner(job))
                .field(job, "activeDeadlineSeconds", &seconds.to_string())
        } else {
            let limit = field::number(value, "/spec/backoffLimit").unwrap_or(6);
            context.finding(&FAILED, job, Category::Application).says(format!(
                "{job} failed{ago} after {attempts} failed pods, with a backoff limit of {limit} ({reason})"
            ))
        };
        draft
            .severity(Severity::Critical)
            .at(at)
            .field(job, "reason", reason)
            .check(
                "Read what its pods said",
                format!("kubectl logs{} job/{} --tail=100", workload::scope(job), job.name),
            )
            .into(findings);
    }
}
