//! Volumes whose ConfigMap or Secret isn't there.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::configuration::{arrived, missing, with_remedies};
use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::field;

const MISSING: Condition = Condition::cause("volume-source-missing", 1);
const KEY: Condition = Condition::cause("volume-source-key-missing", 1);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[MISSING, KEY], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (pod, value) in context.scene.of_kind("Pod") {
        if field::text(value, "/status/phase") != Some("Pending") || workload::pod_begun(value) {
            continue;
        }
        let event =
            context.warning(pod, |event| event.reason == "FailedMount" && named(&event.message, pod, value).is_some());
        let Some(event) = event else { continue };
        let Some((object, key)) = named(&event.message, pod, value) else { continue };
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
        with_remedies(context, draft, &object, key.as_deref(), &owner, &Value::Null).into(findings);
    }
}

/// The ConfigMap or Secret that a failed mount names, with the key where only that is missing.
fn named(message: &str, pod: &ObjectRef, value: &Value) -> Option<(ObjectRef, Option<String>)> {
    let namespace = pod.namespace.as_deref()?;
    let Some((_, rest)) = message.split_once("non-existent ") else { return missing(message, namespace) };
    let kind = if rest.starts_with("secret") { "Secret" } else { "ConfigMap" };
    let key = rest.split_once("key: ")?.1.split_whitespace().next()?;
    // The kubelet names the volume and the key, but not the object: that stands in the specification.
    let volume = message.split_once("volume \"")?.1.split('"').next()?;
    let volumes = field::items(value, "/spec/volumes");
    let volume = volumes.iter().find(|one| field::text(one, "/name") == Some(volume))?;
    let name = sources(volume).find(|(known, source)| *known == kind && takes(source, key))?.1;
    let name = field::text(name, "/name").or_else(|| field::text(name, "/secretName"))?;
    Some((ObjectRef::namespaced(kind, namespace, name), Some(key.to_owned())))
}

/// The `ConfigMap`s and Secrets of a volume, alone or among others that are projected into it.
fn sources(volume: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let of = |value| {
        [("ConfigMap", "configMap"), ("Secret", "secret")]
            .into_iter()
            .filter_map(move |(kind, field)| Some((kind, Value::get(value, field)?)))
    };
    of(volume).chain(field::items(volume, "/projected/sources").iter().flat_map(of))
}

/// Whether a source is asked for a key by its items.
fn takes(source: &Value, key: &str) -> bool {
    field::items(source, "/items").iter().any(|item| field::text(item, "/key") == Some(key))
}
