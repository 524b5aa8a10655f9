//! What a pod spec refers to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::field::{flag, items, text};

/// An object that a pod spec names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
}

/// How it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Use {
    /// The keys that must be there.
    pub(crate) keys: BTreeSet<String>,
    /// Where it is named, as `env PASSWORD of app`.
    pub(crate) places: BTreeSet<String>,
    /// Whether something needs it: a pod starts without what is only optional.
    pub(crate) required: bool,
}

/// All that a pod spec refers to in its own namespace, and its priority class.
pub(crate) fn of_pod_spec(spec: &Value) -> BTreeMap<Target, Use> {
    let mut found = Found::default();
    for volume in items(spec, "/volumes") {
        found.volume(volume);
    }
    for list in ["/initContainers", "/containers", "/ephemeralContainers"] {
        for container in items(spec, list) {
            found.container(container);
        }
    }
    for secret in items(spec, "/imagePullSecrets") {
        // The kubelet goes on without a pull secret that isn't there, and then fails to pull.
        found.add("Secret", text(secret, "/name"), None, "image pull secret".to_owned(), true);
    }
    found.add("ServiceAccount", text(spec, "/serviceAccountName"), None, "runs as".to_owned(), true);
    found.add("PriorityClass", text(spec, "/priorityClassName"), None, "priority".to_owned(), true);
    found.0
}

#[derive(Default)]
struct Found(BTreeMap<Target, Use>);

impl Found {
    fn add(&mut self, kind: &'static str, name: Option<&str>, key: Option<&str>, place: String, required: bool) {
        let Some(name) = name else { return };
        let using = self.0.entry(Target { kind, name: name.to_owned() }).or_default();
        using.places.insert(place);
        using.required |= required;
        if required {
            using.keys.extend(key.map(str::to_owned));
        }
    }

    fn volume(&mut self, volume: &Value) {
        let name = text(volume, "/name").unwrap_or_default();
        // The ServiceAccount's token, which every pod is given.
        if name.starts_with("kube-api-access-") {
            return;
        }
        let place = || format!("volume {name}");
        let source = |source: &str, name_field: &str| {
            volume.pointer(source).map(|found| (found.clone(), text(found, name_field).map(str::to_owned)))
        };
        let mut sources = vec![
            ("ConfigMap", source("/configMap", "/name")),
            ("Secret", source("/secret", "/secretName")),
            ("PersistentVolumeClaim", source("/persistentVolumeClaim", "/claimName")),
        ];
        for projected in items(volume, "/projected/sources") {
            for (kind, field) in [("ConfigMap", "/configMap"), ("Secret", "/secret")] {
                sources.push((
                    kind,
                    projected.pointer(field).map(|found| (found.clone(), text(found, "/name").map(str::to_owned))),
                ));
            }
        }
        for (kind, source) in sources {
            let Some((source, name)) = source else { continue };
            let required = !flag(&source, "/optional");
            self.add(kind, name.as_deref(), None, place(), required);
            for item in items(&source, "/items") {
                self.add(kind, name.as_deref(), text(item, "/key"), place(), required);
            }
        }
    }

    fn container(&mut self, container: &Value) {
        let of = text(container, "/name").unwrap_or_default();
        for from in items(container, "/envFrom") {
            for (kind, field) in [("ConfigMap", "/configMapRef"), ("Secret", "/secretRef")] {
                if let Some(source) = from.pointer(field) {
                    self.add(kind, text(source, "/name"), None, format!("all env of {of}"), !flag(source, "/optional"));
                }
            }
        }
        for variable in items(container, "/env") {
            for (kind, field) in [("ConfigMap", "/valueFrom/configMapKeyRef"), ("Secret", "/valueFrom/secretKeyRef")] {
                if let Some(source) = variable.pointer(field) {
                    let place = format!("env {} of {of}", text(variable, "/name").unwrap_or_default());
                    self.add(kind, text(source, "/name"), text(source, "/key"), place, !flag(source, "/optional"));
                }
            }
        }
    }
}

/// The pod spec of a pod, a workload or a `CronJob`.
pub(crate) fn pod_spec(object: &Value) -> Option<&Value> {
    ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec"]
        .iter()
        .find_map(|path| object.pointer(path))
        .or_else(|| object.pointer("/spec").filter(|spec| spec.get("containers").is_some()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_reference_tells_its_keys_its_places_and_whether_it_is_needed() {
        let spec = json!({
            "serviceAccountName": "cart", "imagePullSecrets": [{"name": "registry"}],
            "containers": [{
                "name": "app", "envFrom": [{"configMapRef": {"name": "defaults", "optional": true}}],
                "env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]
            }],
            "volumes": [
                {"name": "kube-api-access-1", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}},
                {"name": "files", "configMap": {"name": "defaults", "items": [{"key": "app.yaml"}]}},
                {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
            ]
        });
        let told: Vec<String> = of_pod_spec(&spec)
            .into_iter()
            .map(|(target, using)| {
                let list = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>().join(" + ");
                format!(
                    "{} {} [{}] {} {}",
                    target.kind,
                    target.name,
                    list(using.keys),
                    list(using.places),
                    using.required
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "ConfigMap defaults [app.yaml] all env of app + volume files true",
                "PersistentVolumeClaim data [] volume data true",
                "Secret db [password] env PASSWORD of app true",
                "Secret registry [] image pull secret true",
                "ServiceAccount cart [] runs as true",
            ]
        );
    }
}
