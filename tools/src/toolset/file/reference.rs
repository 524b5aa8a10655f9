//! `{{ env.NAME }}` in values that are not commands.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::command::Environment;

static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\{\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}").ok());

/// Replaces each `{{ env.NAME }}` in the value's texts; the error names the first variable that isn't there.
pub(super) fn resolve(value: &mut Value, environment: &Environment) -> Result<(), String> {
    match value {
        Value::String(text) => {
            if let Some(filled) = filled(text, environment)? {
                *text = filled;
            }
            Ok(())
        }
        Value::Array(values) => values.iter_mut().try_for_each(|value| resolve(value, environment)),
        Value::Object(fields) => fields.values_mut().try_for_each(|value| resolve(value, environment)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn filled(text: &str, environment: &Environment) -> Result<Option<String>, String> {
    let Some(reference) = REFERENCE.as_ref().filter(|reference| reference.is_match(text)) else { return Ok(None) };
    let name = |found: &Captures<'_>| found.get(1).map(|name| name.as_str().to_owned()).unwrap_or_default();
    let missing = reference.captures_iter(text).map(|found| name(&found)).find(|name| environment.get(name).is_none());
    if let Some(name) = missing {
        Err(format!("the environment has no {name}"))
    } else {
        let value = |found: &Captures<'_>| environment.get(&name(found)).unwrap_or_default().to_owned();
        Ok(Some(reference.replace_all(text, value).into_owned()))
    }
}
