//! Configuration that a container needs and that isn't there.

use std::collections::BTreeSet;

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::container::{Container, containers};
use super::context::{Context, RECENT};
use super::words::Words;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const CONFIG_MAP: Condition = Condition::cause("config-map-missing", 1);
const SECRET: Condition = Condition::cause("secret-missing", 1);
const KEY: Condition = Condition::cause("configuration-key-missing", 1);
const SECURITY: Condition = Condition::cause("security-context-refused", 2);
const OTHER: Condition = Condition::symptom("container-configuration-error", 5);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[CONFIG_MAP, SECRET, KEY, SECURITY, OTHER], find };

/// What a message of the kubelet says is missing: the object, and the key where the object is there without it.
pub(super) fn missing(message: &str, namespace: &str) -> Option<(ObjectRef, Option<String>)> {
    if let Some((_, rest)) = message.split_once("couldn't find key ") {
        let mut words = rest.split_whitespace();
        let (key, kind, name) = (words.next()?, words.nth(1)?, words.next()?);
        let name = name.rsplit('/').next()?.trim_end_matches(['.', ',', ';']);
        return Some((ObjectRef::namespaced(kind, namespace, name), Some(key.to_owned())));
    }
    for (word, kind) in [("configmap", "ConfigMap"), ("secret", "Secret")] {
        let named = message.match_indices(&format!("{word} \"")).find_map(|(at, found)| {
            let (name, rest) = message.get(at + found.len()..)?.split_once('"')?;
            rest.trim_start().starts_with("not found").then_some(name)
        });
        // The kubelet's cache says it so: `object "shop"/"cart" not registered`, which is no absence.
        if let Some(name) = named {
            let name = name.rsplit('/').next().unwrap_or(name);
            return Some((ObjectRef::namespaced(kind, namespace, name), None));
        }
    }
    None
}

/// Whether the object, or the key in it, is there by now: the kubelet will see it soon.
pub(super) fn arrived(context: &Context<'_>, object: &ObjectRef, key: Option<&str>) -> bool {
    context.scene.get(object).is_some_and(|value| {
        key.is_none_or(|key| {
            ["data", "binaryData"]
                .iter()
                .any(|part| value.pointer(&format!("/{part}")).and_then(|data| data.get(key)).is_some())
        })
    })
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for container in containers(context) {
        judge(context, &container, findings);
    }
}

fn judge<'a>(context: &Context<'a>, container: &Container<'a>, findings: &mut Vec<Finding>) {
    let Some((_, message)) = container.waiting().filter(|(reason, _)| *reason == "CreateContainerConfigError") else {
        return;
    };
    let namespace = container.pod.namespace.as_deref().unwrap_or("default");
    let title = container.title();
    if let Some((object, key)) = missing(message, namespace) {
        if arrived(context, &object, key.as_deref()) {
            return;
        }
        let (condition, what) = match &key {
            Some(key) => {
                let keys = context.scene.get(&object).map(keys).filter(|keys| !keys.is_empty());
                let has = keys.map(|keys| format!(" (it has {keys})")).unwrap_or_default();
                (KEY, format!("{object} has no key {key}{has}"))
            }
            None if object.is("Secret") => (SECRET, format!("{object} does not exist")),
            None => (CONFIG_MAP, format!("{object} does not exist")),
        };
        let edges = context.graph.edges(container.pod).iter().filter(|edge| edge.to == object);
        let refers = || edges.map(|edge| edge.how.split(" of container").next().unwrap_or(&edge.how).to_owned()).next();
        let use_ = variable(container.spec, &object, key.as_deref()).or_else(refers);
        let use_ = use_.map(|use_| format!(" for {use_}")).unwrap_or_default();
        let draft = container
            .finding(context, &condition, Category::Configuration)
            .says(format!(
                "{what}; {} needs it{use_} and can't be created",
                title.replacen("Container", "container", 1)
            ))
            .severity(Severity::Critical)
            .culprit(&object)
            .field(container.pod, "message", message)
            .field(container.pod, "reason", "CreateContainerConfigError");
        with_remedies(context, draft, &object, key.as_deref(), &container.owner, container.spec).into(findings);
        return;
    }
    let refused = message.contains("runAsNonRoot") || message.contains("non-numeric user");
    let condition = if refused { SECURITY } else { OTHER };
    let mut draft = container
        .finding(context, &condition, if refused { Category::Permission } else { Category::Configuration })
        .says(format!("{title} can't be created: {}", line::cut(message, 160)))
        .severity(Severity::Critical)
        .field(container.pod, "message", message);
    if refused {
        draft = draft.culprit(&container.owner);
    }
    draft.mend("Correct its specification", workload::edit(&container.owner)).into(findings);
}

