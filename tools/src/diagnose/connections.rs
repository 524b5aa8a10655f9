//! Servers that take no more connections, and pools that have none left, by logs.

use std::collections::BTreeSet;

use marple_core::{Category, Finding, Severity};

use super::asker::is_own;
use super::context::Context;
use super::words::{Times, Words, lines, told};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::spoken::{Trouble, hosts, is_unreached, trouble};

const FULL: Condition = Condition::cause("connections-exhausted", 8).likely();
const LIMITED: Condition = Condition::symptom("requests-rate-limited", 13);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[FULL, LIMITED], find };

const NONE_LEFT: [&str; 11] = [
    "too many connections",
    "too many clients already",
    "remaining connection slots are reserved",
    "max number of clients reached",
    "maximum number of connections",
    "connection pool exhausted",
    "connection pool is exhausted",
    "connection pool timed out",
    "timeout acquiring connection",
    "connection is not available, request timed out",
    "queuepool limit",
];

/// How a pool of connections says that it had none to give in time: it is empty too while the server is away.
const WAITED: [&str; 5] = [
    "connection pool timed out",
    "timeout acquiring connection",
    "connection is not available, request timed out",
    "queuepool limit",
    "connection pool exhausted",
];

const TOO_OFTEN: [&str; 5] = [
    "too many requests",
    "rate limit exceeded",
    "throttlingexception",
    "request limit exceeded",
    "client rate limiter",
];

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let away = lines(context).into_iter().filter(|words| is_away(words.line));
    let away = away.map(|words| (words.pod, words.container, words.previous)).collect::<BTreeSet<_>>();
    let read = |words: &Words<'_>| {
        let waited = || WAITED.iter().any(|phrase| words.line.to_ascii_lowercase().contains(phrase));
        let beside =
            is_unreached(words.line) || waited() && away.contains(&(words.pod, words.container, words.previous));
        none_left(words.line).filter(|full| if *full { !beside } else { is_own(words) })
    };
    for (full, words, times) in told(context, read) {
        state(context, full, &words, times, findings);
    }
}

/// Whether a line tells that a server is away, and not only that it was waited for.
fn is_away(line: &str) -> bool {
    matches!(trouble(line), Some(Trouble::NameServer | Trouble::Unresolved | Trouble::Refused)) || is_unreached(line)
}

/// Whether the line tells that no connection is left, or else that requests come too often.
fn none_left(line: &str) -> Option<bool> {
    let lower = line.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    if says(&NONE_LEFT) { Some(true) } else { says(&TOO_OFTEN).then_some(false) }
}

fn state(context: &Context<'_>, full: bool, words: &Words<'_>, times: Times, findings: &mut Vec<Finding>) {
    let owner = &words.owner;
    let times = times.told(context);
    let said = line::readable(words.line);
    if !full {
        words
            .prove(context.finding(&LIMITED, words.pod, Category::Dependency))
            .says(format!("{owner} sends more requests than it is allowed{times}: {said}"))
            .check("See whom it asks", words.logs_command())
            .into(findings);
        return;
    }
    let namespace = words.pod.namespace.as_deref().unwrap_or("default");
    let named = hosts(words.line).into_iter().map(|target| target.service(namespace));
    let service = named.into_iter().find(|service| context.scene.get(service).is_some());
    let at = service.map(|service| format!(" of {service}")).unwrap_or_default();
    words
        .prove(context.finding(&FULL, words.pod, Category::Resources))
        .says(format!("{owner} gets no more connections{at}{times}: {said}"))
        .severity(if words.serves { Severity::Warning } else { Severity::Critical })
        .culprit(owner)
        .check("See who holds connections, and whether they are given back", words.logs_command())
        .mend("Fit the size of the pools of all replicas to what the server allows", workload::edit(owner))
        .into(findings);
}
