//! What a strict API checks in a request.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use marple_agent::context::tokens;
use serde_json::Value;

/// What the API knows.
pub(super) struct Known<'a> {
    pub(super) model: &'static str,
    pub(super) key: &'static str,
    pub(super) window: u32,
    /// Names of tools that were offered or called so far.
    pub(super) names: &'a mut BTreeSet<String>,
}

/// The fields of a request that the API knows.
const FIELDS: [&str; 9] = [
    "model",
    "messages",
    "tools",
    "tool_choice",
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "stream",
    "stream_options",
];

/// The types of JSON Schema.
const KINDS: [&str; 6] = ["object", "array", "string", "integer", "number", "boolean"];

/// The first fault of a request.
pub(super) fn check(headers: &HeaderMap, request: &Value, known: &mut Known<'_>) -> Result<(), String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ensure(header("authorization") == format!("Bearer {}", known.key), || "the key is another".to_owned())?;
    ensure(header("content-type") == "application/json", || "the body is declared as no JSON".to_owned())?;
    let fields = request.as_object().ok_or("the request is no object")?;
    if let Some(field) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(format!("unknown field {field}"));
    }
    ensure(request.get("model").and_then(Value::as_str) == Some(known.model), || "the model is another".to_owned())?;
    ensure(request.get("stream") == Some(&Value::Bool(true)), || "stream is not true".to_owned())?;
    ensure(request.pointer("/stream_options/include_usage") == Some(&Value::Bool(true)), || {
        "stream_options does not ask for usage".to_owned()
    })?;
    let limits = [request.get("max_tokens"), request.get("max_completion_tokens")];
    let output = match limits.map(|limit| limit.and_then(Value::as_u64)) {
        [Some(limit), None] | [None, Some(limit)] if limit > 0 => limit,
        _ => return Err("one of max_tokens and max_completion_tokens is wanted".to_owned()),
    };
    let offered = offers(request.get("tools"))?;
    known.names.extend(offered.iter().map(|name| (*name).to_owned()));
    ensure(request.get("tool_choice").is_none() || !offered.is_empty(), || "tool_choice without tools".to_owned())?;
    let messages = request.get("messages").and_then(Value::as_array).ok_or("messages is no list")?;
    conversation(messages, known.names)?;
    let size = size(request);
    ensure(u64::from(size) + output <= u64::from(known.window), || {
        format!("maximum context length is {} tokens; {size} and {output} for the answer were asked for", known.window)
    })
}

fn ensure(holds: bool, fault: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(fault()) }
}

/// Tokens of messages and tools, as the API counts them.
pub(super) fn size(request: &Value) -> u32 {
    let list = |name: &str| request.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let messages = list("messages").into_iter().map(|message| {
        let calls = message.get("tool_calls").and_then(Value::as_array).cloned().unwrap_or_default();
        let called: u32 = calls
            .iter()
            .filter_map(|call| call.get("function"))
            .map(|function| text(function, "name") + text(function, "arguments") + 8)
            .sum();
        text(&message, "content") + called + 4
    });
    let tools = list("tools").into_iter().filter_map(|tool| tool.get("function").cloned()).map(|function| {
        let parameters = function.get("parameters").map_or(0, |parameters| tokens(&parameters.to_string()));
        text(&function, "name") + text(&function, "description") + parameters + 8
    });
    messages.chain(tools).sum::<u32>() + 3
}

fn text(value: &Value, name: &str) -> u32 {
    value.get(name).and_then(Value::as_str).map_or(0, tokens)
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
}

fn offers(tools: Option<&Value>) -> Result<Vec<&str>, String> {
    let Some(tools) = tools else { return Ok(Vec::new()) };
    let tools = tools.as_array().filter(|tools| !tools.is_empty()).ok_or("tools is no list, or an empty one")?;
    let mut names = Vec::new();
    for tool in tools {
        ensure(tool.get("type").and_then(Value::as_str) == Some("function"), || "a tool is no function".to_owned())?;
        let function = tool.get("function").ok_or("a tool has no function")?;
        let name = function
            .get("name")
            .and_then(Value::as_str)
            .filter(|name| is_name(name))
            .ok_or("a tool has no proper name")?;
        ensure(!names.contains(&name), || format!("two tools are named {name}"))?;
        let description = function.get("description").and_then(Value::as_str).unwrap_or_default();
        ensure((1..=1024).contains(&description.len()), || {
            format!("the description of {name} is empty or over 1024 bytes")
        })?;
        let parameters = function.get("parameters").ok_or_else(|| format!("{name} has no parameters"))?;
        ensure(parameters.get("type").and_then(Value::as_str) == Some("object"), || {
            format!("the parameters of {name} are no object")
        })?;
        schema(parameters, name)?;
        names.push(name);
    }
    Ok(names)
}

