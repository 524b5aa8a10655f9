//! Settings that a program says it misses.

use std::collections::BTreeSet;

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::words::{Words, lines};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const MISSING: Condition = Condition::cause("environment-variable-missing", 12).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[MISSING], find };

/// Words that something is missing, and words of settings; in lower case.
const MISSES: [&str; 8] =
    ["missing", "not set", "is required", "required", "undefined", "must be set", "not defined", "unset"];
const SETTINGS: [&str; 6] = ["environment", "env ", "variable", "configuration", "config", "setting"];

/// What stands behind the name of a variable that is missing, or before it; in lower case.
const BEHIND: [&str; 14] = [
    " is not set",
    " not set",
    " must be set",
    " is required",
    " is missing",
    " is undefined",
    " is not defined",
    " is not specified",
    " not specified",
    " is unset",
    " is empty",
    " not provided",
    " must not be empty",
    " missing",
];
const BEFORE: [&str; 6] = ["keyerror: ", "placeholder ", "must specify ", "must set ", "missing ", "please set "];

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut told = BTreeSet::new();
    // A program that serves has what it needs, and what it only warned of it went on without.
    for words in lines(context).iter().filter(|words| !words.serves && !is_warning(words.line)) {
        let ends = words.last || line::is_error(words.line);
        let Some(name) = variable(words.line).filter(|_| ends) else { continue };
        if told.insert((words.pod, words.container, name)) {
            state(context, words, name, findings);
        }
    }
}

fn is_warning(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let went_on = [
        "disabled",
        "using default",
        "by default",
        "defaulting",
        "ignoring",
        "skipping",
        "fall back",
        "falling back",
        "optional",
    ];
    lower.contains("warn") || went_on.iter().any(|word| lower.contains(word))
}

fn state(context: &Context<'_>, words: &Words<'_>, name: &str, findings: &mut Vec<Finding>) {
    let Some(pod) = context.scene.get(words.pod) else { return };
    let container =
        field::items(pod, "/spec/containers").iter().find(|one| field::text(one, "/name") == Some(words.container));
    let Some(container) = container else { return };
    let entry = field::items(container, "/env").iter().find(|entry| field::text(entry, "/name") == Some(name));
    // What has a value is not missing, whatever the line is about.
    if entry.and_then(|entry| field::text(entry, "/value")).is_some_and(|value| !value.is_empty()) {
        return;
    }
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
    let draft = words
        .prove(context.finding(&MISSING, words.pod, Category::Configuration))
        .says(format!("{owner} ends without the environment variable {name}{why}: {}", line::readable(words.line)))
        .severity(Severity::Critical)
        .culprit(culprit);
    let draft = if culprit == owner && workload::undo(owner).is_some() {
        let set = format!("kubectl set env{scope} {} -c {} {name}=VALUE", workload::target(owner), words.container);
        draft.mend(format!("Set {name}"), set)
    } else {
        draft.mend(format!("Set {name}"), workload::edit(culprit))
    };
    draft.into(findings);
}

/// The name of the variable that a line says is missing: capitals, digits and underscores. A word in capitals alone may be
/// anything, unless it is told as a variable.
fn variable(line: &str) -> Option<&str> {
    let lower = line.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let tells = says(&MISSES) && says(&SETTINGS);
    let quotes = |letter: char| "'\"`${}:".contains(letter);
    let words = line.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let mut at = 0;
    for word in words {
        let (before, behind) = (lower.get(..at)?, lower.get(at + word.len()..)?);
        at += word.len() + behind.chars().next().map_or(0, char::len_utf8);
        if !is_name(word) {
            continue;
        }
        let before = before.trim_end_matches(quotes);
        let behind = behind.trim_start_matches(|letter| quotes(letter) && letter != ':');
        let near = BEHIND.iter().any(|phrase| behind.starts_with(phrase))
            || BEFORE.iter().any(|phrase| before.ends_with(phrase.trim_end()) || before.ends_with(phrase));
        let last = before.split_whitespace().next_back().unwrap_or_default();
        let next = behind.split_whitespace().next().unwrap_or_default();
        let as_one = last.ends_with("variable") || last.ends_with("env") || next.starts_with("variable");
        if (word.contains('_') || as_one) && (tells || near) {
            return Some(word);
        }
    }
    None
}

fn is_name(word: &str) -> bool {
    word.len() > 2
        && word.starts_with(|letter: char| letter.is_ascii_uppercase())
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        // Codes of errors look like variables.
        && !["ERR_", "E_", "ERROR_", "EXIT_"].iter().any(|code| word.starts_with(code))
}

#[cfg(test)]
mod tests {
    use super::{is_warning, variable};

    #[test]
    fn a_variable_is_told_from_other_words_in_capitals() {
        for (line, name) in [
            ("DATABASE_URL must be set", "DATABASE_URL"),
            ("Error: DB_HOST is not set", "DB_HOST"),
            ("KeyError: 'DATABASE_URL'", "DATABASE_URL"),
            ("Could not resolve placeholder 'DB_URL' in value \"${DB_URL}\"", "DB_URL"),
            ("You must specify POSTGRES_PASSWORD to a non-empty value", "POSTGRES_PASSWORD"),
            ("fatal: environment variable TOKEN is not set", "TOKEN"),
            (r#"{"msg":"required configuration is missing","variable":"DATABASE_URL"}"#, "DATABASE_URL"),
        ] {
            assert_eq!(variable(line), Some(name), "{line}");
        }
        for line in [
            "TLS configuration missing",
            "AWS config: region is required",
            "Error [ERR_MODULE_NOT_FOUND]: a module is missing from the configuration",
            "the configuration of THE_SHOP was read",
        ] {
            assert_eq!(variable(line), None, "{line}");
        }
        assert!(!is_warning("default/cart: DATABASE_URL must be set, there is no default"));
        assert!(is_warning("WARN environment variable SENTRY_DSN not set, reporting disabled"));
    }
}
