//! Programs that serve and whose logs are full of errors.

use std::collections::BTreeMap;

use marple_core::{Category, Finding, ObjectRef};

use super::context::Context;
use super::words::{Words, lines};
use super::{Condition, Diagnoser, line};

const ERRORS: Condition = Condition::symptom("errors-in-log", 26);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[ERRORS], find };

/// At least so many of the latest lines, and at least one in so many.
const FEWEST: usize = 5;
const ONE_IN: usize = 5;

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let tops = context.scene.subjects.iter().map(|subject| context.graph.top_owner(subject)).collect::<Vec<_>>();
    let mut by_container: BTreeMap<(&ObjectRef, &str), Vec<Words<'_>>> = BTreeMap::new();
    for words in lines(context).into_iter().filter(|words| words.serves && tops.contains(&words.owner)) {
        by_container.entry((words.pod, words.container)).or_default().push(words);
    }
    for ((pod, container), lines) in by_container {
        let errors = lines.iter().filter(|words| line::is_error(words.line)).collect::<Vec<_>>();
        let (Some(latest), true) = (errors.first(), errors.len() >= FEWEST && errors.len() * ONE_IN >= lines.len())
        else {
            continue;
        };
        latest
            .prove(context.finding(&ERRORS, pod, Category::Application))
            .says(format!(
                "{} of the latest {} lines of container {container} of {pod} are errors, the last: {}",
                errors.len(),
                lines.len(),
                line::readable(latest.line)
            ))
            .check("Read its log", latest.logs_command())
            .into(findings);
    }
}
