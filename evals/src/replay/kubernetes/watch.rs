//! Watches: the objects as they are, then silence, for a recorded cluster does not change.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Query;
use super::accept::{Form, Include};
use super::collection::Selection;
use super::table;
use crate::bundle::{RecordedObject, RecordedResource};

/// Without a time of its own a watch ends after the API server's `--min-request-timeout`, and the client asks again.
const LENGTH: Duration = Duration::from_mins(30);

/// The stream of a watch.
pub(super) fn response(
    resource: &RecordedResource,
    selection: &Selection,
    query: &Query,
    form: Form,
    cancel: &CancellationToken,
) -> Response {
    let streams_list = query.is("sendInitialEvents");
    let from_the_start = matches!(query.get("resourceVersion"), None | Some("0"));
    let mut events: Vec<Value> = Vec::new();
    if streams_list || (from_the_start && query.get("sendInitialEvents").is_none()) {
        let objects = selection.of(resource);
        events.extend(objects.into_iter().map(|object| event("ADDED", &shown(resource, object, form))));
    }
    if streams_list {
        events.push(event("BOOKMARK", &bookmark(resource, form)));
    }
    let length = query.get("timeoutSeconds").and_then(|text| text.parse().ok()).map_or(LENGTH, Duration::from_secs);
    let cancel = cancel.clone();
    let silence = futures::stream::once(async move {
        tokio::select! { () = cancel.cancelled() => {}, () = tokio::time::sleep(length) => {} }
        Bytes::new()
    });
    let lines = futures::stream::iter(events.into_iter().map(|event| Bytes::from(format!("{event}\n")))).chain(silence);
    let body = Body::from_stream(lines.map(Ok::<_, std::convert::Infallible>));
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

fn event(kind: &str, object: &Value) -> Value {
    json!({ "type": kind, "object": object })
}

fn shown(resource: &RecordedResource, object: &RecordedObject, form: Form) -> Value {
    match form {
        Form::Table(include) if !resource.columns.is_empty() => {
            let metadata = json!({ "resourceVersion": object.object.pointer("/metadata/resourceVersion") });
            table::table(resource, &[object], include, &metadata)
        }
        Form::Metadata => table::metadata(&object.object),
        _ => object.object.clone(),
    }
}

/// Tells that the objects at the start are complete (`k8s.io/initial-events-end`).
fn bookmark(resource: &RecordedResource, form: Form) -> Value {
    let object = json!({
        "kind": resource.kind,
        "apiVersion": resource.group_version,
        "metadata": {
            "resourceVersion": resource.resource_version,
            "creationTimestamp": null,
            "annotations": { "k8s.io/initial-events-end": "true" },
        },
    });
    match form {
        Form::Table(_) if !resource.columns.is_empty() => {
            let row = RecordedObject { object, cells: Vec::new() };
            table::table(resource, &[&row], Include::Metadata, &json!({ "resourceVersion": resource.resource_version }))
        }
        Form::Metadata => table::metadata(&object),
        _ => object,
    }
}
