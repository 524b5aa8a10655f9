//! Who wrote a field, by what the API server notes of each writer (managedFields).

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::core::ObjectMeta;
use marple_core::Author;
use serde_json::Value;

/// Times of writers are in whole seconds: a write in the second of the one before is told from it only while it is fresh.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// The parts of an object under which the paths of fields begin, as managedFields name them.
const PARTS: [&str; 8] = [
    "/f:spec/f:template/f:spec",
    "/f:spec/f:template/f:metadata",
    "/f:spec/f:jobTemplate/f:spec/f:template/f:spec",
    "/f:spec/f:jobTemplate/f:spec",
    "/f:spec",
    "/f:metadata",
    "/f:status",
    "",
];

/// Controllers of the cluster itself, which write something of nearly every object.
const OF_THE_CLUSTER: [&str; 4] = ["kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver"];

/// The writers of an object.
#[derive(Clone, Copy)]
pub(super) struct Writers<'a>(&'a [ManagedFieldsEntry]);

/// How far a writer holds a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    Not,
    /// It holds something on the way to it.
    InPart,
    Whole,
}

/// A writer, and when it wrote.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Writer<'a> {
    entry: &'a ManagedFieldsEntry,
    pub(super) at: Timestamp,
}

impl<'a> Writers<'a> {
    pub(super) fn of(metadata: &'a ObjectMeta) -> Self {
        Self(metadata.managed_fields.as_deref().unwrap_or_default())
    }

    fn all(self) -> impl Iterator<Item = Writer<'a>> {
        let told = self.0.iter().filter(|entry| entry.subresource.as_deref() != Some("status"));
        told.filter_map(|entry| Some(Writer { entry, at: entry.time.as_ref()?.0 }))
    }

    /// When anybody wrote last, status apart.
    pub(super) fn last(self) -> Option<Timestamp> {
        self.all().map(|writer| writer.at).max()
    }

    /// Who made the object.
    pub(super) fn first(self) -> Option<Writer<'a>> {
        self.all().min_by_key(|writer| writer.at)
    }

    /// Who holds this field by having scaled a custom resource: the API server notes no time of that. Whoever holds a field
    /// has written it last, so it was just now.
    fn scaler(self, path: &str, now: Timestamp) -> Option<Writer<'a>> {
        let scaled =
            |entry: &&ManagedFieldsEntry| entry.time.is_none() && entry.subresource.as_deref() == Some("scale");
        let scalers = self.0.iter().filter(scaled).map(|entry| Writer { entry, at: now });
        scalers.into_iter().find(|writer| writer.holds(path) == Hold::Whole)
    }

    /// Who wrote this field after the object was as it was `since`. Nobody holds a field that was removed: then it is who
    /// wrote last, where that isn't one of the cluster's own controllers, which write all the time.
    pub(super) fn of_field(self, path: &str, since: Option<Timestamp>, now: Timestamp) -> Option<Writer<'a>> {
        if let Some(scaler) = self.scaler(path, now) {
            return Some(scaler);
        }
        let later = |writer: &Writer<'_>| match since {
            Some(since) => writer.at > since || writer.at == since && now.duration_since(since) <= FRESH,
            None => true,
        };
        let (held, writer) = self
            .all()
            .filter(later)
            .map(|writer| (writer.holds(path), writer))
            .max_by_key(|(held, writer)| (*held, writer.at))?;
        (held > Hold::Not || !writer.is_of_the_cluster()).then_some(writer)
    }
}

impl Writer<'_> {
    /// As it is told.
    pub(super) fn author(&self) -> Author {
        let manager = self.entry.manager.clone();
        Author {
            autoscaler: self.is_of_the_cluster() && self.entry.subresource.as_deref() == Some("scale"),
            manager,
            operation: self.entry.operation.clone(),
            ..Author::default()
        }
    }

    fn is_of_the_cluster(&self) -> bool {
        self.entry.manager.as_deref().is_some_and(|manager| OF_THE_CLUSTER.contains(&manager))
    }

    fn holds(&self, path: &str) -> Hold {
        let Some(fields) = self.entry.fields_v1.as_ref().map(|fields| &fields.0) else { return Hold::Not };
        let path = path.strip_prefix("template.").unwrap_or(path);
        let below = PARTS.iter().filter_map(|part| fields.pointer(part)).map(|fields| descend(fields, path));
        match below.max().unwrap_or_default() {
            0 => Hold::Not,
            held if held >= path.len() => Hold::Whole,
            _ => Hold::InPart,
        }
    }
}

