//! Lifecycle hooks that fail.

use marple_core::{Category, Finding, Severity};

use super::container::{Container, containers};
use super::context::Context;
use super::{Condition, Diagnoser, line, workload};

const AFTER_START: Condition = Condition::cause("post-start-hook-failed", 6);
const BEFORE_START: Condition = Condition::cause("pre-start-hook-failed", 6);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[AFTER_START, BEFORE_START], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for container in containers(context) {
        judge(context, &container, findings);
    }
}

fn judge<'a>(context: &Context<'a>, container: &Container<'a>, findings: &mut Vec<Finding>) {
    let waits = container.waiting();
    let event = context.warning(container.pod, |event| {
        event.reason == "FailedPostStartHook" && event.container().is_none_or(|name| name == container.name)
    });
    let (condition, what, message) = match (waits, event) {
        (Some(("PostStartHookError", message)), event) => (
            &AFTER_START,
            "its postStart hook fails, and it is ended for it",
            event.map_or(message, |event| &event.message),
        ),
        (Some(("PreStartHookError" | "PreCreateHookError", message)), _) => {
            (&BEFORE_START, "the runtime's hook before its start fails", message)
        }
        // It waits for its next start meanwhile.
        (_, Some(event)) if !container.ready() => {
            (&AFTER_START, "its postStart hook fails, and it is ended for it", event.message.as_str())
        }
        _ => return,
    };
    let draft = container
        .finding(context, condition, Category::Configuration)
        .says(format!("{} does not start: {what}: {}", container.title(), line::cut(message, 160)))
        .severity(Severity::Critical)
        .culprit(&container.owner);
    match event {
        Some(event) => draft.event(event),
        None => draft.field(container.pod, "message", message),
    }
    .mend("Correct the hook", workload::edit(&container.owner))
    .into(findings);
}
