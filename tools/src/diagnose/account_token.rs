//! Programs that want to ask the API server, and whose pods are given no token for it.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::words::{Words, told};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const NO_TOKEN: Condition = Condition::cause("account-token-not-mounted", 6);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[NO_TOKEN], find };

/// How clients say that they find no token, in lower case.
const SAID: [&str; 4] = [
    "secrets/kubernetes.io/serviceaccount/token",
    "unable to load in-cluster configuration",
    "service host/port is not set",
    "service token file does not exist",
];

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for ((), words, _) in told(context, |words| misses(words).then_some(())) {
        let Some(pod) = context.scene.get(words.pod).filter(|pod| !is_given(pod)) else { continue };
        let (Some(namespace), own) =
            (words.pod.namespace.as_deref(), pod.pointer("/spec/automountServiceAccountToken"))
        else {
            continue;
        };
        let name = field::text(pod, "/spec/serviceAccountName").unwrap_or("default");
        let account = ObjectRef::namespaced("ServiceAccount", namespace, name);
        let owner = &words.owner;
        let refuses =
            context.scene.get(&account).is_some_and(|value| is_off(value.get("automountServiceAccountToken")));
        let (culprit, why) = match own {
            _ if is_off(own) => (owner, format!("{owner} turns it off by automountServiceAccountToken")),
            None if refuses => (&account, format!("{account} turns it off by automountServiceAccountToken")),
            _ => continue,
        };
        let draft = words
            .prove(context.finding(&NO_TOKEN, words.pod, Category::Permission))
            .says(format!("{owner} finds no token to ask the API server with: {why}: {}", line::readable(words.line)))
            .severity(if words.serves { Severity::Warning } else { Severity::Critical })
            .culprit(culprit);
        let shown = if culprit == owner { words.pod } else { &account };
        draft
            .field(shown, "automountServiceAccountToken", "false")
            .mend("Let the token be mounted", workload::edit(culprit))
            .into(findings);
    }
}

fn misses(words: &Words<'_>) -> bool {
    let lower = words.line.to_ascii_lowercase();
    SAID.iter().any(|phrase| lower.contains(phrase))
        && ["no such file", "enoent", "not exist", "not found", "unable to load", "not set"]
            .iter()
            .any(|word| lower.contains(word))
}

fn is_off(value: Option<&serde_json::Value>) -> bool {
    value.and_then(serde_json::Value::as_bool) == Some(false)
}

/// Whether a volume with the token is there: each pod is given one unless that is turned off.
fn is_given(pod: &serde_json::Value) -> bool {
    field::items(pod, "/spec/volumes").iter().any(|volume| {
        field::items(volume, "/projected/sources").iter().any(|source| source.get("serviceAccountToken").is_some())
    })
}
