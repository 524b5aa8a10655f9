//! A tool's arguments: offered as a schema that costs few tokens, and read leniently.

mod read;
mod schema;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Effect, ToolError, ToolSpec};

/// How a tool with arguments of the type `T` is offered. The fields' doc comments become the descriptions.
pub fn spec<T: JsonSchema>(
    name: impl Into<Cow<'static, str>>,
    description: impl Into<Cow<'static, str>>,
    effect: Effect,
) -> ToolSpec {
    ToolSpec { name: name.into(), description: description.into(), parameters: schema::offered::<T>(), effect }
}

/// Reads the arguments of the tool `name` as models write them.
///
/// Null, absent and empty optional values mean the same; numbers and booleans may come as strings, single values for
/// lists, and the whole as a string of JSON. Else the error names the argument, what came and what is wanted; an
/// argument that isn't in the schema is refused with the one that it may have meant.
pub fn parse<T: DeserializeOwned + JsonSchema>(name: &str, arguments: Value) -> Result<T, ToolError> {
    let fault = |fault: String| ToolError::Arguments(format!("{name}: {fault}"));
    let arguments =
        read::object(arguments).and_then(|object| read::fields(&schema::of::<T>(), object, "")).map_err(fault)?;
    serde_json::from_value(Value::Object(arguments)).map_err(|error| fault(error.to_string()))
}

/// A schema that came from elsewhere, without what a model doesn't need.
pub fn trimmed(schema: Value) -> Value {
    schema::trimmed(schema)
}

/// The same by a schema that is only known at run time: the values as it wants them.
pub fn parse_by(name: &str, schema: &Value, arguments: Value) -> Result<Map<String, Value>, ToolError> {
    let fault = |fault: String| ToolError::Arguments(format!("{name}: {fault}"));
    read::object(arguments).and_then(|object| read::fields(schema, object, "")).map_err(fault)
}

#[cfg(test)]
mod tests;
