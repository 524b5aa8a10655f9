//! Discovery: aggregated as it was recorded, and the older documents made of it.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::accept::Form;
use super::status::Refusal;
use crate::bundle::KubernetesState;
use crate::json::{items, text};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// `/api`
pub(super) fn core(state: &KubernetesState, form: Form) -> Response {
    if form == Form::Discovery {
        return aggregated(&state.core);
    }
    let core = items(&state.core, "items").first();
    let versions: Vec<&str> = core.map(versions).unwrap_or_default();
    axum::Json(json!({ "kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": [] })).into_response()
}

/// `/apis`
pub(super) fn groups(state: &KubernetesState, form: Form) -> Response {
    if form == Form::Discovery {
        return aggregated(&state.groups);
    }
    let groups: Vec<Value> = items(&state.groups, "items").iter().map(described).collect();
    axum::Json(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })).into_response()
}

/// `/apis/<group>`
pub(super) fn group(state: &KubernetesState, name: &str) -> Result<Response, Refusal> {
    let group = items(&state.groups, "items").iter().find(|group| text(group, "/metadata/name") == name);
    let mut description = described(group.ok_or_else(Refusal::unknown_path)?);
    if let Some(description) = description.as_object_mut() {
        description.insert("kind".to_owned(), "APIGroup".into());
        description.insert("apiVersion".to_owned(), "v1".into());
    }
    Ok(axum::Json(description).into_response())
}

/// `/api/v1`, `/apis/<group>/<version>`
pub(super) fn resources(state: &KubernetesState, group_version: &str) -> Result<Response, Refusal> {
    let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
    let document = if group.is_empty() { &state.core } else { &state.groups };
    let found = items(document, "items")
        .iter()
        .filter(|one| text(one, "/metadata/name") == group)
        .flat_map(|group| items(group, "versions"))
        .find(|one| text(one, "/version") == version)
        .ok_or_else(Refusal::unknown_path)?;
    let resources: Vec<Value> =
        items(found, "resources").iter().flat_map(|one| with_parts(one, group, version)).collect();
    let list =
        json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources });
    Ok(axum::Json(list).into_response())
}

fn aggregated(document: &Value) -> Response {
    let mut document = document.clone();
    if let Some(version) = document.get_mut("apiVersion") {
        // A cluster before 1.30 gave the same document as v2beta1.
        *version = "apidiscovery.k8s.io/v2".into();
    }
    ([(CONTENT_TYPE, AGGREGATED)], document.to_string()).into_response()
}

/// A group, as `/apis` lists it.
fn described(group: &Value) -> Value {
    let name = text(group, "/metadata/name");
    let versions: Vec<Value> = versions(group)
        .iter()
        .map(|version| json!({ "groupVersion": format!("{name}/{version}"), "version": version }))
        .collect();
    // Aggregated discovery lists the preferred version first.
    json!({ "name": name, "versions": versions, "preferredVersion": versions.first() })
}

fn versions(group: &Value) -> Vec<&str> {
    items(group, "versions").iter().map(|version| text(version, "/version")).collect()
}

/// A resource and its subresources, as an `APIResourceList` lists them.
fn with_parts(resource: &Value, group: &str, version: &str) -> Vec<Value> {
    let name = text(resource, "/resource");
    let namespaced = text(resource, "/scope") == "Namespaced";
    let mut listed = vec![listed(resource, name, namespaced, group, version)];
    if let Some(first) = listed.first_mut().and_then(Value::as_object_mut) {
        for field in ["shortNames", "categories"] {
            if let Some(value) = resource.get(field) {
                first.insert(field.to_owned(), value.clone());
            }
        }
    }
    for part in items(resource, "subresources") {
        let name = format!("{name}/{}", text(part, "/subresource"));
        listed.push(self::listed(part, &name, namespaced, group, version));
    }
    listed
}

fn listed(one: &Value, name: &str, namespaced: bool, group: &str, version: &str) -> Value {
    let mut listed = Map::new();
    listed.insert("name".to_owned(), name.into());
    listed.insert("singularName".to_owned(), text(one, "/singularResource").into());
    listed.insert("namespaced".to_owned(), namespaced.into());
    // Told where it isn't that of the list.
    if let Some(kind) = one.get("responseKind") {
        for field in ["group", "version"] {
            let own = if field == "group" { group } else { version };
            let found = kind.get(field).and_then(Value::as_str).unwrap_or_default();
            if !found.is_empty() && found != own {
                listed.insert(field.to_owned(), found.into());
            }
        }
    }
    listed.insert("kind".to_owned(), text(one, "/responseKind/kind").into());
    listed.insert("verbs".to_owned(), Value::Array(items(one, "verbs").to_vec()));
    Value::Object(listed)
}
