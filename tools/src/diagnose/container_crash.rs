//! Containers that end and are started again.

use marple_core::{Category, Finding, Severity};

use super::container::{Container, containers};
use super::context::Context;
use super::{Condition, Diagnoser, line};
use crate::scene::field;

const CRASH_LOOP: Condition = Condition::symptom("container-crash-loop", 20);
const RESTARTED: Condition = Condition::symptom("container-restarted", 40);
const FAILED: Condition = Condition::symptom("container-failed", 25);
const COMPLETES: Condition = Condition::cause("container-completes", 30).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[CRASH_LOOP, RESTARTED, FAILED, COMPLETES], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for container in containers(context).iter().filter(|container| !container.init) {
        judge(context, container, findings);
    }
}

fn judge<'a>(context: &Context<'a>, container: &Container<'a>, findings: &mut Vec<Finding>) {
    let Some(ending) = container.troubled_ending(context) else { return };
    let backs_off = container.waiting().is_some_and(|(reason, _)| reason == "CrashLoopBackOff");
    // Of their own: killed for memory, and never begun.
    if ending.reason == "OOMKilled" || super::command::never_began(ending) {
        return;
    }
    let restarts = container.restarts();
    let title = container.title();
    if ending.code == 0 {
        if backs_off && !super::probe::killed_by_liveness(context, container) {
            container
                .finding(context, &COMPLETES, Category::Configuration)
                .says(format!("{title} ends by itself with exit code 0 and is started again, {restarts} times: its command does not stay up"))
                .severity(Severity::Critical)
                .culprit(&container.owner)
                .field(container.pod, "reason", "CrashLoopBackOff")
                .field(container.pod, "exitCode", "0")
                .check("See what it did before it ended", container.logs_command(true))
                .into(findings);
        }
        return;
    }
    let never = field::text(container.value, "/spec/restartPolicy") == Some("Never");
    let (condition, happened) = match () {
        () if backs_off || (ending.present && !never && restarts > 0) => {
            (CRASH_LOOP, format!("and was restarted {restarts} times"))
        }
        () if ending.present => (FAILED, "and is not started again".to_owned()),
        () => {
            let ago = ending.finished.map(|at| format!(" {} ago", context.ago(at))).unwrap_or_default();
            (RESTARTED, format!("at its last end{ago}, with {restarts} restarts; it runs again"))
        }
    };
    let words = container.last_words(context);
    let said = words.map(|(words, _)| format!("; its log says: {}", line::readable(words))).unwrap_or_default();
    let code = ending.code;
    let mut draft = container
        .finding(context, &condition, words.map_or(Category::Application, |(words, _)| category(words)))
        .says(format!("{title} exits with {}{code} {happened}{said}", meaning(code)))
        .severity(if condition == RESTARTED { Severity::Warning } else { Severity::Critical })
        .at(if condition == FAILED { ending.finished } else { container.past(ending) })
        .field(container.pod, "exitCode", &code.to_string());
    if backs_off {
        draft = draft.field(container.pod, "reason", "CrashLoopBackOff");
    }
    if let Some((words, previous)) = words {
        draft = draft.log(container.pod, container.name, previous, words);
    }
    let previous = container.status.pointer("/lastState/terminated").is_some();
    draft.check("Read the end of its log", container.logs_command(previous)).into(findings);
}

/// Whether the last words are about what the program was given, not about itself.
fn category(words: &str) -> Category {
    const GIVEN: [&str; 6] =
        ["is invalid:", "is immutable", "invalid configuration", "invalid value", "unknown flag", "missing required"];
    let lower = words.to_ascii_lowercase();
    if GIVEN.iter().any(|phrase| lower.contains(phrase)) { Category::Configuration } else { Category::Application }
}

/// What a code beyond the program's own says, before the number.
fn meaning(code: i64) -> &'static str {
    match code {
        134 => "an abort (SIGABRT), code ",
        137 => "a kill (SIGKILL), code ",
        139 => "a memory fault (SIGSEGV), code ",
        143 => "a request to end (SIGTERM), code ",
        _ => "code ",
    }
}
