//! Asks the API server which kinds it serves.

use std::time::Duration;

use futures::stream::{self, StreamExt};
use http::Request;
use kube::Client;
use serde_json::Value;

use super::{Kind, Kinds, LookError};
use crate::endpoint::chain;

/// Aggregated discovery (Kubernetes 1.26, stable since 1.30): two requests instead of one a group. An older server
/// answers in the older form.
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                      application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// How long one group of an older server is waited for: its own server may be away.
const GROUP: Duration = Duration::from_secs(3);

/// How many groups of an older server are asked at once.
const AT_ONCE: usize = 8;

/// The kinds that the cluster serves, each in the version that its group prefers.
pub(super) async fn discover(client: &Client, deadline: Duration) -> Result<Kinds, LookError> {
    let (core, groups) = tokio::try_join!(fetch(client, "/api", deadline), fetch(client, "/apis", deadline))?;
    let mut kinds = Vec::new();
    let mut older = Vec::new();
    for (answer, root) in [(&core, "/api"), (&groups, "/apis")] {
        match answer.get("kind").and_then(Value::as_str) {
            Some("APIGroupDiscoveryList") => kinds.extend(aggregated(answer)),
            Some("APIVersions") => {
                older.extend(strings(answer, "versions").first().map(|version| (String::new(), version.clone())));
            }
            Some("APIGroupList") => older.extend(preferred(answer)),
            other => {
                let why = format!("the answer is {} and not a list of groups", other.unwrap_or("no object"));
                return Err(LookError::Backend { what: format!("read {root}"), why });
            }
        }
    }
    let lists = stream::iter(older).map(|(group, version)| async move {
        let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        // One group whose server is away must not hide the others.
        fetch(client, &path, deadline.min(GROUP))
            .await
            .map(|list| resources(&group, &version, &list))
            .unwrap_or_default()
    });
    kinds.extend(lists.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await.into_iter().flatten());
    Ok(Kinds::new(kinds))
}

async fn fetch(client: &Client, path: &str, deadline: Duration) -> Result<Value, LookError> {
    let what = || format!("read {path} (which kinds the cluster serves)");
    let backend = |why: String| LookError::Backend { what: what(), why };
    let request = Request::get(path)
        .header(http::header::ACCEPT, ACCEPT)
        .body(vec![])
        .map_err(|error| backend(error.to_string()))?;
    let answer = tokio::time::timeout(deadline, client.request_text(request))
        .await
        .map_err(|_| LookError::Timeout { what: what(), after: deadline })?;
    let text = answer.map_err(|error| match &error {
        kube::Error::Api(status) if matches!(status.code, 401 | 403) => {
            LookError::Forbidden { what: format!("not permitted: {}: {}", what(), status.message) }
        }
        other => backend(chain(other)),
    })?;
    serde_json::from_str(&text).map_err(|error| backend(error.to_string()))
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn strings(value: &Value, field: &str) -> Vec<String> {
    value
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// From aggregated discovery: a group's versions come in the order of preference, and a resource is taken from the
/// first that has it.
fn aggregated(answer: &Value) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for group in items(answer, "items") {
        let name = group.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let first = kinds.len();
        for version in items(group, "versions") {
            for resource in items(version, "resources") {
                let plural = text(resource, "resource");
                let known = kinds.get(first..).unwrap_or_default().iter().any(|kind| kind.plural == plural);
                let kind = resource.pointer("/responseKind/kind").and_then(Value::as_str).unwrap_or_default();
                if known || plural.is_empty() || kind.is_empty() {
                    continue;
                }
                kinds.push(Kind {
                    group: name.to_owned(),
                    version: text(version, "version"),
                    kind: kind.to_owned(),
                    singular: text(resource, "singularResource"),
                    short: strings(resource, "shortNames"),
                    namespaced: resource.get("scope").is_some_and(|scope| scope == "Namespaced"),
                    verbs: strings(resource, "verbs"),
                    plural,
                });
            }
        }
    }
    kinds
}

/// Groups and their preferred versions, from an `APIGroupList`.
fn preferred(answer: &Value) -> Vec<(String, String)> {
    let version = |group: &Value| {
        let version = group.pointer("/preferredVersion/version").or_else(|| group.pointer("/versions/0/version"))?;
        Some((text(group, "name"), version.as_str()?.to_owned()))
    };
    items(answer, "groups").filter_map(version).collect()
}

/// From an `APIResourceList`; subresources have a slash in their name.
fn resources(group: &str, version: &str, list: &Value) -> Vec<Kind> {
    let resource = |resource: &Value| Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: text(resource, "kind"),
        plural: text(resource, "name"),
        singular: text(resource, "singularName"),
        short: strings(resource, "shortNames"),
        namespaced: resource.get("namespaced").and_then(Value::as_bool).unwrap_or_default(),
        verbs: strings(resource, "verbs"),
    };
    items(list, "resources").map(resource).filter(|kind| !kind.plural.contains('/')).collect()
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}
