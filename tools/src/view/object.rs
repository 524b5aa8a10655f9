//! An object as people read it.

use serde_json::{Map, Value, json};

use super::secret::mask_secret;
use super::yaml;

/// Annotations in which appliers keep a copy of the whole object.
pub(super) const COPIES: [&str; 5] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
    "kapp.k14s.io/original",
    "kapp.k14s.io/original-diff-md5",
];

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
}
