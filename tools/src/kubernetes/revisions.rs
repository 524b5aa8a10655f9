//! The revisions of a workload, and what changed between them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::family::revision;
use super::field::{entries, flag, is_controlled_by, items, name, namespace, number, text, time};
use super::{Cluster, LookError, family};
use crate::view::scalar;

/// The most revisions that are read; ten are kept by default.
const MOST: usize = 200;

/// One revision of a workload's pod template.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its number; the highest is the one that is wanted now.
    pub number: i64,
    /// The ReplicaSet or `ControllerRevision` that holds it.
    pub name: String,
    /// When it was first rolled out. A rollback brings an old one back under a new number.
    pub created: Option<Timestamp>,
    /// Ready and wanted pods, of a Deployment's revision.
    pub pods: Option<(i64, i64)>,
    /// Why, where someone said so (`kubernetes.io/change-cause`).
    pub cause: Option<String>,
    /// The numbers that it had before: it was rolled back to.
    pub earlier: Option<String>,
    /// The pod template.
    pub template: Value,
}

/// One changed field of a pod template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field, as `spec.containers[app].image`.
    pub path: String,
    /// What it was; absent where it wasn't set.
    pub from: Option<String>,
    /// What it is; absent where it is no longer set.
    pub to: Option<String>,
}

impl std::fmt::Display for Change {
    /// As `spec.containers[app].image: cart:1 → cart:2`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(not set)".to_owned());
        write!(formatter, "{}: {} → {}", self.path, shown(&self.from), shown(&self.to))
    }
}

impl Cluster {
    /// The revisions of a Deployment, StatefulSet or DaemonSet that was read, the newest first; of anything else none.
    pub async fn revisions(&self, workload: &Value) -> Result<Vec<Revision>, LookError> {
        let (Some(kind), Some(uid)) = (text(workload, "/kind"), text(workload, "/metadata/uid")) else {
            return Ok(vec![]);
        };
        let Some(labels) = family::pod_selector(workload) else { return Ok(vec![]) };
        let (holders, read): (_, fn(&Value) -> Option<Revision>) = match kind {
            "Deployment" => ("apps/ReplicaSet", of_replica_set),
            "StatefulSet" | "DaemonSet" => ("apps/ControllerRevision", of_controller_revision),
            _ => return Ok(vec![]),
        };
        let found = self.list(holders, namespace(workload), Some(&labels), None, MOST).await?;
        let owned = found.iter().filter(|holder| is_controlled_by(holder, uid));
        let mut revisions: Vec<Revision> = owned.filter_map(read).collect();
        revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
        Ok(revisions)
    }
}

fn annotation(object: &Value, wanted: &str) -> Option<String> {
    entries(object, "/metadata/annotations").find(|(name, _)| *name == wanted)?.1.as_str().map(str::to_owned)
}

fn of_replica_set(set: &Value) -> Option<Revision> {
    let ready = number(set, "/status/readyReplicas").unwrap_or_default();
    Some(Revision {
        number: revision(set)?,
        name: name(set).to_owned(),
        created: time(set, "/metadata/creationTimestamp"),
        pods: Some((ready, number(set, "/spec/replicas").unwrap_or_default())),
        cause: annotation(set, "kubernetes.io/change-cause"),
        earlier: annotation(set, "deployment.kubernetes.io/revision-history").filter(|history| !history.is_empty()),
        template: set.pointer("/spec/template")?.clone(),
    })
}

fn of_controller_revision(holder: &Value) -> Option<Revision> {
    Some(Revision {
        number: number(holder, "/revision")?,
        name: name(holder).to_owned(),
        created: time(holder, "/metadata/creationTimestamp"),
        pods: None,
        cause: annotation(holder, "kubernetes.io/change-cause"),
        earlier: None,
        template: holder.pointer("/data/spec/template")?.clone(),
    })
}

/// What differs between two pod templates, field by field, in the order of the paths. List items are told by their
/// name, not by their place. The hash that a Deployment's controller adds is no change.
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let (old, new) = (flat(old), flat(new));
    let paths: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    paths
        .into_iter()
        .filter(|path| {
            !matches!(path.as_str(), "metadata.labels.pod-template-hash" | "metadata.creationTimestamp" | "$patch")
        })
        .filter_map(|path| {
            let (from, to) = (old.get(path).cloned(), new.get(path).cloned());
            (from != to).then(|| Change { path: path.clone(), from, to })
        })
        .collect()
}

