//! Reads the state of the Kubernetes API.

use std::collections::BTreeSet;

use http::header::ACCEPT;
use kube::core::discovery::v2::ACCEPT_AGGREGATED_DISCOVERY_V2;
use serde_json::{Map, Value};

use super::watch::Watches;
use super::{RecordError, Recorder};
use crate::bundle::{KubernetesState, RecordedObject, RecordedResource};
use crate::json::{items, text};

/// A table with whole objects; a server that knows no tables answers with a list.
pub(super) const ACCEPT_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// Objects of one answer.
const PAGE: usize = 500;

/// A resource of one version, as discovery names it.
struct Resource {
    group: String,
    version: String,
    name: String,
    kind: String,
    namespaced: bool,
    watchable: bool,
}

impl Recorder<'_> {
    /// Reads discovery and every object of every resource, and begins to watch them.
    pub(super) async fn kubernetes(&mut self, watches: &mut Watches) -> Result<KubernetesState, RecordError> {
        let version = self.get("/version", "application/json").await?;
        let core = self.get("/api", ACCEPT_AGGREGATED_DISCOVERY_V2).await?;
        let groups = self.get("/apis", ACCEPT_AGGREGATED_DISCOVERY_V2).await?;
        let mut resources = Vec::new();
        for resource in listable(&core).into_iter().chain(listable(&groups)) {
            self.progress(&format!("{} of {}", resource.name, resource.group_version()));
            resources.push(self.resource(&resource, watches).await?);
        }
        let open_api = self.open_api(&resources).await?;
        let mut state = KubernetesState { version, core, groups, resources, open_api, ..KubernetesState::default() };
        state.access = self.access(&state).await?;
        Ok(state)
    }

    async fn resource(&mut self, resource: &Resource, watches: &mut Watches) -> Result<RecordedResource, RecordError> {
        let mut recorded = RecordedResource {
            group_version: resource.group_version(),
            resource: resource.name.clone(),
            kind: resource.kind.clone(),
            namespaced: resource.namespaced,
            ..RecordedResource::default()
        };
        let namespaces: BTreeSet<Option<String>> = if resource.namespaced {
            self.options.namespaces.iter().cloned().map(Some).collect()
        } else {
            BTreeSet::from([None])
        };
        for namespace in namespaces {
            let path = resource.path(namespace.as_deref());
            let refused = self.list(&path, &mut recorded).await?;
            if refused.is_none() && resource.watchable {
                watches.begin(&recorded, &path, &recorded.resource_version);
            }
            match (refused, namespace) {
                (Some(status), Some(namespace)) => _ = recorded.refused_in.insert(namespace, status),
                (refused, _) => recorded.refused = refused.or(recorded.refused),
            }
        }
        recorded.objects.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
        Ok(recorded)
    }

    /// Reads a collection page by page; gives the API server's answer where it refuses.
    async fn list(&mut self, path: &str, recorded: &mut RecordedResource) -> Result<Option<Value>, RecordError> {
        let mut token = String::new();
        loop {
            let limit = PAGE.to_string();
            let query = with_query(path, &[("includeObject", "Object"), ("limit", &limit), ("continue", &token)]);
            let answer = match self.get(&query, ACCEPT_TABLE).await {
                Ok(answer) => answer,
                Err(RecordError::Kubernetes { source: kube::Error::Api(status), .. }) => {
                    return Ok(serde_json::to_value(&*status).ok().map(as_status));
                }
                Err(error) => return Err(error),
            };
            text(&answer, "/metadata/continue").clone_into(&mut token);
            text(&answer, "/metadata/resourceVersion").clone_into(&mut recorded.resource_version);
            if let Some(columns) = answer.get("columnDefinitions").and_then(Value::as_array) {
                recorded.columns.clone_from(columns);
            }
            for mut object in objects(answer, recorded) {
                if recorded.objects.len() >= self.options.limits.objects {
                    let limit = self.options.limits.objects;
                    self.omit(
                        format!("{} of {}", recorded.resource, recorded.group_version),
                        format!("there are more than {limit}"),
                    );
                    return Ok(None);
                }
                self.redaction.object(&mut object.object);
                self.redaction.row(&recorded.columns, &mut object.cells);
                recorded.objects.push(object);
            }
            if token.is_empty() {
                return Ok(None);
            }
        }
    }

    /// One answer, as JSON.
    pub(super) async fn get(&self, path: &str, accept: &str) -> Result<Value, RecordError> {
        let failed = |source| RecordError::Kubernetes { what: path.to_owned(), source };
        let request = http::Request::get(path)
            .header(ACCEPT, accept)
            .body(Vec::new())
            .map_err(|error| failed(kube::Error::HttpError(error)))?;
        self.within(path, self.options.client.request::<Value>(request)).await?.map_err(failed)
    }

    /// One answer, as it stands. `what` is what it is of.
    pub(super) async fn text(&self, what: &str, path: &str) -> Result<String, RecordError> {
        let failed = |source| RecordError::Kubernetes { what: what.to_owned(), source };
        let request =
            http::Request::get(path).body(Vec::new()).map_err(|error| failed(kube::Error::HttpError(error)))?;
        self.within(what, self.options.client.request_text(request)).await?.map_err(failed)
    }
}

