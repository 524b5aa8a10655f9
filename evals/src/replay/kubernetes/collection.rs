//! Lists.

use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Query;
use super::accept::Form;
use super::field::FieldSelector;
use super::selector::LabelSelector;
use super::status::Refusal;
use super::table;
use crate::bundle::{RecordedObject, RecordedResource};

/// Which objects of a resource are asked for.
pub(super) struct Selection {
    namespace: Option<String>,
    labels: LabelSelector,
    fields: FieldSelector,
    limit: Option<usize>,
    offset: usize,
}

impl Selection {
    pub(super) fn parse(resource: &RecordedResource, namespace: Option<&str>, query: &Query) -> Result<Self, Refusal> {
        let offset = query.get("continue").map(|token| {
            let offset = token.strip_prefix("from-").and_then(|offset| offset.parse().ok());
            offset.ok_or_else(|| Refusal::bad_request("continue key is not valid: it is none of this replay"))
        });
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            labels: LabelSelector::parse(query.get("labelSelector").unwrap_or_default())?,
            fields: FieldSelector::parse(query.get("fieldSelector").unwrap_or_default(), resource)?,
            limit: query.number("limit")?.filter(|limit| *limit > 0),
            offset: offset.transpose()?.unwrap_or_default(),
        })
    }

    /// All objects that are meant, in the order of namespaces and names, which is that of the API server's storage.
    pub(super) fn of<'a>(&self, resource: &'a RecordedResource) -> Vec<&'a RecordedObject> {
        let here = |object: &RecordedObject| self.namespace.as_deref().is_none_or(|own| object.namespace() == own);
        let meant = |object: &Value| self.labels.matches(object) && self.fields.matches(object);
        resource.objects.iter().filter(|object| here(object) && meant(&object.object)).collect()
    }
}

/// The answer that is a list.
pub(super) fn response(resource: &RecordedResource, selection: &Selection, form: Form) -> Response {
    let all = selection.of(resource);
    let from = selection.offset.min(all.len());
    let to = selection.limit.map_or(all.len(), |limit| from.saturating_add(limit).min(all.len()));
    let page = all.get(from..to).unwrap_or_default();
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".to_owned(), resource.resource_version.as_str().into());
    if to < all.len() {
        metadata.insert("continue".to_owned(), format!("from-{to}").into());
        // As the API server, which can't tell it of a selection without reading everything.
        if selection.labels.is_empty() && selection.fields.is_empty() {
            metadata.insert("remainingItemCount".to_owned(), (all.len() - to).into());
        }
    }
    let metadata = Value::Object(metadata);
    match form {
        Form::Table(include) if !resource.columns.is_empty() => {
            axum::Json(table::table(resource, page, include, &metadata)).into_response()
        }
        Form::Metadata => {
            let items: Vec<Value> = page.iter().map(|object| table::metadata(&object.object)).collect();
            axum::Json(json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items,
            }))
            .into_response()
        }
        _ => {
            let items: Vec<&Value> = page.iter().map(|object| &object.object).collect();
            axum::Json(json!({
                "kind": resource.list_kind(), "apiVersion": resource.group_version, "metadata": metadata, "items": items,
            }))
            .into_response()
        }
    }
}
