//! What last changed in a workload or a ConfigMap, and when.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use marple_core::ObjectRef;
use serde_json::Value;

use super::field;

/// The longest value shown of a changed field, in characters.
const VALUE_LIMIT: usize = 120;

/// The most fields shown of one change.
const FIELD_LIMIT: usize = 40;

/// The revision of an object that was not changed since it was made.
pub(crate) const MADE: &str = "created";

/// The revision of an object that was deleted.
pub(crate) const GONE: &str = "deleted";

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field, as `containers[app].image`.
    pub field: String,
    /// Its value before; absent where it was not set.
    pub from: Option<String>,
    /// Its value after; absent where it is no longer set.
    pub to: Option<String>,
}

/// The last change of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// When.
    pub at: Timestamp,
    /// Which revision it made, or who wrote it.
    pub revision: String,
    /// By whom, where it was recorded as it happened: with all that is known of that.
    pub by: Option<String>,
    /// The field manager alone.
    pub writer: Option<String>,
    /// The fields that differ from the revision before.
    pub changes: Vec<Change>,
}

impl Rollout {
    /// As the objects themselves tell it.
    const fn guessed(at: Timestamp, revision: String, changes: Vec<Change>) -> Self {
        Self { at, revision, by: None, writer: None, changes }
    }
}

impl Change {
    /// Whether it is what `kubectl rollout restart` writes.
    pub fn is_restart(&self) -> bool {
        self.field.ends_with("kubectl.kubernetes.io/restartedAt")
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(formatter, "{}: {from} -> {to}", self.field),
            (None, Some(to)) => write!(formatter, "{}: set to {to}", self.field),
            (Some(from), None) => write!(formatter, "{}: removed, was {from}", self.field),
            (None, None) => formatter.write_str(&self.field),
        }
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.at, self.revision)?;
        if let Some(by) = &self.by {
            write!(formatter, " by {by}")?;
        }
        for change in self.changes.iter().take(FIELD_LIMIT) {
            write!(formatter, "\n{change}")?;
        }
        match self.changes.len().checked_sub(FIELD_LIMIT) {
            Some(more) if more > 0 => write!(formatter, "\n… {more} more fields left out …"),
            _ => Ok(()),
        }
    }
}

/// Kinds without revisions of which it tells something when they were last written.
const WRITTEN: [&str; 8] = [
    "ConfigMap",
    "Secret",
    "Service",
    "Ingress",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "ValidatingWebhookConfiguration",
];

/// What `kubectl apply` was last given: the value before, where something else wrote since.
const APPLIED: &str = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

/// Bytes of the longest value that is told.
const VALUE: usize = 160;

/// Those that limit what is there already, so that their making is a change too.
const LIMITING: [&str; 4] = ["NetworkPolicy", "ResourceQuota", "LimitRange", "ValidatingWebhookConfiguration"];

/// The last change of each workload, and of what has no revisions, among the objects.
pub(super) fn rollouts(objects: &BTreeMap<ObjectRef, Value>) -> BTreeMap<ObjectRef, Rollout> {
    let mut revisions: BTreeMap<ObjectRef, Vec<(i64, &Value)>> = BTreeMap::new();
    for (object, value) in objects {
        let revision = match object.kind.as_str() {
            "ReplicaSet" => field::text(value, "/metadata/annotations/deployment.kubernetes.io~1revision")
                .and_then(|revision| revision.parse().ok()),
            "ControllerRevision" => field::number(value, "/revision"),
            _ => None,
        };
        if let (Some(revision), Some(owner)) = (revision, super::graph::controller(object, value)) {
            revisions.entry(owner).or_default().push((revision, value));
        }
    }
    let mut found = BTreeMap::new();
    for (owner, mut all) in revisions {
        all.sort_by_key(|(revision, _)| *revision);
        if let [.., (_, before), (revision, after)] = all.as_slice() {
            let mut changes = Vec::new();
            compare("", template(before), template(after), &mut changes);
            changes.retain(|change| !change.field.ends_with("pod-template-hash"));
            if let (Some(at), false) = (written(after).or_else(|| field::created(after)), changes.is_empty()) {
                found.insert(owner, Rollout::guessed(at, format!("revision {revision}"), changes));
            }
        }
    }
    for (object, value) in objects.iter().filter(|(object, _)| WRITTEN.contains(&object.kind.as_str())) {
        let limits = LIMITING.contains(&object.kind.as_str());
        let write = last_write(object, value).or_else(|| made(value).filter(|_| limits));
        found.extend(write.map(|write| (object.clone(), write)));
    }
    found
}

