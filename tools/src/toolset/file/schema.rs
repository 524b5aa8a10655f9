//! The schema of a tool's arguments.

use serde_json::{Map, Value, json};

use super::document::{Kind, ParameterEntry, entry};
use crate::command::Template;

/// The schema of the parameters that are declared, and of those that the template takes without declaring them.
pub(super) fn parameters(path: &str, declared: Map<String, Value>, template: &Template) -> Result<Value, String> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, value) in declared {
        let parameter: ParameterEntry = match value {
            Value::Null => ParameterEntry::default(),
            value => entry(&format!("{path}.parameters.{name}"), value)?,
        };
        if parameter.required {
            required.push(Value::from(name.as_str()));
        }
        properties.insert(name, property(parameter));
    }
    for name in template.names() {
        if !properties.contains_key(name) {
            if !template.does_without(name) {
                required.push(Value::from(name.as_str()));
            }
            properties.insert(name.clone(), json!({"type": "string"}));
        }
    }
    let mut schema = json!({"type": "object", "properties": properties});
    if let (false, Some(schema)) = (required.is_empty(), schema.as_object_mut()) {
        schema.insert("required".to_owned(), required.into());
    }
    Ok(schema)
}

fn property(parameter: ParameterEntry) -> Value {
    let kind = match parameter.kind {
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Array => "array",
        Kind::Object => "object",
    };
    let mut property = Map::new();
    property.insert("type".to_owned(), kind.into());
    let description = parameter.description.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        property.insert("description".to_owned(), description.into());
    }
    if let Some(choices) = parameter.choices {
        property.insert("enum".to_owned(), choices.into());
    }
    match (parameter.kind, parameter.items) {
        (Kind::Array, items) => {
            property.insert("items".to_owned(), items.unwrap_or_else(|| json!({"type": "string"})));
        }
        (_, Some(items)) => {
            property.insert("items".to_owned(), items);
        }
        _ => {}
    }
    if let Some(properties) = parameter.properties {
        property.insert("properties".to_owned(), properties.into());
    }
    Value::Object(property)
}
