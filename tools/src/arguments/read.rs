//! Reading of arguments by their schema.

use serde_json::{Map, Number, Value};

use crate::near::nearest;

/// The object that the arguments are, also where it came as a string, or not at all.
pub(super) fn object(arguments: Value) -> Result<Map<String, Value>, String> {
    match arguments {
        Value::Null => Ok(Map::new()),
        Value::Object(object) => Ok(object),
        Value::String(text) if text.trim().is_empty() => Ok(Map::new()),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(format!("the arguments are {}; a JSON object is wanted", shown(&Value::String(text)))),
            Err(error) => Err(format!("the arguments are no JSON: {error}")),
        },
        other => Err(format!("the arguments are {}; a JSON object is wanted", shown(&other))),
    }
}

/// The fields of an object, each as its schema wants it. `path` is where the object stands, with a dot at its end.
pub(super) fn fields(schema: &Value, object: Map<String, Value>, path: &str) -> Result<Map<String, Value>, String> {
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut read = Map::new();
    for (name, value) in object {
        let Some(property) = properties.get(&name) else {
            return Err(unknown(&name, properties, &required, path));
        };
        let nothing = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        if !nothing {
            let value = value_of(property, value, &format!("{path}{name}"))?;
            read.insert(name, value);
        }
    }
    let missing: Vec<&str> = required.into_iter().filter(|name| !read.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Err(absent(&missing, properties, path));
    }
    Ok(read)
}

/// All that is missing at once: each answer in vain costs a model another turn.
fn absent(missing: &[&str], properties: &Map<String, Value>, path: &str) -> String {
    let described =
        |name: &str| properties.get(name).and_then(|property| property.get("description")).and_then(Value::as_str);
    match missing {
        [name] => match described(name) {
            Some(what) => format!("argument `{path}{name}` is missing: {what}"),
            None => format!("argument `{path}{name}` is missing"),
        },
        names => {
            let told = names.iter().map(|name| match described(name) {
                Some(what) => format!("`{path}{name}` ({})", what.trim_end_matches('.')),
                None => format!("`{path}{name}`"),
            });
            format!("arguments are missing: {}", told.collect::<Vec<_>>().join(", "))
        }
    }
}

fn unknown(name: &str, properties: &Map<String, Value>, required: &[&str], path: &str) -> String {
    let near = nearest(name, properties.keys().map(String::as_str), 1);
    let meant = near.first().map(|near| format!("did you mean `{path}{near}`? ")).unwrap_or_default();
    let all = properties
        .keys()
        .map(|name| if required.contains(&name.as_str()) { format!("{name} (required)") } else { name.clone() })
        .collect::<Vec<_>>()
        .join(", ");
    if all.is_empty() {
        return format!("there is no argument `{path}{name}`; it takes none");
    }
    format!("there is no argument `{path}{name}`; {meant}the arguments are {all}")
}

fn value_of(schema: &Value, value: Value, path: &str) -> Result<Value, String> {
    if let Some(Value::Array(words)) = schema.get("enum") {
        return choice(words, &value, path);
    }
    match (schema.get("type").and_then(Value::as_str), value) {
        (Some("integer"), value) => {
            let low = schema.get("minimum").and_then(Value::as_i64);
            let fits = |number: &Value| low.is_none_or(|low| number.as_i64().is_none_or(|number| number >= low));
            let wanted = || match low {
                Some(low) => format!("argument `{path}` is {}; a whole number from {low} on is wanted", shown(&value)),
                None => format!("argument `{path}` is {}; a whole number is wanted", shown(&value)),
            };
            whole(&value).filter(fits).ok_or_else(wanted)
        }
        (Some("number"), value) => {
            number(&value).ok_or_else(|| format!("argument `{path}` is {}; a number is wanted", shown(&value)))
        }
        (Some("boolean"), value) => {
            boolean(&value).ok_or_else(|| format!("argument `{path}` is {}; true or false is wanted", shown(&value)))
        }
        (Some("string"), value @ Value::String(_)) => Ok(value),
        (Some("string"), value @ (Value::Number(_) | Value::Bool(_))) => Ok(Value::String(value.to_string())),
        (Some("string"), value) => Err(format!("argument `{path}` is {}; a string is wanted", shown(&value))),
        (Some("array"), value) => list(schema.get("items").unwrap_or(&Value::Null), value, path),
        (Some("object"), Value::Object(object)) if schema.get("properties").is_some() => {
            fields(schema, object, &format!("{path}.")).map(Value::Object)
        }
        (Some("object"), value @ Value::Object(_)) => Ok(value),
        (Some("object"), Value::String(text)) => match serde_json::from_str(&text) {
            Ok(value @ Value::Object(_)) => value_of(schema, value, path),
            _ => Err(format!("argument `{path}` is {}; a JSON object is wanted", shown(&Value::String(text)))),
        },
        (Some("object"), value) => Err(format!("argument `{path}` is {}; a JSON object is wanted", shown(&value))),
        (_, value) => Ok(value),
    }
}

fn choice(words: &[Value], value: &Value, path: &str) -> Result<Value, String> {
    let same = |word: &&Value| match (word, value) {
        (Value::String(word), Value::String(value)) => word.eq_ignore_ascii_case(value.trim()),
        (word, value) => *word == value,
    };
    words.iter().find(same).cloned().ok_or_else(|| {
        let words = words.iter().map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned));
        format!("argument `{path}` is {}; one of {} is wanted", shown(value), words.collect::<Vec<_>>().join(", "))
    })
}

fn list(items: &Value, value: Value, path: &str) -> Result<Value, String> {
    let values = match value {
        Value::Array(values) => values,
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Array(values)) => values,
            _ => vec![Value::String(text)],
        },
        other => vec![other],
    };
    let each = values.into_iter().enumerate().map(|(index, value)| value_of(items, value, &format!("{path}[{index}]")));
    each.collect::<Result<_, _>>().map(Value::Array)
}

#[expect(clippy::cast_possible_truncation, reason = "the value is whole and within the range that floats hold exactly")]
fn whole(value: &Value) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) if number.is_f64() => number
            .as_f64()
            .filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)
            .map(|number| Value::from(number as i64)),
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => {
            let text = text.trim();
            text.parse::<u64>().map(Value::from).or_else(|_| text.parse::<i64>().map(Value::from)).ok()
        }
        _ => None,
    }
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => text.trim().parse().ok().and_then(Number::from_f64).map(Value::Number),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(Value::Bool(true)),
            "false" | "no" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        Value::Number(number) => match number.as_u64() {
            Some(0) => Some(Value::Bool(false)),
            Some(1) => Some(Value::Bool(true)),
            _ => None,
        },
        _ => None,
    }
}

/// What came, short enough for a message.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 { text } else { format!("{}…", text.chars().take(79).collect::<String>()) }
}