/// The making of an object that limits others.
fn made(value: &Value) -> Option<Rollout> {
    Some(Rollout::guessed(field::created(value)?, MADE.to_owned(), Vec::new()))
}

/// When a revision came into force: an old one that is taken again keeps its creation time.
fn written(revision: &Value) -> Option<Timestamp> {
    items_by_time(revision)
        .into_iter()
        .filter(|(_, entry)| {
            field::text(entry, "/subresource").is_none()
                && entry.pointer("/fieldsV1/f:metadata/f:annotations/f:deployment.kubernetes.io~1revision").is_some()
        })
        .map(|(at, _)| at)
        .next_back()
}

fn items_by_time(value: &Value) -> Vec<(Timestamp, &Value)> {
    let mut entries = field::items(value, "/metadata/managedFields")
        .iter()
        .filter_map(|entry| Some((field::time(entry, "/time")?, entry)))
        .collect::<Vec<_>>();
    entries.sort_by_key(|(at, _)| *at);
    entries
}

/// The last write of an object that keeps no revisions: who, when, and what the writer holds, with its values.
fn last_write(object: &ObjectRef, value: &Value) -> Option<Rollout> {
    let mut entries = items_by_time(value);
    // What a controller notes of its work is no change.
    entries.retain(|(_, entry)| field::text(entry, "/subresource").is_none());
    let (at, entry) = entries.last()?;
    if field::created(value).is_some_and(|created| *at <= created) {
        return None;
    }
    let manager = field::text(entry, "/manager").unwrap_or("an unnamed client");
    let applied = field::text(value, APPLIED).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let changes = ["data", "spec"]
        .iter()
        .flat_map(|part| {
            let held = entry.pointer(&format!("/fieldsV1/f:{part}")).and_then(Value::as_object).into_iter().flatten();
            held.filter_map(|(key, _)| key.strip_prefix("f:")).map(move |key| (*part, key))
        })
        .map(|(part, key)| {
            // The values of a Secret were never read.
            let told = |object: &Value| object.get(part)?.get(key)?.as_str().map(str::to_owned);
            let field = format!("{part}.{key}");
            match (object.kind.as_str(), told(value)) {
                ("Secret", _) | (_, None) => Change { field, from: None, to: None },
                (_, Some(now)) => written_value(field, applied.as_ref().and_then(told), now),
            }
        })
        .collect();
    Some(Rollout::guessed(*at, format!("last written by {manager}, which holds these fields"), changes))
}

/// A value as it was applied, where that is another, and as it is now: of a file the first line that differs.
fn written_value(field: String, applied: Option<String>, now: String) -> Change {
    let short = |text: &String| text.len() <= VALUE && !text.trim_end().contains('\n');
    let applied = match applied.filter(|applied| *applied != now) {
        Some(applied) if short(&applied) && short(&now) => return Change { field, from: Some(applied), to: Some(now) },
        None => return Change { field, from: None, to: Some(now).filter(short) },
        Some(applied) => applied,
    };
    let mut lines = applied.lines().zip(now.lines()).zip(1..);
    let told = |line: &str| Some(line.trim().to_owned()).filter(short);
    match lines.find(|((before, after), _)| before != after) {
        Some(((before, after), number)) => {
            Change { field: format!("{field} line {number}"), from: told(before), to: told(after) }
        }
        None => Change { field, from: None, to: None },
    }
}

fn template(revision: &Value) -> &Value {
    ["/spec/template", "/data/spec/template"]
        .into_iter()
        .find_map(|path| revision.pointer(path))
        .unwrap_or(&Value::Null)
}

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let path = if matches!(path, "spec" | "metadata") { "" } else { path };
            let keys = new.keys().chain(old.keys().filter(|key| !new.contains_key(*key)));
            for key in keys {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&below, old.get(key).unwrap_or(&Value::Null), new.get(key).unwrap_or(&Value::Null), changes);
            }
        }
        (Value::Array(old), Value::Array(new)) if named(old) && named(new) => {
            let find = |list: &[Value], name: &str| {
                list.iter().find(|item| field::text(item, "/name") == Some(name)).cloned().unwrap_or(Value::Null)
            };
            let mut names = new.iter().chain(old).filter_map(|item| field::text(item, "/name")).collect::<Vec<_>>();
            let mut seen = std::collections::BTreeSet::new();
            names.retain(|name| seen.insert(*name));
            for name in names {
                compare(&format!("{path}[{name}]"), &find(old, name), &find(new, name), changes);
            }
        }
        _ => changes.push(Change { field: path.to_owned(), from: shown(path, before), to: shown(path, after) }),
    }
}

