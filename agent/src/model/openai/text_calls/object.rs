//! A call as JSON, in the forms that models were taught.

use serde_json::{Map, Value};

use super::super::super::WrittenCall;

/// The names that fields have in the forms in use.
const NAMES: [&str; 4] = ["name", "tool", "tool_name", "function"];
const ARGUMENTS: [&str; 6] = ["arguments", "parameters", "args", "input", "tool_input", "action_input"];
/// What may stand beside them.
const BESIDE: [&str; 2] = ["id", "type"];

/// The calls that a value is: one, or a list. Nothing where any part of it is something else.
pub(super) fn calls(value: &Value) -> Option<Vec<WrittenCall>> {
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(calls).collect::<Option<Vec<_>>>().map(|calls| calls.into_iter().flatten().collect())
        }
        Value::Object(fields) => match fields.get("tool_calls").or_else(|| fields.get("calls")) {
            Some(list @ Value::Array(_)) if fields.len() == 1 => calls(list),
            _ => call(fields).map(|call| vec![call]),
        },
        _ => None,
    }
}

fn call(fields: &Map<String, Value>) -> Option<WrittenCall> {
    let id = fields.get("id").and_then(Value::as_str).map(str::to_owned);
    if let Some(Value::Object(function)) = fields.get("function") {
        let known = fields.keys().all(|name| name == "function" || BESIDE.contains(&name.as_str()));
        return known.then(|| call(function)).flatten().map(|call| WrittenCall { id, ..call });
    }
    let name = NAMES.iter().find(|name| fields.contains_key(**name))?;
    let arguments = ARGUMENTS.iter().find(|name| fields.contains_key(**name));
    let known = |field: &str| field == *name || arguments.is_some_and(|name| field == *name) || BESIDE.contains(&field);
    if !fields.keys().all(|field| known(field)) {
        return None;
    }
    let written = match arguments.and_then(|arguments| fields.get(*arguments)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) => String::new(),
        Some(value @ Value::Object(_)) => value.to_string(),
        // Without arguments it may be anything that has a name.
        _ => return None,
    };
    let name = fields.get(*name).and_then(Value::as_str)?.to_owned();
    Some(WrittenCall { id, name, arguments: written, ..WrittenCall::default() })
}

/// The call that a text between marks is meant to be, whatever is wrong with it: who wrote the marks meant a call, and is
/// told what is wrong.
pub(super) fn meant(text: &str) -> Vec<WrittenCall> {
    let text = text.trim().trim_start_matches("```json").trim_matches('`').trim();
    // What small models forget most is to close what they opened.
    let mut closed = ["", "}", "}}", "]", "}]"].iter().map(|end| format!("{text}{end}"));
    let value = closed.find_map(|text| serde_json::from_str::<Value>(&text).ok());
    value.map_or_else(|| vec![torn(text)], |value| meant_by(&value))
}

/// The calls that a value between marks is meant to be.
pub(super) fn meant_by(value: &Value) -> Vec<WrittenCall> {
    calls(value).unwrap_or_else(|| vec![by_name(value)])
}

/// A call of which no more than the name is sure.
fn by_name(value: &Value) -> WrittenCall {
    let name = NAMES.iter().filter_map(|name| value.get(name)).find_map(Value::as_str).unwrap_or_default();
    let arguments = ARGUMENTS.iter().find_map(|name| value.get(name));
    let arguments = match arguments {
        Some(arguments) => arguments.to_string(),
        // The arguments may stand beside the name.
        None => match value {
            Value::Object(fields) => {
                let others = fields
                    .iter()
                    .filter(|(field, _)| !NAMES.contains(&field.as_str()) && !BESIDE.contains(&field.as_str()));
                Value::Object(others.map(|(field, value)| (field.clone(), value.clone())).collect()).to_string()
            }
            _ => value.to_string(),
        },
    };
    WrittenCall { name: name.to_owned(), arguments, ..WrittenCall::default() }
}

/// A call whose JSON is broken: its name where one can be made out, and the rest as it is.
fn torn(text: &str) -> WrittenCall {
    let after = |word: &str| text.split_once(&format!("\"{word}\"")).map(|(_, rest)| rest.trim_start());
    let name = NAMES.iter().find_map(|name| {
        let value = after(name)?.strip_prefix(':')?.trim_start().strip_prefix('"')?;
        value.split_once('"').map(|(name, _)| name.to_owned())
    });
    let arguments = ARGUMENTS.iter().find_map(|name| after(name)?.strip_prefix(':'));
    WrittenCall {
        name: name.unwrap_or_default(),
        arguments: arguments.unwrap_or(text).trim().to_owned(),
        ..WrittenCall::default()
    }
}