/// A JSON Schema in the words that providers take.
fn schema(schema: &Value, path: &str) -> Result<(), String> {
    let object = schema.as_object().ok_or_else(|| format!("{path}: a schema is no object"))?;
    if let Some(word) = object.keys().find(|word| word.starts_with('$')) {
        return Err(format!("{path}: {word} is not understood"));
    }
    let kind = object.get("type").and_then(Value::as_str);
    ensure(kind.is_none_or(|kind| KINDS.contains(&kind)), || format!("{path}: {kind:?} is no type"))?;
    if let Some(words) = object.get("enum") {
        ensure(words.as_array().is_some_and(|words| !words.is_empty()), || format!("{path}: an enum without words"))?;
    }
    let empty = serde_json::Map::new();
    let properties = object.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    for required in object.get("required").and_then(Value::as_array).into_iter().flatten() {
        let known = required.as_str().is_some_and(|required| properties.contains_key(required));
        ensure(known, || format!("{path}: {required} is required and no property"))?;
    }
    for (name, property) in properties {
        self::schema(property, &format!("{path}.{name}"))?;
    }
    if kind == Some("array") {
        self::schema(
            object.get("items").ok_or_else(|| format!("{path}: a list without items"))?,
            &format!("{path}[]"),
        )?;
    }
    let parts = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|word| object.get(word)).filter_map(Value::as_array);
    for part in parts.flatten() {
        self::schema(part, path)?;
    }
    Ok(())
}

/// Roles, their order, and that each call has exactly one result.
fn conversation(messages: &[Value], names: &BTreeSet<String>) -> Result<(), String> {
    let mut open: Vec<String> = Vec::new();
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let mut role_before = "";
    for (index, message) in messages.iter().enumerate() {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        let content = message.get("content").filter(|content| !content.is_null());
        let content = match content {
            None => None,
            Some(Value::String(text)) => Some(text.as_str()),
            Some(_) => return Err(format!("messages[{index}]: the content is no text")),
        };
        if role != "tool" {
            ensure(open.is_empty(), || format!("messages[{index}]: tool_calls {open:?} have no result"))?;
        }
        match role {
            "system" => ensure(index == 0, || format!("messages[{index}]: system in the middle"))?,
            "user" => {
                ensure(content.is_some_and(|text| !text.is_empty()), || {
                    format!("messages[{index}]: user says nothing")
                })?;
                ensure(matches!(role_before, "system" | "assistant"), || {
                    format!("messages[{index}]: unexpected role user after role {role_before}")
                })?;
            }
            "assistant" => {
                let calls = message.get("tool_calls").and_then(Value::as_array).cloned().unwrap_or_default();
                let says = content.is_some_and(|text| !text.is_empty());
                ensure(says || !calls.is_empty(), || format!("messages[{index}]: assistant says and calls nothing"))?;
                for call in calls {
                    let id = called(&call, index, names)?;
                    ensure(ids.insert(id.clone()), || format!("messages[{index}]: the id {id} twice"))?;
                    open.push(id);
                }
            }
            "tool" => {
                let id = message.get("tool_call_id").and_then(Value::as_str).unwrap_or_default();
                let place = open.iter().position(|open| open == id);
                let place = place
                    .ok_or_else(|| format!("messages[{index}]: a result of {id:?}, which was not called or has one"))?;
                open.remove(place);
                ensure(content.is_some_and(|text| !text.is_empty()), || format!("messages[{index}]: an empty result"))?;
            }
            other => return Err(format!("messages[{index}]: the role {other:?} is unknown")),
        }
        ensure(index > 0 || role == "system", || "the first message is not system".to_owned())?;
        role_before = role;
    }
    ensure(open.is_empty(), || format!("tool_calls {open:?} have no result"))?;
    ensure(matches!(role_before, "user" | "tool"), || format!("the last message is of {role_before:?}"))
}

/// The id of a call that is as it should be.
fn called(call: &Value, index: usize, names: &BTreeSet<String>) -> Result<String, String> {
    let fault = |what: &str| format!("messages[{index}]: a call {what}: {call}");
    ensure(call.get("type").and_then(Value::as_str) == Some("function"), || fault("is no function"))?;
    let id = call.get("id").and_then(Value::as_str).filter(|id| (1..=64).contains(&id.len()));
    let id = id.ok_or_else(|| fault("has no proper id"))?;
    let name = call.pointer("/function/name").and_then(Value::as_str).filter(|name| is_name(name));
    let name = name.ok_or_else(|| fault("has no proper name"))?;
    ensure(names.contains(name), || fault("has a name that was neither offered nor called"))?;
    let arguments = call.pointer("/function/arguments").and_then(Value::as_str).unwrap_or_default();
    let arguments: Value = serde_json::from_str(arguments).map_err(|_| fault("has arguments that are no JSON"))?;
    ensure(arguments.is_object(), || fault("has arguments that are no object"))?;
    Ok(id.to_owned())
}
