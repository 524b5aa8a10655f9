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

/// How the items of a list begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Items {
    /// With version and kind, as those of custom resources.
    Named,
    /// Without, as those of types that a server has built in: the list says it for all.
    Bare,
}

/// The answer that is a list.
pub(super) fn response(resource: &RecordedResource, selection: &Selection, form: Form, items: Items) -> Response {
    let all = selection.of(resource);
    let from = selection.offset.min(all.len());
    let to = selection.limit.map_or(all.len(), |limit| from.saturating_add(limit).min(all.len()));
    let page = all.get(from..to).unwrap_or_default();
    let mut metadata = Map::new();
    // What is computed when it is asked for, as usage is, has none.
    if !resource.resource_version.is_empty() {
        metadata.insert("resourceVersion".to_owned(), resource.resource_version.as_str().into());
    }
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
            let mut list = Map::new();
            list.insert("kind".to_owned(), resource.list_kind().into());
            list.insert("apiVersion".to_owned(), resource.group_version.as_str().into());
            list.insert("metadata".to_owned(), metadata);
            list.insert("items".to_owned(), page.iter().map(|object| item(&object.object, items)).collect());
            axum::Json(list).into_response()
        }
    }
}

fn item(object: &Value, items: Items) -> Value {
    match object {
        Value::Object(fields) if items == Items::Bare => {
            let told = fields.iter().filter(|(name, _)| !["apiVersion", "kind"].contains(&name.as_str()));
            told.map(|(name, value)| (name.clone(), value.clone())).collect()
        }
        whole => whole.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_tells_its_kind_where_it_is_of_a_custom_resource() {
        let object = json!({"kind": "PodMetrics", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {"name": "cart-1"},
            "window": "30s"});
        assert_eq!(item(&object, Items::Bare).to_string(), r#"{"metadata":{"name":"cart-1"},"window":"30s"}"#);
        assert_eq!(item(&object, Items::Named), object);
    }
}
