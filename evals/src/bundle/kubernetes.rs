//! The part of a bundle that answers as the Kubernetes API.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RecordedAccess;

/// The state of the Kubernetes API.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// What happened to the objects after they were listed, in order.
    pub watched: Vec<Watched>,
    /// The documents of `OpenAPI` version 3, by their paths.
    pub open_api: Vec<OpenApi>,
    /// What whoever recorded might do, cluster-wide first; empty where it was not told.
    pub access: Vec<RecordedAccess>,
}

/// The objects of one resource in one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Columns,
    /// The objects, by namespace and name. In a file they are lines of their own.
    #[serde(skip)]
    pub objects: Vec<RecordedObject>,
    /// The API server's answer where it did not give the objects of a resource without namespaces: a `Status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Value>,
    /// The same for those of single namespaces, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused_in: BTreeMap<String, Value>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// What a watch told of an object while the cluster was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// When it was told.
    pub at: Timestamp,
    /// Group and version of its resource, as `v1` or `apps/v1`.
    pub group_version: String,
    /// Plural name of its resource.
    pub resource: String,
    /// What became of it.
    pub event: WatchEvent,
    /// The object after it; of a deletion, as it was last.
    pub object: Value,
    /// Its row in the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Value>,
}

/// What became of a watched object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchEvent {
    /// It is there, new or altered.
    Present,
    /// It is gone.
    Deleted,
}

/// A document that describes the objects of an API (`OpenAPI` version 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenApi {
    /// Which, as `api/v1` or `apis/apps/v1`.
    pub path: String,
    /// It, in JSON.
    pub document: Document,
}

/// A text that is passed on as it is, for nobody here reads it: kept compressed, as all of a cluster's take 4 MB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Document(Box<[u8]>);

impl Document {
    /// The text.
    pub fn text(&self) -> String {
        let text = zstd::decode_all(&*self.0).ok().and_then(|text| String::from_utf8(text).ok());
        // What was compressed here is whole.
        text.unwrap_or_default()
    }
}

impl TryFrom<String> for Document {
    type Error = std::io::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        zstd::encode_all(text.as_bytes(), 1).map(|packed| Self(packed.into_boxed_slice()))
    }
}

impl From<Document> for String {
    fn from(document: Document) -> Self {
        document.text()
    }
}

/// How many resources are named of one place.
const NAMED: usize = 8;

impl KubernetesState {
    /// What is missing because the API server refused it, in words: a line for each namespace, for what lives in none, and
    /// for logs.
    pub fn missing(&self) -> Vec<String> {
        let mut places: BTreeMap<Option<&str>, BTreeSet<String>> = BTreeMap::new();
        for resource in &self.resources {
            let namespaces = resource.refused_in.keys().map(|namespace| Some(namespace.as_str()));
            for place in namespaces.chain(resource.refused.as_ref().map(|_| None)) {
                places.entry(place).or_default().insert(resource.full_name());
            }
        }
        let mut lines: Vec<String> = places
            .iter()
            .map(|(namespace, names)| {
                let place = namespace.map(|name| format!(" of namespace {name}")).unwrap_or_default();
                let more = names.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let names = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
                format!("{names}{more}{place}")
            })
            .collect();
        let forbidden =
            |log: &&RecordedLog| log.refused.as_ref().is_some_and(|status| status.get("code") == Some(&403.into()));
        let logs = self.logs.iter().filter(forbidden).count();
        lines.extend((logs > 0).then(|| format!("logs ({logs})")));
        lines
    }
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

    /// The resource as permissions and kubectl name it: `pods`, `deployments.apps`.
    pub fn full_name(&self) -> String {
        match self.group() {
            "" => self.resource.clone(),
            group => format!("{}.{group}", self.resource),
        }
    }

    /// The API server's answer for a namespace, or for all of them, where it did not give all objects.
    pub fn refusal(&self, namespace: Option<&str>) -> Option<&Value> {
        let here = match namespace {
            Some(namespace) => self.refused_in.get(namespace),
            None => self.refused_in.values().next(),
        };
        self.refused.as_ref().or(here)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_named_by_its_place() {
        let resource =
            |group_version: &str, resource: &str, refused: Option<Value>, refused_in: &[&str]| RecordedResource {
                group_version: group_version.to_owned(),
                resource: resource.to_owned(),
                namespaced: refused.is_none(),
                refused,
                refused_in: refused_in
                    .iter()
                    .map(|namespace| ((*namespace).to_owned(), json!({"code": 403})))
                    .collect(),
                ..RecordedResource::default()
            };
        let log = |code: u16| RecordedLog {
            namespace: "shop".to_owned(),
            pod: "cart".to_owned(),
            container: "app".to_owned(),
            previous: true,
            text: String::new(),
            refused: Some(json!({ "code": code })),
        };
        let state = KubernetesState {
            resources: vec![
                resource("v1", "pods", None, &[]),
                resource("v1", "secrets", None, &["shop", "till"]),
                resource("apps/v1", "deployments", None, &["till"]),
                resource("v1", "nodes", Some(json!({"code": 403})), &[]),
            ],
            logs: vec![log(403), log(400)],
            ..KubernetesState::default()
        };
        assert_eq!(
            state.missing(),
            ["nodes", "secrets of namespace shop", "deployments.apps, secrets of namespace till", "logs (1)"]
        );
    }
}
