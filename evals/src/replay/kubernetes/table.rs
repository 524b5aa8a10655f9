//! Objects as rows of a table, and as metadata alone.

use serde_json::{Map, Value, json};

use super::accept::Include;
use crate::bundle::{RecordedObject, RecordedResource};

/// The table of these objects, with the columns and cells that were recorded.
pub(super) fn table(
    resource: &RecordedResource,
    objects: &[&RecordedObject],
    include: Include,
    list_metadata: &Value,
) -> Value {
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut row = Map::new();
            row.insert("cells".to_owned(), Value::Array(object.cells.clone()));
            let shown = match include {
                Include::Nothing => None,
                Include::Metadata => Some(metadata(&object.object)),
                Include::Object => Some(object.object.clone()),
            };
            row.extend(shown.map(|shown| ("object".to_owned(), shown)));
            Value::Object(row)
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": list_metadata,
        "columnDefinitions": resource.columns, "rows": rows,
    })
}

/// The metadata of an object.
pub(super) fn metadata(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.get("metadata") })
}