/// How much of a path is found below a node of managedFields (`f:name` for a field, `k:{…}` for an item of a list).
fn descend(node: &Value, path: &str) -> usize {
    if path.is_empty() {
        return 0;
    }
    let children = node.as_object().into_iter().flatten();
    let reached = children.filter_map(|(child, below)| {
        let taken = if let Some(inner) = path.strip_prefix('[') {
            let (name, _) = inner.split_once(']')?;
            let names = child.strip_prefix("k:").is_some_and(|keys| keys.contains(&format!("\"{name}\"")));
            names.then_some(name.len() + 2)?
        } else {
            let name = child.strip_prefix("f:")?;
            let rest = path.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then_some(name.len())?
        };
        let rest = path.get(taken..)?;
        let dot = usize::from(rest.starts_with('.'));
        Some(taken + dot + descend(below, rest.get(dot..)?))
    });
    let reached = reached.max().unwrap_or_default();
    // A writer holds the whole of a list whose items have no names.
    if reached == 0 && node.as_object().is_some_and(serde_json::Map::is_empty) { path.len() } else { reached }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn metadata(entries: &Value) -> ObjectMeta {
        serde_json::from_value(json!({"name": "cart", "managedFields": entries})).unwrap()
    }

    fn entry(manager: &str, subresource: Option<&str>, second: i64, fields: &Value) -> Value {
        json!({"manager": manager, "operation": "Update", "subresource": subresource, "time": at(second), "fieldsV1": fields})
    }

    fn deployment() -> ObjectMeta {
        let image = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:image": {}, "f:args": {}}}}}}});
        metadata(&json!([
            entry(
                "helm",
                None,
                0,
                &json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {}}}}})
            ),
            entry("kubectl-edit", None, 20, &image),
            entry("kube-controller-manager", Some("scale"), 30, &json!({"f:spec": {"f:replicas": {}}})),
            entry(
                "kube-controller-manager",
                None,
                40,
                &json!({"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}})
            ),
            entry("kube-controller-manager", Some("status"), 50, &json!({"f:status": {}})),
        ]))
    }

    fn writer(metadata: &ObjectMeta, path: &str, since: i64) -> Option<(String, bool)> {
        let writer = Writers::of(metadata).of_field(path, Some(at(since)), at(60))?;
        let author = writer.author();
        Some((author.manager.unwrap(), author.autoscaler))
    }

    #[test]
    fn each_field_is_told_of_who_holds_it_and_wrote_since() {
        let metadata = deployment();
        let told = |manager: &str, autoscaler: bool| Some((manager.to_owned(), autoscaler));
        assert_eq!(writer(&metadata, "containers[app].image", 10), told("kubectl-edit", false));
        assert_eq!(writer(&metadata, "containers[app].args", 10), told("kubectl-edit", false));
        assert_eq!(writer(&metadata, "replicas", 10), told("kube-controller-manager", true));
        assert_eq!(writer(&metadata, "containers[app].image", 25), None, "only the cluster wrote since");
        assert_eq!(Writers::of(&metadata).last(), Some(at(40)), "status is not told");
        assert_eq!(Writers::of(&metadata).first().unwrap().author().manager.as_deref(), Some("helm"));
    }

    #[test]
    fn a_scaling_is_told_of_who_used_the_scale_subresource_and_only_the_clusters_own_is_the_autoscaler() {
        for (manager, autoscaler) in [("kubectl", false), ("keda", false), ("kube-controller-manager", true)] {
            let replicas = json!({"f:spec": {"f:replicas": {}}});
            let metadata = metadata(&json!([
                entry("helm", None, 0, &replicas),
                entry("kubectl-edit", None, 20, &json!({"f:metadata": {"f:labels": {"f:tier": {}}}})),
                entry(manager, Some("scale"), 20, &replicas),
            ]));
            assert_eq!(writer(&metadata, "replicas", 10), Some((manager.to_owned(), autoscaler)));
        }
    }

    #[test]
    fn a_scaling_of_a_custom_resource_has_no_time_and_is_told_of_who_made_it() {
        let mut scale = entry("kubectl", Some("scale"), 0, &json!({"f:spec": {"f:replicas": {}}}));
        scale.as_object_mut().unwrap().remove("time");
        let edit = entry("kubectl-edit", None, 20, &json!({"f:spec": {"f:size": {}}}));
        let metadata = metadata(&json!([edit, scale]));
        assert_eq!(writer(&metadata, "replicas", 10), Some(("kubectl".to_owned(), false)));
        assert_eq!(writer(&metadata, "size", 10), Some(("kubectl-edit".to_owned(), false)));
    }

    #[test]
    fn keys_with_dots_are_found_whole() {
        let metadata = metadata(&json!([
            entry("vault", None, 10, &json!({"f:data": {"f:app": {}}})),
            entry("kubectl-edit", None, 20, &json!({"f:data": {"f:app.yaml": {}}})),
        ]));
        assert_eq!(writer(&metadata, "data.app.yaml", 0).unwrap().0, "kubectl-edit");
        assert_eq!(writer(&metadata, "data.app", 0).unwrap().0, "vault");
    }

    #[test]
    fn a_write_in_the_second_of_the_one_before_counts_while_it_is_fresh() {
        let metadata = metadata(&json!([entry("kubectl", None, 10, &json!({"f:data": {"f:key": {}}}))]));
        let writers = Writers::of(&metadata);
        assert!(writers.of_field("data.key", Some(at(10)), at(12)).is_some());
        assert!(writers.of_field("data.key", Some(at(10)), at(40)).is_none());
    }

    #[test]
    fn a_removed_field_is_told_of_who_wrote_last() {
        let metadata = metadata(&json!([
            entry("helm", None, 0, &json!({"f:data": {"f:other": {}}})),
            entry("kubectl-edit", None, 20, &json!({"f:metadata": {}})),
        ]));
        assert_eq!(writer(&metadata, "data.key", 10).unwrap().0, "kubectl-edit");
    }
}