fn flat(template: &Value) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    flatten("", template, &mut fields);
    fields
}

fn flatten(path: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    let below = |name: &str| match (path.is_empty(), name.contains(['.', '/'])) {
        (true, _) => name.to_owned(),
        (false, false) => format!("{path}.{name}"),
        (false, true) => format!("{path}[{name}]"),
    };
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (name, value) in object {
                flatten(&below(name), value, fields);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            // Several items may share a name, as a port of two protocols does.
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for (index, item) in items.iter().enumerate() {
                let key = item_name(item).unwrap_or_else(|| index.to_string());
                let again = seen.entry(key.clone()).and_modify(|count| *count += 1).or_insert(1);
                let key = if *again == 1 { key } else { format!("{key}#{again}") };
                // The path tells the name already.
                let named = text(item, "/name").is_some() && item.as_object().is_some_and(|fields| fields.len() > 1);
                let rest = named.then(|| {
                    let mut rest = item.as_object().cloned().unwrap_or_default();
                    rest.remove("name");
                    Value::Object(rest)
                });
                flatten(&format!("{path}[{key}]"), rest.as_ref().unwrap_or(item), fields);
            }
        }
        Value::String(text) => {
            fields.insert(path.to_owned(), scalar(text));
        }
        other => {
            fields.insert(path.to_owned(), other.to_string());
        }
    }
}

/// What tells an item of a list from the others; the name itself is then part of the path.
fn item_name(item: &Value) -> Option<String> {
    let by_text = ["/name", "/mountPath", "/key", "/topologyKey", "/ip"]
        .iter()
        .find_map(|path| text(item, path).map(str::to_owned));
    by_text.or_else(|| number(item, "/containerPort").map(|port| port.to_string()))
}

/// Who wrote an object's wanted state, and when, the latest first: from its managed fields.
pub(crate) fn writers(object: &Value) -> Vec<(Timestamp, String)> {
    let mut writers: Vec<(Timestamp, String)> = items(object, "/metadata/managedFields")
        .filter(|entry| text(entry, "/subresource").is_none_or(|subresource| subresource == "scale"))
        // The controllers' own bookkeeping is in annotations and the status.
        .filter(|entry| text(entry, "/manager") != Some("kube-controller-manager"))
        .filter_map(|entry| Some((time(entry, "/time")?, text(entry, "/manager")?.to_owned())))
        .collect();
    writers.sort_by(|left, right| right.cmp(left));
    writers
}

/// Whether a rollout is held back by a pause.
pub(crate) fn paused(workload: &Value) -> bool {
    flag(workload, "/spec/paused")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_names_the_field_whatever_the_order_of_the_items() {
        let old = json!({"metadata": {"labels": {"app": "cart", "pod-template-hash": "1"}, "annotations": {"a.b/c": "1"}}, "spec": {"containers": [
            {"name": "app", "image": "cart:1", "env": [{"name": "URL", "value": "http://db"}, {"name": "OLD", "value": "1"}],
             "resources": {"limits": {"memory": "64Mi"}}}, {"name": "proxy", "image": "p:1"}]}});
        let new = json!({"metadata": {"labels": {"app": "cart", "pod-template-hash": "2"}, "annotations": {"a.b/c": "2"}}, "spec": {"containers": [
            {"name": "proxy", "image": "p:1"}, {"name": "app", "image": "cart:2", "env": [{"name": "URL", "value": "http://db2"}],
             "resources": {"limits": {"memory": "32Mi"}}}]}});
        let told: Vec<String> = changes(&old, &new).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "metadata.annotations[a.b/c]: \"1\" → \"2\"",
                "spec.containers[app].env[OLD].value: \"1\" → (not set)",
                "spec.containers[app].env[URL].value: http://db → http://db2",
                "spec.containers[app].image: cart:1 → cart:2",
                "spec.containers[app].resources.limits.memory: 64Mi → 32Mi",
            ]
        );
    }

    #[test]
    fn equal_templates_have_no_changes() {
        let template = json!({"spec": {"containers": [{"name": "app", "ports": [{"containerPort": 80}]}]}});
        assert_eq!(changes(&template, &template), []);
    }
}
