//! Volumes whose ConfigMap or Secret isn't there.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::configuration::{arrived, missing, with_remedies};
use super::context::Context;
use super::{Condition, Diagnoser};
use crate::scene::field;

const MISSING: Condition = Condition::cause("volume-source-missing", 1);
const KEY: Condition = Condition::cause("volume-source-key-missing", 1);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[MISSING, KEY], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (pod, value) in context.scene.of_kind("Pod") {
        if field::text(value, "/status/phase") != Some("Pending") {
            continue;
        }
        let Some(event) =
            context.warning(pod, |event| event.reason == "FailedMount" && named(&event.message, pod).is_some())
        else {
            continue;
        };
        let Some((object, key)) = named(&event.message, pod) else { continue };
        if arrived(context, &object, key.as_deref()) {
            continue;
        }
        let owner = context.graph.top_owner(pod);
        let statement = match &key {
            Some(key) => format!(
                "{object} has no key {key}, which a volume of {pod} takes from it; its containers can't be created"
            ),
            None => format!("{object} does not exist; {pod} mounts it as a volume and can't be created"),
        };
        let draft = context
            .finding(if key.is_some() { &KEY } else { &MISSING }, pod, Category::Configuration)
            .says(statement)
            .severity(Severity::Critical)
            .culprit(&object)
            .event(event);
        with_remedies(context, draft, &object, key.as_deref(), &owner, &serde_json::Value::Null).into(findings);
    }
}

/// The ConfigMap or Secret that a failed mount names, with the key where only that is missing.
fn named(message: &str, pod: &ObjectRef) -> Option<(ObjectRef, Option<String>)> {
    let namespace = pod.namespace.as_deref()?;
    if let Some((_, key)) = message.split_once("non-existent ") {
        let kind = if key.starts_with("secret") { "Secret" } else { "ConfigMap" };
        let key = key.split_once("key: ")?.1.split_whitespace().next()?;
        let lower = kind.to_ascii_lowercase();
        let name = message.split_once(&format!("{lower} \""))?.1.split('"').next()?;
        return Some((ObjectRef::namespaced(kind, namespace, name), Some(key.to_owned())));
    }
    missing(message, namespace)
}
