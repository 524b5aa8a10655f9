//! What objects name in their specifications: other objects, and hosts.

use marple_core::ObjectRef;
use serde_json::Value;

use super::field;
use super::hosts::{Target, targets};

/// Values of a ConfigMap longer than this are not searched for hosts, in bytes.
const SEARCHED_LIMIT: usize = 65_536;

/// What a pod specification names: object and how. Optional configuration is left out: its absence is no fault.
pub(crate) fn references(namespace: &str, spec: &Value) -> Vec<(ObjectRef, String)> {
    let mut found = Vec::new();
    let mut add = |kind: &str, name: Option<&str>, how: String| {
        found.extend(name.map(|name| (ObjectRef::namespaced(kind, namespace, name), how)));
    };
    let required = |value: &Value, at: &str| !field::flag(value, &format!("{at}/optional"));
    for container in field::containers(spec) {
        let of = field::text(container, "/name").unwrap_or_default();
        for from in field::items(container, "/envFrom") {
            for (kind, at) in [("ConfigMap", "/configMapRef"), ("Secret", "/secretRef")] {
                if required(from, at) {
                    add(kind, field::text(from, &format!("{at}/name")), format!("envFrom of container {of}"));
                }
            }
        }
        for entry in field::items(container, "/env") {
            let name = field::text(entry, "/name").unwrap_or_default();
            for (kind, at) in [("ConfigMap", "/valueFrom/configMapKeyRef"), ("Secret", "/valueFrom/secretKeyRef")] {
                if required(entry, at) {
                    add(kind, field::text(entry, &format!("{at}/name")), format!("env {name} of container {of}"));
                }
            }
        }
    }
    for volume in field::items(spec, "/volumes") {
        let of = field::text(volume, "/name").unwrap_or_default();
        for (kind, at, name) in [
            ("ConfigMap", "/configMap", "/configMap/name"),
            ("Secret", "/secret", "/secret/secretName"),
            ("PersistentVolumeClaim", "/persistentVolumeClaim", "/persistentVolumeClaim/claimName"),
        ] {
            if required(volume, at) {
                add(kind, field::text(volume, name), format!("volume {of}"));
            }
        }
        for source in field::items(volume, "/projected/sources") {
            for (kind, at) in [("ConfigMap", "/configMap"), ("Secret", "/secret")] {
                if required(source, at) {
                    add(kind, field::text(source, &format!("{at}/name")), format!("volume {of}"));
                }
            }
        }
    }
    for secret in field::items(spec, "/imagePullSecrets") {
        add("Secret", field::text(secret, "/name"), "imagePullSecrets".to_owned());
    }
    let account = field::text(spec, "/serviceAccountName").filter(|name| *name != "default");
    add("ServiceAccount", account, "serviceAccountName".to_owned());
    found
}

/// Hosts that a pod specification's own settings name, and where: environment, command and arguments.
pub(crate) fn spoken_hosts(spec: &Value) -> Vec<(Target, String)> {
    let mut found = Vec::new();
    for container in field::containers(spec) {
        let of = field::text(container, "/name").unwrap_or_default();
        for entry in field::items(container, "/env") {
            let (Some(name), Some(value)) = (field::text(entry, "/name"), field::text(entry, "/value")) else {
                continue;
            };
            found.extend(targets(name, value).into_iter().map(|target| {
                let how = format!("env {name} of container {of} names {}", target.host);
                (target, how)
            }));
        }
        for value in field::items(container, "/args").iter().chain(field::items(container, "/command")) {
            found.extend(targets("", value.as_str().unwrap_or_default()).into_iter().map(|target| {
                let how = format!("an argument of container {of} names {}", target.host);
                (target, how)
            }));
        }
    }
    found
}

/// Hosts that a ConfigMap names, and by which key.
pub(crate) fn configured_hosts(object: &ObjectRef, value: &Value) -> Vec<(Target, String)> {
    field::pairs(value, "/data")
        .filter(|(_, text)| text.len() <= SEARCHED_LIMIT)
        .flat_map(|(key, text)| targets(key, text).into_iter().map(move |target| (key, target)))
        .map(|(key, target)| {
            let how = format!("{object} names {} under {key}", target.host);
            (target, how)
        })
        .collect()
}

/// What a cluster-scoped object names: a volume its class and claim, a webhook and an API the Services that answer them.
pub(super) fn named_by_cluster_scoped(object: &ObjectRef, value: &Value) -> Vec<(ObjectRef, String)> {
    let service = |at: &Value| {
        let (namespace, name) = (field::text(at, "/namespace")?, field::text(at, "/name")?);
        Some(ObjectRef::namespaced("Service", namespace, name))
    };
    match object.kind.as_str() {
        "PersistentVolume" => field::text(value, "/spec/storageClassName")
            .map(|class| (ObjectRef::cluster("StorageClass", class), "storageClassName".to_owned()))
            .into_iter()
            .collect(),
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => field::items(value, "/webhooks")
            .iter()
            .filter_map(|webhook| {
                let name = field::text(webhook, "/name").unwrap_or_default();
                Some((service(webhook.pointer("/clientConfig/service")?)?, format!("webhook {name}")))
            })
            .collect(),
        // One that answers has nothing to explain.
        "APIService" => field::condition(value, "Available")
            .filter(|available| field::text(available, "/status") != Some("True"))
            .and_then(|_| value.pointer("/spec/service"))
            .and_then(service)
            .map(|service| (service, "spec.service".to_owned()))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// Services that an ingress sends to, with the port's number or name and how it names them.
pub(crate) fn backends(ingress: &Value) -> Vec<(&str, String, String)> {
    let port = |service: &Value| {
        field::number(service, "/port/number")
            .map(|number| number.to_string())
            .or_else(|| field::text(service, "/port/name").map(str::to_owned))
            .unwrap_or_default()
    };
    let rules = field::items(ingress, "/spec/rules").iter().flat_map(|rule| {
        let host = field::text(rule, "/host").unwrap_or("*");
        field::items(rule, "/http/paths").iter().filter_map(move |path| {
            let service = path.pointer("/backend/service")?;
            let way = field::text(path, "/path").unwrap_or("/");
            Some((field::text(service, "/name")?, port(service), format!("rule {host}{way}")))
        })
    });
    let default = ingress
        .pointer("/spec/defaultBackend/service")
        .and_then(|service| Some((field::text(service, "/name")?, port(service), "defaultBackend".to_owned())));
    rules.chain(default).collect()
}
