//! An object as people read it.

use serde_json::{Map, Value, json};

use super::{certificate, yaml};

/// Annotations in which appliers keep a copy of the whole object.
const COPIES: [&str; 5] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
    "kapp.k14s.io/original",
    "kapp.k14s.io/original-diff-md5",
];

/// Keys under which a Secret holds a certificate.
const CERTIFICATES: [&str; 2] = ["tls.crt", "ca.crt"];

/// What stands between the size of a certificate and the times between which it is valid.
const VALID: &str = ", valid ";

/// The longest annotation of a Secret that is shown: a value may hide in a longer one.
const SECRET_ANNOTATION: usize = 100;

/// Settings of a pod's or a container's spec that the API server fills in and nobody reads.
const DEFAULTS: [(&str, &str); 7] = [
    ("terminationMessagePath", "/dev/termination-log"),
    ("terminationMessagePolicy", "File"),
    ("dnsPolicy", "ClusterFirst"),
    ("schedulerName", "default-scheduler"),
    ("preemptionPolicy", "PreemptLowerPriority"),
    ("procMount", "Default"),
    ("recursiveReadOnly", "Disabled"),
];

/// Trimmed YAML of an object: what people read, and what diagnosers quote.
///
/// Without managed fields, resource version, identifiers, copies kept by appliers and settings that the API server
/// filled in; of a Secret only the keys and their sizes. The same object always gives the same text.
pub fn object(object: &Value) -> String {
    yaml(&trimmed(object))
}

/// When the certificate under a key of a masked Secret ends.
pub(crate) fn certificate_end(secret: &Value, key: &str) -> Option<jiff::Timestamp> {
    let (_, times) = secret.get("data")?.get(key)?.as_str()?.split_once(VALID)?;
    times.split_once(" to ")?.1.parse().ok()
}

/// The object without what nobody reads.
pub(crate) fn trimmed(object: &Value) -> Value {
    let mut object = object.clone();
    mask_secret(&mut object);
    metadata(&mut object);
    if object.get("kind").is_some_and(|kind| kind == "Pod") {
        pod_status(&mut object);
    }
    if object.get("kind").is_some_and(|kind| kind == "Node") {
        node_status(&mut object);
    }
    for condition in object.pointer_mut("/status/conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(condition) = condition {
            condition.remove("observedGeneration");
            condition.remove("lastHeartbeatTime");
        }
    }
    trim(&mut object);
    object
}

/// Replaces the values of a Secret by their sizes, as `12 bytes`; anything else stays as it is, but for lists, of
/// which each item is masked. A certificate is public: with its size it is told when it is valid.
pub(crate) fn mask_secret(object: &mut Value) {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    if kind.ends_with("List") {
        let secrets = kind == "SecretList";
        for item in object.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
            if secrets && let Value::Object(item) = item {
                item.entry("kind").or_insert_with(|| "Secret".into());
            }
            mask_secret(item);
        }
        return;
    }
    if kind != "Secret" {
        return;
    }
    for (field, encoded) in [("data", true), ("stringData", false)] {
        for (key, value) in object.get_mut(field).and_then(Value::as_object_mut).into_iter().flatten() {
            let valid = value
                .as_str()
                .filter(|_| encoded && CERTIFICATES.contains(&key.as_str()))
                .and_then(certificate::validity);
            *value = size(value, encoded);
            if let (Some((from, until)), Value::String(told)) = (valid, value) {
                told.push_str(&format!("{VALID}{from} to {until}"));
            }
        }
    }
    let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    for (name, value) in annotations.into_iter().flatten() {
        if COPIES.contains(&name.as_str()) || value.as_str().is_none_or(|text| text.len() > SECRET_ANNOTATION) {
            *value = size(value, false);
        }
    }
}

/// The size of a value, told in place of it. Base64 has no spaces, so a size that is already there is told apart.
fn size(value: &Value, encoded: bool) -> Value {
    let text = value.as_str().unwrap_or_default();
    let sized =
        |text: &str| text.strip_suffix(" bytes").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let dated = |times: &str| {
        times.split_once(" to ").is_some_and(|(from, until)| {
            [from, until].iter().all(|time| time.parse::<jiff::Timestamp>().is_ok_and(|at| at.to_string() == *time))
        })
    };
    let told = match text.split_once(VALID) {
        Some((bytes, times)) => sized(bytes) && dated(times),
        None => sized(text),
    };
    if told {
        return value.clone();
    }
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    let bytes = if encoded { (text.len() / 4 * 3).saturating_sub(padding) } else { text.len() };
    json!(format!("{bytes} bytes"))
}

