//! Schemas of arguments, without what a model doesn't need.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// Words that say nothing about what to write, or that every API assumes.
const NOISE: [&str; 8] =
    ["$schema", "$id", "$comment", "title", "format", "default", "examples", "additionalProperties"];

/// Bounds that follow from a number's type: told when they are broken.
const BOUNDS: [&str; 2] = ["minimum", "maximum"];

/// The schema as a model is offered it.
pub(super) fn offered<T: JsonSchema>() -> Value {
    let mut schema = of::<T>();
    drop_bounds(&mut schema);
    schema
}

fn drop_bounds(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    for word in BOUNDS {
        object.remove(word);
    }
    for (word, value) in object.iter_mut() {
        match (word.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(properties)) => {
                properties.values_mut().for_each(drop_bounds);
            }
            ("items", items) => drop_bounds(items),
            ("anyOf" | "oneOf" | "allOf", Value::Array(parts)) => parts.iter_mut().for_each(drop_bounds),
            _ => {}
        }
    }
}

/// A schema from elsewhere as a model is offered it.
pub(super) fn trimmed(mut schema: Value) -> Value {
    trim(&mut schema);
    drop_bounds(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.remove("description");
        root.entry("type").or_insert_with(|| "object".into());
        root.entry("properties").or_insert_with(|| Map::new().into());
    }
    schema
}

/// The schema of the type `T`: an object with inlined parts, neither titles nor formats nor null.
pub(super) fn of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    trim(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.remove("description");
        root.entry("type").or_insert_with(|| "object".into());
        root.entry("properties").or_insert_with(|| Map::new().into());
    }
    schema
}

fn trim(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    for word in NOISE {
        object.remove(word);
    }
    drop_null(object);
    choices_to_enum(object);
    for (word, value) in object.iter_mut() {
        match (word.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(properties)) => {
                properties.values_mut().for_each(trim);
            }
            ("items", items) => trim(items),
            ("anyOf" | "oneOf" | "allOf", Value::Array(parts)) => parts.iter_mut().for_each(trim),
            _ => {}
        }
    }
}

/// An optional value is one that may be left out, which `required` says already.
fn drop_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(parts)) = object.get_mut("anyOf") else { return };
    parts.retain(|part| part.get("type").is_none_or(|kind| kind != "null"));
    if let [Value::Object(only)] = parts.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (word, value) in only {
            object.entry(word).or_insert(value);
        }
        for word in NOISE {
            object.remove(word);
        }
    }
}

/// An enum with documented variants comes as `oneOf` constants; the words alone are enough.
fn choices_to_enum(object: &mut Map<String, Value>) {
    let Some(Value::Array(parts)) = object.get("oneOf") else { return };
    let mut words = Vec::new();
    for part in parts {
        match (part.get("const"), part.get("enum")) {
            (Some(word), _) => words.push(word.clone()),
            (None, Some(Value::Array(several))) => words.extend(several.iter().cloned()),
            _ => return,
        }
    }
    object.remove("oneOf");
    object.insert("type".to_owned(), "string".into());
    object.insert("enum".to_owned(), words.into());
}
