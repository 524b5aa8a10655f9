//! Init containers that fail or do not end.

use jiff::SignedDuration;
use marple_core::{Category, Finding, Severity};

use super::container::{Container, containers};
use super::context::Context;
use super::{Condition, Diagnoser, command, line};

const FAILING: Condition = Condition::symptom("init-container-failing", 15);
const ENDLESS: Condition = Condition::symptom("init-container-does-not-end", 16);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[FAILING, ENDLESS], find };

/// An init container that runs longer than this waits for something that does not come.
const PATIENCE: SignedDuration = SignedDuration::from_mins(3);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for container in containers(context).iter().filter(|container| container.init) {
        judge(context, container, findings);
    }
}

fn judge<'a>(context: &Context<'a>, container: &Container<'a>, findings: &mut Vec<Finding>) {
    let words = container.last_words(context);
    let said = words.map(|(words, _)| format!("; its log says: {}", line::readable(words))).unwrap_or_default();
    let title = container.title();
    let failed = container
        .ending()
        .filter(|ending| ending.code != 0 && ending.reason != "OOMKilled" && !command::never_began(*ending));
    let draft = if let Some(ending) = failed.filter(|_| !container.ready()) {
        let restarts = container.restarts();
        container
            .finding(context, &FAILING, Category::Application)
            .says(format!(
                "{title} exits with code {} and was restarted {restarts} times, so that the others can't begin{said}",
                ending.code
            ))
            .severity(Severity::Critical)
            .at(container.past(ending))
            .field(container.pod, "exitCode", &ending.code.to_string())
    } else if let Some(length) = container.running_for(context.scene.now).filter(|length| *length > PATIENCE) {
        container
            .finding(context, &ENDLESS, Category::Application)
            .says(format!(
                "{title} has run for {} min and does not end, so that the others can't begin{said}",
                length.as_mins()
            ))
            .words(marple_core::ProofSource::Object(container.pod.clone()), "containers with incomplete status")
    } else {
        return;
    };
    let draft = match words {
        Some((words, previous)) => draft.log(container.pod, container.name, previous, words),
        None => draft,
    };
    draft
        .check(
            "Read its log",
            container.logs_command(!container.runs() && failed.is_some_and(|ending| !ending.present)),
        )
        .into(findings);
}