fn metadata(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    for noise in ["managedFields", "resourceVersion", "uid", "selfLink", "generateName"] {
        metadata.remove(noise);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|name, _| !COPIES.contains(&name.as_str()));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    for owner in metadata.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(owner) = owner {
            owner.remove("uid");
            owner.remove("blockOwnerDeletion");
        }
    }
}

/// Takes out the images that a node holds, and identifiers of its machine.
fn node_status(node: &mut Value) {
    let Some(status) = node.get_mut("status").and_then(Value::as_object_mut) else { return };
    for noise in ["images", "daemonEndpoints"] {
        status.remove(noise);
    }
    if let Some(Value::Object(info)) = status.get_mut("nodeInfo") {
        info.retain(|name, _| !["bootID", "machineID", "systemUUID", "kubeProxyVersion"].contains(&name.as_str()));
    }
}

/// Takes out what repeats the spec or only the machine reads.
fn pod_status(pod: &mut Value) {
    let spec = pod.get("spec").cloned().unwrap_or_default();
    let Some(status) = pod.get_mut("status").and_then(Value::as_object_mut) else { return };
    for (single, several, field) in [("podIP", "podIPs", "ip"), ("hostIP", "hostIPs", "ip")] {
        let alone = match status.get(several).and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => only.get(field) == status.get(single),
            _ => false,
        };
        if alone {
            status.remove(several);
        }
    }
    for list in ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"] {
        for container in status.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let Value::Object(container) = container else { continue };
            for noise in ["containerID", "volumeMounts", "user", "allocatedResources", "allocatedResourcesStatus"] {
                container.remove(noise);
            }
            let declared =
                ["initContainers", "containers"].iter().filter_map(|list| spec.get(*list)?.as_array()).flatten();
            let same = declared
                .filter(|other| other.get("name") == container.get("name"))
                .any(|other| other.get("resources") == container.get("resources"));
            if same {
                container.remove("resources");
            }
            if container.get("lastState").is_some_and(|state| *state == json!({})) {
                container.remove("lastState");
            }
            for state in ["state", "lastState"] {
                for (_, details) in container.get_mut(state).and_then(Value::as_object_mut).into_iter().flatten() {
                    if let Value::Object(details) = details {
                        details.remove("containerID");
                    }
                }
            }
        }
    }
}

/// Takes the API server's own settings out of every pod spec, however deep.
fn trim(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(trim),
        Value::Object(object) => {
            object.retain(|_, value| !value.is_null());
            if object.get("containers").is_some_and(Value::is_array) {
                pod_spec(object);
            }
            object.values_mut().for_each(trim);
        }
        _ => {}
    }
}

fn drop_defaults(object: &mut Map<String, Value>) {
    for (field, default) in DEFAULTS {
        if object.get(field).is_some_and(|value| value == default) {
            object.remove(field);
        }
    }
}

fn pod_spec(spec: &mut Map<String, Value>) {
    drop_defaults(spec);
    for (field, default) in
        [("securityContext", json!({})), ("enableServiceLinks", json!(true)), ("priority", json!(0))]
    {
        if spec.get(field) == Some(&default) {
            spec.remove(field);
        }
    }
    // The older spelling of serviceAccountName.
    spec.remove("serviceAccount");
    prune(spec, "tolerations", |toleration| {
        let taint = toleration.get("key").and_then(Value::as_str).unwrap_or_default();
        toleration.get("tolerationSeconds").is_some_and(|seconds| seconds == 300)
            && matches!(taint, "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable")
    });
    prune(spec, "volumes", |volume| is_token(volume) && volume.get("projected").is_some());
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(container) = container {
                drop_defaults(container);
                prune(container, "volumeMounts", is_token);
            }
        }
    }
}

/// Whether it is the volume of the ServiceAccount's token, or its mount, which every pod is given.
fn is_token(volume: &Value) -> bool {
    volume.get("name").and_then(Value::as_str).is_some_and(|name| name.starts_with("kube-api-access-"))
}