fn named(list: &[Value]) -> bool {
    list.iter().all(|item| field::text(item, "/name").is_some())
}

fn shown(path: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        // A whole new environment entry reads best as its value alone.
        Value::Object(fields) if path.contains("env[") && fields.contains_key("value") => {
            fields.get("value").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        other => other.to_string(),
    };
    let cut = text.chars().take(VALUE_LIMIT).collect::<String>();
    Some(if cut.len() < text.len() { format!("{cut}…") } else { cut })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn replica_set(revision: &str, created: &str, template: &Value) -> (ObjectRef, Value) {
        let name = format!("cart-{revision}");
        let value = json!({"kind": "ReplicaSet", "metadata": {"namespace": "shop", "name": name, "creationTimestamp": created,
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"kind": "Deployment", "name": "cart", "controller": true}]}, "spec": {"template": template}});
        (ObjectRef::namespaced("ReplicaSet", "shop", name), value)
    }

    #[test]
    fn the_last_two_revisions_are_compared_field_by_field() {
        let template = |image: &str, hash: &str, memory: &str| {
            json!({"metadata": {"labels": {"app": "cart", "pod-template-hash": hash}}, "spec": {"containers": [
                {"name": "app", "image": image, "resources": {"limits": {"memory": memory}},
                 "env": [{"name": "A", "value": "1"}]}]}})
        };
        let mut newest = template("cart:2", "c", "32Mi");
        newest["spec"]["containers"][0]["env"].as_array_mut().unwrap().push(json!({"name": "B", "value": "2"}));
        let objects = BTreeMap::from([
            replica_set("1", "2026-01-01T00:00:00Z", &template("cart:0", "a", "64Mi")),
            replica_set("10", "2026-01-03T00:00:00Z", &newest),
            replica_set("9", "2026-01-02T00:00:00Z", &template("cart:1", "b", "64Mi")),
        ]);
        let rollout = rollouts(&objects).remove(&ObjectRef::namespaced("Deployment", "shop", "cart")).unwrap();
        assert_eq!(
            rollout.to_string(),
            "2026-01-03T00:00:00Z revision 10\ncontainers[app].image: cart:1 -> cart:2\n\
             containers[app].resources.limits.memory: 64Mi -> 32Mi\ncontainers[app].env[B]: set to 2"
        );
    }

    #[test]
    fn what_was_applied_is_the_value_before_and_a_secrets_is_never_told() {
        let settings = |kind: &str, applied: &Value, data: &Value| {
            let applied = json!({"data": applied}).to_string();
            let value = json!({"kind": kind, "metadata": {"namespace": "shop", "name": "settings",
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied},
                "managedFields": [{"manager": "kubectl-patch", "time": "2026-01-02T00:00:00Z",
                    "fieldsV1": {"f:data": {"f:key": {}}}}]}, "data": data});
            let object = ObjectRef::namespaced(kind, "shop", "settings");
            let objects = BTreeMap::from([(object.clone(), value)]);
            let change = rollouts(&objects).remove(&object).unwrap().changes.remove(0);
            change.to_string()
        };
        let map = |applied: &str, now: &str| settings("ConfigMap", &json!({"key": applied}), &json!({"key": now}));
        assert_eq!(map("fast", "slow"), "data.key: fast -> slow");
        assert_eq!(map("slow", "slow"), "data.key: set to slow");
        assert_eq!(map("a = 1\nb = 2\n", "a = 1\nb = 3\n"), "data.key line 2: b = 2 -> b = 3");
        assert_eq!(map("a\n", "a\nb\n"), "data.key");
        assert_eq!(settings("Secret", &json!({"key": "b2xk"}), &json!({"key": "3 bytes"})), "data.key");
    }

    #[test]
    fn one_revision_alone_is_no_change() {
        let objects = BTreeMap::from([replica_set("1", "2026-01-01T00:00:00Z", &json!({"spec": {}}))]);
        assert_eq!(rollouts(&objects), BTreeMap::new());
    }
}
