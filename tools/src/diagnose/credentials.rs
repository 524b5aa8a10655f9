//! Credentials that a dependency refuses, by logs.

use std::collections::BTreeSet;

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::asker::is_own;
use super::container::containers;
use super::context::Context;
use super::words::{Times, Words, told};
use super::{Condition, Diagnoser, changed, line, stale, workload};
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
    for ((), words, times) in told(context, |words| (refuses(words.line) && is_own(words)).then_some(())) {
        state(context, &words, times, findings);
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

fn state(context: &Context<'_>, words: &Words<'_>, times: Times, findings: &mut Vec<Finding>) {
    let owner = &words.owner;
    let secrets = secrets(context, words);
    let times = times.told(context);
    // With several Secrets the line alone does not tell from which it has them.
    let (culprit, from) = match secrets.as_slice() {
        [only] => (only.clone(), format!("; it has them from {only}")),
        several => match rotated(context, several) {
            Some(rotated) => (rotated.clone(), format!("; of its Secrets {rotated} alone was written lately")),
            None => (owner.clone(), String::new()),
        },
    };
    let older = containers(context)
        .into_iter()
        .find(|container| container.pod == words.pod && container.name == words.container)
        .filter(|_| words.serves)
        .and_then(|container| stale::newer(context, &container, &culprit));
    let written = older.map(|at| format!(", which was written at {}, after it began", context.clock(at)));
    let from = from + &written.unwrap_or_default();
    let draft = words
        .prove(context.finding(&REFUSED, words.pod, Category::Permission))
        .says(format!("The credentials of {owner} are refused{times}{from}: {}", line::readable(words.line)))
        .severity(if words.serves { Severity::Warning } else { Severity::Critical })
        .culprit(&culprit);
    let draft = if culprit == *owner { draft } else { draft.field(words.pod, "name", &culprit.name) };
    let draft = match workload::undo(owner).filter(|_| older.is_some()) {
        Some(_) => draft.mend(
            "Restart the pods, so that they take up what was written",
            format!("kubectl rollout restart{} {}", workload::scope(owner), workload::target(owner)),
        ),
        None => draft,
    };
    draft
        .check("See which Secrets it takes credentials from", workload::describe(words.pod))
        .mend("Set the credentials that the other side knows, and restart", workload::edit(&culprit))
        .into(findings);
}

/// The only one of several Secrets that was written lately.
fn rotated<'s>(context: &Context<'_>, secrets: &'s [ObjectRef]) -> Option<&'s ObjectRef> {
    let lately = |secret: &&ObjectRef| {
        context.scene.rollouts.get(*secret).is_some_and(|it| context.within(it.at, changed::LATELY))
    };
    let mut written = secrets.iter().filter(lately);
    written.next().filter(|_| written.next().is_none())
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
