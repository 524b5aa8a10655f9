//! Credentials that a dependency refuses, by logs.

use std::collections::BTreeSet;

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::asker::is_own;
use super::context::Context;
use super::words::{Words, told};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;
use crate::scene::spoken::is_unreached;

const REFUSED: Condition = Condition::cause("credentials-refused", 8).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[REFUSED], find };

/// How databases, brokers, clouds and servers say that they don't take credentials, in lower case.
const PHRASES: [&str; 24] = [
    "password authentication failed",
    "access denied for user",
    "authentication failed",
    "authentication failure",
    "auth failed",
    "failed to authenticate",
    "sasl authentication",
    "invalid username or password",
    "invalid user or password",
    "invalid password",
    "invalid credentials",
    "bad credentials",
    "incorrect password",
    "login failed for user",
    "wrongpass",
    "noauth authentication required",
    "access_refused",
    "invalidaccesskeyid",
    "signaturedoesnotmatch",
    "invalidclienttokenid",
    "unrecognizedclientexception",
    "expiredtoken",
    "invalid api key",
    "invalid_client",
];

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for ((), words, count) in told(context, |words| (refuses(words.line) && is_own(words)).then_some(())) {
        state(context, &words, count, findings);
    }
}

fn refuses(line: &str) -> bool {
    // A call that did not get through was refused by nobody.
    if is_unreached(line) {
        return false;
    }
    let lower = line.to_ascii_lowercase();
    let status = || lower.contains("401 unauthorized") || (lower.contains("unauthorized") && lower.contains("401"));
    PHRASES.iter().any(|phrase| lower.contains(phrase)) || status()
}

fn state(context: &Context<'_>, words: &Words<'_>, count: usize, findings: &mut Vec<Finding>) {
    let owner = &words.owner;
    let secrets = secrets(context, words);
    let times = if count > 1 { format!(", {count} times in its latest lines") } else { String::new() };
    // With several Secrets the line alone does not tell from which it has them.
    let (culprit, from) = match secrets.as_slice() {
        [only] => (only.clone(), format!("; it has them from {only}")),
        _ => (owner.clone(), String::new()),
    };
    let draft = words
        .prove(context.finding(&REFUSED, words.pod, Category::Permission))
        .says(format!("The credentials of {owner} are refused{times}{from}: {}", line::readable(words.line)))
        .severity(if words.serves { Severity::Warning } else { Severity::Critical })
        .culprit(&culprit);
    let draft = if culprit == *owner { draft } else { draft.field(words.pod, "name", &culprit.name) };
    draft
        .check("See which Secrets it takes credentials from", workload::describe(words.pod))
        .mend("Set the credentials that the other side knows, and restart", workload::edit(&culprit))
        .into(findings);
}

/// The Secrets that the container takes settings from.
fn secrets(context: &Context<'_>, words: &Words<'_>) -> Vec<ObjectRef> {
    let Some(pod) = context.scene.get(words.pod) else { return Vec::new() };
    let of =
        field::items(pod, "/spec/containers").iter().find(|one| field::text(one, "/name") == Some(words.container));
    let mounted = |volume: &str| {
        of.is_some_and(|one| {
            field::items(one, "/volumeMounts").iter().any(|it| field::text(it, "/name") == Some(volume))
        })
    };
    let mounts = context
        .graph
        .edges(words.pod)
        .iter()
        .filter(|edge| edge.to.is("Secret") && edge.how.strip_prefix("volume ").is_some_and(mounted));
    let mut used = named_in_settings(context, words);
    used.extend(mounts.map(|edge| edge.to.clone()));
    used.into_iter().collect()
}

/// The Secrets that the environment of the container that spoke names.
pub(super) fn named_in_settings(context: &Context<'_>, words: &Words<'_>) -> BTreeSet<ObjectRef> {
    let secrets = context.graph.edges(words.pod).iter().filter(|edge| edge.to.is("Secret"));
    let named = secrets.filter(|edge| {
        edge.how.split_once(" of container ").is_some_and(|(_, container)| container == words.container)
    });
    named.map(|edge| edge.to.clone()).collect()
}
