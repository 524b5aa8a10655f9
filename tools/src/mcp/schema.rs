//! A server's tool as a model is offered it: with the words that it needs, for each is paid at every call.

use rmcp::model::Tool;
use serde_json::{Map, Value};

use crate::arguments;
use crate::view::plain;

/// Characters of a tool's description.
const DESCRIPTION: usize = 600;

/// Characters of the description of an argument.
const ARGUMENT: usize = 200;

/// Letters of a tool's name, which is what models' APIs take.
const NAME: usize = 64;

/// The name that it is offered by: the server's first, for two servers may each have a `search`.
pub(super) fn name(server: &str, tool: &str) -> String {
    let letters = |text: &str| -> String {
        let letter =
            |letter: char| if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-') { letter } else { '_' };
        text.chars().map(letter).collect()
    };
    let (server, tool) = (letters(server), letters(tool));
    let name = if tool.starts_with(&format!("{server}_")) { tool } else { format!("{server}_{tool}") };
    name.chars().take(NAME).collect()
}

/// What it is for.
pub(super) fn description(tool: &Tool) -> String {
    let text = tool.description.as_deref().or(tool.title.as_deref()).unwrap_or_default();
    shortened(text, DESCRIPTION)
}

/// The schema of its arguments.
pub(super) fn parameters(tool: &Tool) -> Value {
    let mut schema = arguments::trimmed(Value::Object(tool.input_schema.as_ref().clone()));
    shorten(&mut schema);
    schema
}

fn shorten(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = shortened(text, ARGUMENT);
            }
            fields.values_mut().for_each(shorten);
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        _ => {}
    }
}

/// One line, cut where it is long.
fn shortened(text: &str, most: usize) -> String {
    let line = plain(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}

/// Whether the arguments can be read by the schema: it lists them, and refers to nothing.
pub(super) fn is_plain(schema: &Value) -> bool {
    let listed = schema.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty());
    listed && !refers(schema)
}

fn refers(schema: &Value) -> bool {
    let of = |fields: &Map<String, Value>| fields.contains_key("$ref") || fields.values().any(refers);
    schema.as_object().is_some_and(of) || schema.as_array().is_some_and(|values| values.iter().any(refers))
}
