//! The part of a bundle that answers as the Kubernetes API.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The state of the Kubernetes API.
#[derive(Clone, Debug, PartialEq)]
pub struct KubernetesState {
    /// The answer of `GET /version`.
    pub version: Value,
    /// The aggregated discovery document of `/api` (`APIGroupDiscoveryList`).
    pub core: Value,
    /// The aggregated discovery document of `/apis`.
    pub groups: Value,
    /// Each resource of each served version, in the order of discovery.
    pub resources: Vec<RecordedResource>,
    /// The logs, by namespace, pod, container, the previous one last.
    pub logs: Vec<RecordedLog>,
}

/// The objects of one resource in one version.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedResource {
    /// Group and version, as `v1` or `apps/v1`.
    pub group_version: String,
    /// Plural name, as `deployments`.
    pub resource: String,
    /// Kind of its objects.
    pub kind: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// The collection's resource version when it was listed.
    pub resource_version: String,
    /// Columns of its table.
    pub columns: Columns,
    /// The objects, by namespace and name.
    pub objects: Vec<RecordedObject>,
    /// The API server's answer where it did not give the objects: a `Status`.
    pub refused: Option<Value>,
}

/// The columns of a table, as the server describes them: `TableColumnDefinition`s.
pub type Columns = Vec<Value>;

/// One object, as the server gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedObject {
    /// The whole object, with `apiVersion` and `kind`.
    pub object: Value,
    /// Its row in the table.
    pub cells: Vec<Value>,
}

/// The log of one run of one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedLog {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// Whether it is the log of the run before the present one.
    pub previous: bool,
    /// The lines, each with its time in RFC 3339 and one space before it, oldest first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The API server's answer where there was no log: a `Status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Value>,
}

impl RecordedObject {
    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata("name")
    }

    /// Its namespace; empty where it has none.
    pub fn namespace(&self) -> &str {
        self.metadata("namespace")
    }

    fn metadata(&self, field: &str) -> &str {
        self.object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_str).unwrap_or_default()
    }
}

impl RecordedResource {
    /// The API group; empty for the core.
    pub fn group(&self) -> &str {
        self.group_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Whether its objects are pods.
    pub fn is_pods(&self) -> bool {
        self.group_version == "v1" && self.resource == "pods"
    }

    /// Kind of a list of its objects.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }
}
