//! Commands that can't be run.

use marple_core::{Category, Finding, Severity};

use super::container::{Container, Ending, containers};
use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const NOT_FOUND: Condition = Condition::cause("command-not-found", 4);
const NOT_EXECUTABLE: Condition = Condition::cause("command-not-executable", 4);
const ARCHITECTURE: Condition = Condition::cause("image-wrong-architecture", 4);
const NOT_STARTED: Condition = Condition::symptom("container-not-started", 10);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[NOT_FOUND, NOT_EXECUTABLE, ARCHITECTURE, NOT_STARTED], find };

/// Whether a run ended before the program began: the runtime could not start it.
pub(super) fn never_began(ending: Ending<'_>) -> bool {
    matches!(ending.reason, "StartError" | "ContainerCannotRun")
        || (matches!(ending.code, 126..=128) && ending.message.contains("exec"))
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for container in containers(context) {
        judge(context, &container, findings);
    }
}

fn judge<'a>(context: &Context<'a>, container: &Container<'a>, findings: &mut Vec<Finding>) {
    let waiting =
        container.waiting().filter(|(reason, _)| matches!(*reason, "RunContainerError" | "CreateContainerError"));
    let ending = container.troubled_ending(context).filter(|_| !container.runs());
    let began = ending.filter(|ending| never_began(*ending)).map(|ending| ending.message);
    let shell = ending.and_then(|ending| {
        let words = container.last_words(context)?;
        // Runtimes write it to the log too, and end with a code of their own.
        (matches!(ending.code, 126 | 127) || words.0.to_ascii_lowercase().contains("exec format error"))
            .then_some(words)
    });
    let (message, log) = match (waiting, began, shell) {
        (Some((_, message)), _, _) | (None, Some(message), _) => (message, None),
        (None, None, Some((line, previous))) => (line, Some(previous)),
        _ => return,
    };
    let lower = message.to_ascii_lowercase();
    let (condition, category, what) = if lower.contains("exec format error") {
        (ARCHITECTURE, Category::Image, "has an image of another processor architecture")
    } else if lower.contains("permission denied") || lower.contains("is a directory") {
        (NOT_EXECUTABLE, Category::Configuration, "names a command that may not be executed")
    } else if lower.contains("not found") || lower.contains("no such file") {
        (NOT_FOUND, Category::Configuration, "names a command that its image does not have")
    } else {
        (NOT_STARTED, Category::Other, "could not be started")
    };
    let node = context.scene.get(container.pod).and_then(super::node::of_pod).and_then(|node| context.scene.get(&node));
    let runs =
        node.and_then(|node| field::text(node, "/status/nodeInfo/architecture")).filter(|_| condition == ARCHITECTURE);
    let runs = runs.map(|architecture| format!(" (its node is {architecture})")).unwrap_or_default();
    let mut draft = container
        .finding(context, &condition, category)
        .says(format!("{} {what}{runs}: {}", container.title(), told(message)))
        .severity(Severity::Critical)
        .at(ending.filter(|_| waiting.is_none()).and_then(|ending| container.past(ending)));
    if condition != NOT_STARTED {
        draft = draft.culprit(&container.owner);
    }
    draft = match log {
        Some(previous) => draft.log(container.pod, container.name, previous, message).field(
            container.pod,
            "exitCode",
            &ending.map_or(127, |ending| ending.code).to_string(),
        ),
        None => draft.field(container.pod, "message", message),
    };
    draft
        .mend("Correct the command, or the image that should hold it", workload::edit(&container.owner))
        .into(findings);
}

/// The end of the runtime's message, where the reason is.
fn told(message: &str) -> String {
    let from = message.find("exec: ").or_else(|| message.find("exec "));
    line::cut(from.and_then(|from| message.get(from..)).unwrap_or(message), 140)
}