/// The variable of a container that takes a key of an object, the first where no key is named: of several that the object
/// gives, one alone lacks its key.
fn variable(container: &Value, object: &ObjectRef, key: Option<&str>) -> Option<String> {
    let reference = if object.is("Secret") { "secretKeyRef" } else { "configMapKeyRef" };
    let takes = |variable: &&Value| {
        let of = variable.get("valueFrom").and_then(|from| from.get(reference));
        let field = |name: &str| of.and_then(|of| of.get(name)).and_then(Value::as_str);
        field("name") == Some(object.name.as_str()) && (key.is_none() || field("key") == key)
    };
    let name = container.get("env")?.as_array()?.iter().find(takes)?.get("name")?.as_str()?;
    Some(format!("env {name}"))
}

/// The ConfigMap from which the container that spoke takes its settings, where it is one: else the one of them that was
/// written last, where that was lately.
pub(super) fn only_source(context: &Context<'_>, words: &Words<'_>) -> Option<ObjectRef> {
    let edges = context.graph.edges(words.pod).iter().filter(|edge| edge.to.is("ConfigMap"));
    let named = edges.map(|edge| &edge.to).filter(|map| map.name != "kube-root-ca.crt").collect::<BTreeSet<_>>();
    let written = |map: &&&ObjectRef| {
        context.scene.rollouts.get(**map).filter(|it| context.within(it.at, RECENT)).map(|it| it.at)
    };
    match named.iter().collect::<Vec<_>>().as_slice() {
        [only] => Some((**only).clone()),
        several => {
            several.iter().copied().filter(|map| written(map).is_some()).max_by_key(written).map(|map| (*map).clone())
        }
    }
}

/// The keys of a ConfigMap or Secret, at most eight.
fn keys(value: &Value) -> String {
    let data = value.pointer("/data").and_then(Value::as_object);
    data.map(|data| data.keys().take(8).map(String::as_str).collect::<Vec<_>>().join(", ")).unwrap_or_default()
}

/// The commands that bring a missing object or key, and the one that takes back a rollout that began to name it.
pub(super) fn with_remedies<'c, 'a>(
    context: &Context<'_>,
    mut draft: super::context::Draft<'c, 'a>,
    object: &ObjectRef,
    key: Option<&str>,
    owner: &ObjectRef,
    container: &Value,
) -> super::context::Draft<'c, 'a> {
    let scope = workload::scope(object);
    let name = &object.name;
    draft = match key {
        Some(key) if object.is("Secret") => draft.mend(
            format!("Add the key {key}"),
            format!("kubectl patch secret{scope} {name} -p '{{\"stringData\":{{\"{key}\":\"VALUE\"}}}}'"),
        ),
        Some(key) => draft.mend(
            format!("Add the key {key}"),
            format!("kubectl patch configmap{scope} {name} -p '{{\"data\":{{\"{key}\":\"VALUE\"}}}}'"),
        ),
        None => {
            let (kind, at) =
                if object.is("Secret") { ("secret generic", "secretKeyRef") } else { ("configmap", "configMapKeyRef") };
            let literals = field::items(container, "/env")
                .iter()
                .filter(|entry| field::text(entry, &format!("/valueFrom/{at}/name")) == Some(name))
                .filter_map(|entry| field::text(entry, &format!("/valueFrom/{at}/key")))
                .map(|key| format!("--from-literal={key}=VALUE"))
                .collect::<Vec<_>>()
                .join(" ");
            let data = if literals.is_empty() { "--from-env-file=FILE".to_owned() } else { literals };
            draft.mend(format!("Create {object}"), format!("kubectl create {kind}{scope} {name} {data}"))
        }
    };
    let named_lately = context.scene.rollouts.get(owner).is_some_and(|rollout| {
        rollout.changes.iter().any(|change| change.to.as_deref().is_some_and(|to| to.contains(name.as_str())))
    });
    match workload::undo(owner) {
        Some(undo) if named_lately => draft.mend("Or go back to the revision that did not name it", undo),
        _ => draft,
    }
}
