//! Settings that a program says it misses.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::words::{Words, lines};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const MISSING: Condition = Condition::cause("environment-variable-missing", 12).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[MISSING], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // A program that serves has what it needs.
    for words in lines(context).iter().filter(|words| !words.serves) {
        let lower = words.line.to_ascii_lowercase();
        let misses =
            ["missing", "not set", "is required", "required", "undefined", "must be set", "not defined", "unset"];
        let setting = ["environment", "env ", "variable", "configuration", "config", "setting"];
        let tells = misses.iter().any(|word| lower.contains(word)) && setting.iter().any(|word| lower.contains(word));
        let Some(name) = variable(words.line).filter(|_| tells) else { continue };
        state(context, words, name, findings);
    }
}

fn state(context: &Context<'_>, words: &Words<'_>, name: &str, findings: &mut Vec<Finding>) {
    let Some(pod) = context.scene.get(words.pod) else { return };
    let container =
        field::items(pod, "/spec/containers").iter().find(|one| field::text(one, "/name") == Some(words.container));
    let Some(container) = container else { return };
    let entry = field::items(container, "/env").iter().find(|entry| field::text(entry, "/name") == Some(name));
    let namespace = words.pod.namespace.as_deref().unwrap_or("default");
    let from = |kind: &str, value: &serde_json::Value, path: &str| {
        field::text(value, path).map(|source| ObjectRef::namespaced(kind, namespace, source))
    };
    // It was to come from an object that may be absent by its `optional`, or lacks the key.
    let sources = match entry {
        Some(entry) => [("ConfigMap", "/valueFrom/configMapKeyRef/name"), ("Secret", "/valueFrom/secretKeyRef/name")]
            .into_iter()
            .filter_map(|(kind, path)| from(kind, entry, path))
            .collect::<Vec<_>>(),
        None => field::items(container, "/envFrom")
            .iter()
            .flat_map(|entry| {
                [from("ConfigMap", entry, "/configMapRef/name"), from("Secret", entry, "/secretRef/name")]
            })
            .flatten()
            .collect(),
    };
    let owner = &words.owner;
    let (culprit, why) = match (sources.as_slice(), entry) {
        ([only], _) => (only, format!("; it should come from {only}")),
        (_, Some(_)) => (owner, "; its value there is empty".to_owned()),
        _ => (owner, "; its specification does not set it".to_owned()),
    };
    let scope = workload::scope(culprit);
    let draft = context
        .finding(&MISSING, words.pod, Category::Configuration)
        .says(format!("{owner} ends without the environment variable {name}{why}: {}", line::readable(words.line)))
        .severity(Severity::Critical)
        .culprit(culprit)
        .log(words.pod, words.container, words.previous, words.line);
    let draft = if culprit == owner && workload::undo(owner).is_some() {
        let set = format!("kubectl set env{scope} {} -c {} {name}=VALUE", workload::target(owner), words.container);
        draft.mend(format!("Set {name}"), set)
    } else {
        draft.mend(format!("Set {name}"), workload::edit(culprit))
    };
    draft.into(findings);
}

/// The name of a variable in a line: capitals, digits and underscores, with at least one underscore or told as one.
fn variable(line: &str) -> Option<&str> {
    let words = line.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let name = |word: &&str| {
        word.len() > 2
            && word.starts_with(|letter: char| letter.is_ascii_uppercase())
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && ![
                "ERROR", "FATAL", "INFO", "WARN", "WARNING", "DEBUG", "PANIC", "TRACE", "JSON", "YAML", "HTTP", "UTC",
                "ENV",
            ]
            .contains(word)
    };
    let all = words.filter(name).collect::<Vec<_>>();
    all.iter().find(|word| word.contains('_')).or(all.last()).copied()
}
