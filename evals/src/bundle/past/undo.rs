//! Fields that were altered later, put back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use marple_core::{Change, ChangeKind, FieldChange};
use serde_json::{Map, Value, json};

use super::objects::Key;
use crate::bundle::KubernetesState;
use crate::json::text;

/// Where the template of a pod stands in what makes pods.
const TEMPLATES: [&str; 3] = ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec", "/spec"];

/// Puts back what the history says was altered after `at`, the latest first; gives the objects that differ by it. What
/// can't be put back is named.
pub(super) fn undo(
    state: &mut KubernetesState,
    changes: &[Change],
    at: Timestamp,
    unknown: &mut Vec<String>,
) -> BTreeSet<Key> {
    let mut altered = BTreeSet::new();
    for change in changes.iter().rev().filter(|change| change.at > at) {
        match change.kind {
            // Objects tell themselves when they were made.
            ChangeKind::Created => {}
            ChangeKind::Deleted => unknown.push(format!("{}, which was deleted since", change.object)),
            ChangeKind::Altered => {
                if change.left_out > 0 {
                    unknown.push(format!("{} more fields of {}", change.left_out, change.object));
                }
                for field in &change.fields {
                    match put_back(state, change, field) {
                        Some(keys) => altered.extend(keys),
                        None => unknown.push(format!("{} of {}", field.path, change.object)),
                    }
                }
            }
        }
    }
    altered
}

/// Puts a field back in each version of the object; nothing where one can't be.
fn put_back(state: &mut KubernetesState, change: &Change, field: &FieldChange) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    let namespace = change.object.namespace.as_deref().unwrap_or_default();
    for (place, resource) in state.resources.iter_mut().enumerate() {
        if resource.kind != change.object.kind {
            continue;
        }
        let found = resource.objects.iter_mut().find(|object| {
            object.name() == change.object.name
                && object.namespace() == namespace
                && text(&object.object, "/metadata/uid") == change.uid
        });
        let Some(found) = found else { continue };
        let (holder, name) = holder(&mut found.object, &field.path)?;
        if holder.get(name).map(words) != field.after {
            return None;
        }
        match &field.before {
            None => _ = holder.remove(name),
            Some(before) => {
                let number = holder.get(name).is_some_and(Value::is_number);
                let value = if number { before.parse::<i64>().map(Value::from).ok()? } else { json!(before) };
                holder.insert(name.to_owned(), value);
            }
        }
        keys.push((place, namespace.to_owned(), change.object.name.clone()));
    }
    (!keys.is_empty()).then_some(keys)
}

/// What holds the field of a path in the change history's words, and the field's name in it.
fn holder<'a, 'p>(object: &'a mut Value, path: &'p str) -> Option<(&'a mut Map<String, Value>, &'p str)> {
    if path == "replicas" {
        return Some((object.get_mut("spec")?.as_object_mut()?, path));
    }
    for (prefix, pointer) in
        [("data.", "/data"), ("labels.", "/metadata/labels"), ("annotations.", "/metadata/annotations")]
    {
        if let Some(name) = path.strip_prefix(prefix) {
            return Some((object.pointer_mut(pointer)?.as_object_mut()?, name));
        }
    }
    for list in ["containers", "initContainers"] {
        let Some(rest) = path.strip_prefix(list).and_then(|rest| rest.strip_prefix('[')) else { continue };
        let (container, rest) = rest.split_once("].")?;
        let template = TEMPLATES.iter().find(|pointer| object.pointer(&format!("{pointer}/{list}")).is_some())?;
        let containers = object.pointer_mut(&format!("{template}/{list}"))?;
        let container = named(containers, container)?;
        if rest == "image" {
            return Some((container.as_object_mut()?, rest));
        }
        let (variable, rest) = rest.strip_prefix("env[")?.split_once("].")?;
        if rest != "value" {
            return None;
        }
        return Some((named(container.get_mut("env")?, variable)?.as_object_mut()?, rest));
    }
    None
}

fn named<'a>(list: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    list.as_array_mut()?.iter_mut().find(|one| text(one, "/name") == name)
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
