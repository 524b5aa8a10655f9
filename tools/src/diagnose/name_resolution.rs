//! A cluster whose DNS does not answer, by logs.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::dependency::asks_for_missing;
use super::words::{Words, told};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::spoken::{Trouble, name_server, trouble};

const UNANSWERED: Condition = Condition::pointer("name-server-unanswered", 9);
const UNKNOWN: Condition = Condition::symptom("name-resolution-failing", 9);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[UNANSWERED, UNKNOWN], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let service = name_server().service("kube-system");
    let there = context.scene.get(&service).is_some();
    let unanswered = |line: &str| trouble(line) == Some(Trouble::NameServer);
    let of_server = |words: &Words<'_>| unanswered(words.line) && !asks_for_missing(context, words);
    for ((), words, times) in told(context, |words| of_server(words).then_some(())) {
        let owner = &words.owner;
        let times = times.told(context);
        let by = if there { format!(" by {service}") } else { String::new() };
        let draft = words
            .prove(context.finding(if there { &UNANSWERED } else { &UNKNOWN }, words.pod, Category::Network))
            .says(format!("Names that {owner} asks for are not answered{by}{times}: {}", line::readable(words.line)))
            .severity(Severity::Critical);
        if there {
            draft.culprit(&service).check("See the name server's pods", workload::describe(&service))
        } else {
            draft.check("See which server it asks", words.logs_command())
        }
        .into(findings);
    }
}