impl Resource {
    fn group_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "/api" } else { "/apis" };
        let scope = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        format!("{root}/{}{scope}/{}", self.group_version(), self.name)
    }
}

/// A path with its query; parameters without a value are left out.
pub(super) fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let url = reqwest::Url::parse_with_params("http://cluster", given);
    format!("{path}?{}", url.as_ref().ok().and_then(reqwest::Url::query).unwrap_or_default())
}

/// The resources that can be listed, in each served version.
fn listable(discovery: &Value) -> Vec<Resource> {
    let mut found = Vec::new();
    for group in items(discovery, "items") {
        for version in items(group, "versions") {
            for resource in items(version, "resources") {
                let can = |verb: &str| items(resource, "verbs").iter().any(|known| known == verb);
                if !can("list") {
                    continue;
                }
                found.push(Resource {
                    group: text(group, "/metadata/name").to_owned(),
                    version: text(version, "/version").to_owned(),
                    name: text(resource, "/resource").to_owned(),
                    kind: text(resource, "/responseKind/kind").to_owned(),
                    namespaced: text(resource, "/scope") == "Namespaced",
                    watchable: can("watch"),
                });
            }
        }
    }
    found
}

/// The objects of a table or a list, or the object itself.
pub(super) fn objects(mut answer: Value, recorded: &RecordedResource) -> Vec<RecordedObject> {
    let take = |value: &mut Value, field: &str| value.get_mut(field).map(Value::take);
    let array = |value: Option<Value>| match value {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    };
    if text(&answer, "/kind") == "Table" {
        return array(take(&mut answer, "rows"))
            .into_iter()
            .map(|mut row| RecordedObject {
                object: take(&mut row, "object").unwrap_or_default(),
                cells: array(take(&mut row, "cells")),
            })
            .collect();
    }
    if answer.get("items").is_none() && answer.get("metadata").is_some_and(|data| data.get("name").is_some()) {
        return vec![RecordedObject { object: answer, cells: Vec::new() }];
    }
    let named = |object: Value| {
        // The items of a list leave out what the list says for all of them.
        let mut named = Map::new();
        named.insert("apiVersion".to_owned(), Value::String(recorded.group_version.clone()));
        named.insert("kind".to_owned(), Value::String(recorded.kind.clone()));
        if let Value::Object(object) = object {
            named.extend(object);
        }
        RecordedObject { object: Value::Object(named), cells: Vec::new() }
    };
    array(take(&mut answer, "items")).into_iter().map(named).collect()
}

/// A status with what the client leaves out of it.
pub(super) fn as_status(status: Value) -> Value {
    let mut whole = Map::new();
    whole.insert("kind".to_owned(), "Status".into());
    whole.insert("apiVersion".to_owned(), "v1".into());
    if let Value::Object(status) = status {
        whole.extend(status.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Value::Object(whole)
}
