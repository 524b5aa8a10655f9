//! Programs that serve and whose logs are full of errors, or were.

use std::collections::BTreeMap;

use jiff::Timestamp;
use marple_core::{Category, Finding, ObjectRef, Severity};

use super::container::containers;
use super::context::Context;
use super::words::{LATELY, Words, between, lines};
use super::{Condition, Diagnoser, line};
use crate::scene::spoken::trouble;
use crate::view::normalised;

const ERRORS: Condition = Condition::symptom("errors-in-log", 26);
const OVER: Condition = Condition::context("errors-in-log-over");

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[ERRORS, OVER], find };

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
        let Some(told) = most(&errors).filter(|_| errors.len() >= FEWEST && errors.len() * ONE_IN >= lines.len())
        else {
            continue;
        };
        let when = span(context, errors.iter().map(|words| words.line)).unwrap_or_default();
        let like =
            if told.count == errors.len() { "the last".to_owned() } else { format!("{} of them alike", told.count) };
        told.latest
            .prove(context.finding(&ERRORS, pod, Category::Application))
            .says(format!(
                "{} of the latest {} lines of container {container} of {pod} are errors{when}, {like}: {}",
                errors.len(),
                lines.len(),
                line::readable(told.latest.line)
            ))
            .check("Read its log", told.latest.logs_command())
            .into(findings);
    }
    over(context, &tops, findings);
}

/// The statement of a program that most of the lines come from: the latest such line, and how many there are.
struct Most<'w, 'a> {
    latest: &'w Words<'a>,
    count: usize,
}

/// Lines that differ in numbers, times and ids alone come from one statement. Of two as frequent the later counts.
fn most<'w, 'a>(errors: &[&'w Words<'a>]) -> Option<Most<'w, 'a>> {
    let mut groups: Vec<(String, Most<'w, 'a>)> = Vec::new();
    for words in errors {
        let key = normalised(&line::readable(words.line));
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.count += 1,
            None => groups.push((key, Most { latest: words, count: 1 })),
        }
    }
    groups.into_iter().map(|(_, group)| group).reduce(|best, one| if one.count > best.count { one } else { best })
}

/// From when until when lines were said, where they tell.
fn span<'a>(context: &Context<'_>, lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let times = lines.filter_map(|line| line::said_at(line, context.scene.now)).collect::<Vec<Timestamp>>();
    Some(between(context, (times.iter().copied().min()?, times.iter().copied().max()?)))
}

/// Containers of the subjects that serve and whose errors are over: what is said of them was before.
fn over(context: &Context<'_>, tops: &[ObjectRef], findings: &mut Vec<Finding>) {
    for container in containers(context).iter().filter(|one| one.ready() && one.runs() && tops.contains(&one.owner)) {
        let Some(log) = context.scene.log(container.pod, container.name, false) else { continue };
        let fails = |line: &str| line::is_error(line) || trouble(line).is_some();
        let lines = log.text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>();
        let errors = lines.iter().copied().filter(|line| fails(line)).collect::<Vec<_>>();
        let since = lines.iter().rev().take_while(|line| !fails(line)).count();
        let (Some(last), true) = (errors.last(), errors.len() >= FEWEST && since > 0) else { continue };
        let Some(ended) = line::said_at(last, context.scene.now).filter(|at| !context.within(*at, LATELY)) else {
            continue;
        };
        let when = span(context, errors.iter().copied()).unwrap_or_default();
        context
            .finding(&OVER, container.pod, Category::Application)
            .says(format!(
                "{} lines of container {} of {} told of errors{when}; that is over: none of the {since} lines since does. The last: {}",
                errors.len(),
                container.name,
                container.pod,
                line::readable(last)
            ))
            .severity(Severity::Info)
            .at(Some(ended))
            .log(container.pod, container.name, false, last)
            .check("Read its log", container.logs_command(false))
            .into(findings);
    }
}