fn prune(object: &mut Map<String, Value>, list: &str, noise: impl Fn(&Value) -> bool) {
    if let Some(items) = object.get_mut(list).and_then(Value::as_array_mut) {
        items.retain(|item| !noise(item));
        if items.is_empty() {
            object.remove(list);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_keeps_what_people_read() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": "cart-1", "namespace": "shop", "uid": "u", "resourceVersion": "5", "generateName": "cart-",
                "managedFields": [{}], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "cart", "uid": "u", "blockOwnerDeletion": true, "controller": true}]
            },
            "spec": {
                "containers": [{
                    "name": "app", "image": "cart:1", "resources": {"limits": {"memory": "64Mi"}},
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "FallbackToLogsOnError",
                    "volumeMounts": [{"name": "kube-api-access-x", "mountPath": "/var/run"}]
                }],
                "dnsPolicy": "ClusterFirst", "securityContext": {}, "serviceAccount": "cart", "serviceAccountName": "cart",
                "tolerations": [{"key": "node.kubernetes.io/not-ready", "tolerationSeconds": 300}, {"key": "mine"}],
                "volumes": [{"name": "kube-api-access-x", "projected": {}}, {"name": "data", "emptyDir": {}}]
            },
            "status": {
                "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}],
                "containerStatuses": [{"name": "app", "containerID": "c", "lastState": {"terminated": {"exitCode": 137, "containerID": "c"}}}]
            }
        });
        insta::assert_snapshot!(object(&pod), @"
        apiVersion: v1
        kind: Pod
        metadata:
          name: cart-1
          namespace: shop
          ownerReferences:
          - kind: ReplicaSet
            name: cart
            controller: true
        spec:
          containers:
          - name: app
            image: cart:1
            resources:
              limits:
                memory: 64Mi
            terminationMessagePolicy: FallbackToLogsOnError
          serviceAccountName: cart
          tolerations:
          - key: mine
          volumes:
          - name: data
            emptyDir: {}
        status:
          containerStatuses:
          - name: app
            lastState:
              terminated:
                exitCode: 137
          podIP: 10.0.0.1
        ");
    }

    #[test]
    fn a_node_tells_its_state_without_its_images() {
        let node = json!({"kind": "Node", "metadata": {"name": "n1"}, "status": {"images": [{"names": ["a"]}], "nodeInfo": {"bootID": "b", "architecture": "arm64"},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-02T03:04:05Z"}]}});
        let text = "kind: Node\nmetadata:\n  name: n1\nstatus:\n  conditions:\n  - type: Ready\n    status: \"True\"\n  nodeInfo:\n    architecture: arm64\n";
        assert_eq!(object(&node), text);
    }

    #[test]
    fn a_secret_tells_its_keys_and_sizes_and_never_a_value() {
        let mut secret = json!({
            "kind": "Secret",
            "metadata": {"name": "db", "annotations": {"note": "short", "copy": "x".repeat(101)}},
            "data": {"password": "aHVudGVyMg==", "empty": ""}, "stringData": {"token": "hunter2"}, "type": "Opaque"
        });
        let text = "kind: Secret\nmetadata:\n  name: db\n  annotations:\n    copy: 101 bytes\n    note: short\ndata:\n  \
                    empty: 0 bytes\n  password: 7 bytes\nstringData:\n  token: 7 bytes\ntype: Opaque\n";
        assert_eq!(object(&secret), text);
        mask_secret(&mut secret);
        assert_eq!(object(&secret), text, "masking twice changes nothing");
    }

    #[test]
    fn a_certificate_tells_until_when_it_is_valid_and_its_key_nothing() {
        let encoded = include_str!("expired.crt.base64").trim();
        let mut secret = json!({"kind": "Secret", "data": {"tls.crt": encoded, "tls.key": encoded}});
        mask_secret(&mut secret);
        let (told, size) = ("436 bytes, valid 2020-01-01T00:00:00Z to 2020-01-03T00:00:00Z", "436 bytes");
        assert_eq!(secret["data"], json!({"tls.crt": told, "tls.key": size}));
        mask_secret(&mut secret);
        assert_eq!(secret["data"]["tls.crt"], told, "masking twice changes nothing");
        assert_eq!(certificate_end(&secret, "tls.crt"), "2020-01-03T00:00:00Z".parse().ok());
        let mut forged = json!({"kind": "Secret", "data": {"tls.crt": "1 bytes, valid hunter2 to hunter2"}});
        mask_secret(&mut forged);
        assert!(!forged.to_string().contains("hunter2"));
    }

    #[test]
    fn secrets_in_a_list_are_masked_though_items_of_lists_have_no_kind() {
        let list = json!({"kind": "SecretList", "items": [{"data": {"a": "aHVudGVyMg=="}}]});
        assert!(!object(&list).contains("aHVudGVyMg"));
    }
}
