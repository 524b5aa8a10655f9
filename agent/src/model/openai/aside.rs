//! What servers give beside words and calls and want back: signatures, and thinking that was broken off by a call.

use serde_json::{Map, Value, json};

use super::super::Message;
use super::dialect::Dialect;

/// Fields of a message that go back as they came: OpenRouter's `reasoning_details`, LiteLLM's `thinking_blocks`, Gemini's
/// `extra_content`.
const FIELDS: [&str; 3] = ["reasoning_details", "thinking_blocks", "extra_content"];
/// What Gemini lets pass for the signature of a call that it has not made (its documentation of thought signatures).
const NO_SIGNATURE: &str = "skip_thought_signature_validator";
/// Fields of a call that are read, and fields of its function.
const OF_CALL: [&str; 4] = ["index", "id", "type", "function"];
const OF_FUNCTION: [&str; 2] = ["name", "arguments"];

/// Keeps what a piece of a message has beside words and calls.
pub(super) fn keep_message(kept: &mut Map<String, Value>, delta: &Value) {
    for name in FIELDS {
        match delta.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(pieces)) => {
                let list = kept.entry(name).or_insert_with(|| json!([]));
                for piece in pieces {
                    append(list, piece);
                }
            }
            Some(value) => drop(kept.insert(name.to_owned(), value.clone())),
        }
    }
}

/// Keeps what a piece of a call has beside what is read of it.
pub(super) fn keep_call(kept: &mut Map<String, Value>, piece: &Value) {
    let others = |value: Option<&Value>, read: &[&str]| {
        let fields = value.and_then(Value::as_object).into_iter().flatten();
        let others = fields.filter(|(name, value)| !read.contains(&name.as_str()) && !value.is_null());
        others.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>()
    };
    kept.extend(others(Some(piece), &OF_CALL));
    let of_function = others(piece.get("function"), &OF_FUNCTION);
    if !of_function.is_empty() {
        kept.insert("function".to_owned(), Value::Object(of_function));
    }
}

/// Puts back, into a message as it is written, what belongs to it.
pub(super) fn add(written: &mut Value, message: &Message, model: &str, dialect: &Dialect) {
    if dialect.short_ids.is() {
        shorten_ids(written);
    }
    let Message::Assistant { calls, aside, .. } = message else { return };
    let Some(fields) = written.as_object_mut() else { return };
    let aside = aside.as_deref().filter(|aside| aside.model == model);
    if let Some(aside) = aside.filter(|_| !dialect.no_aside.is()) {
        fields.extend(aside.fields.clone());
    }
    if dialect.wants_thinking.is() && !calls.is_empty() {
        let thinking = aside.map_or("", |aside| aside.thinking.as_str());
        fields.insert("reasoning_content".to_owned(), Value::String(thinking.to_owned()));
    }
    let written = fields.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten();
    for (place, (written, call)) in written.zip(calls).enumerate() {
        let extra = aside.filter(|_| !dialect.no_aside.is()).and_then(|aside| aside.calls.get(&call.id));
        add_to_call(written, extra);
        // Of calls at once the first alone bears a signature.
        if place == 0 && dialect.wants_signature.is() && !has_signature(written) {
            let signature = json!({ "google": { "thought_signature": NO_SIGNATURE } });
            if let Some(call) = written.as_object_mut() {
                call.insert("extra_content".to_owned(), signature);
            }
        }
    }
}

fn add_to_call(written: &mut Value, extra: Option<&Map<String, Value>>) {
    for (name, value) in extra.into_iter().flatten() {
        let place = if name == "function" { written.get_mut("function") } else { None };
        match (place.and_then(Value::as_object_mut), value) {
            (Some(function), Value::Object(others)) => function.extend(others.clone()),
            _ => {
                if let Some(call) = written.as_object_mut() {
                    call.insert(name.clone(), value.clone());
                }
            }
        }
    }
}

fn has_signature(call: &Value) -> bool {
    call.pointer("/extra_content/google/thought_signature").is_some()
}

/// Appends a piece of a list that comes in pieces: what has the place and kind of the last goes on where that ended.
fn append(list: &mut Value, piece: &Value) {
    const GROWING: [&str; 5] = ["text", "summary", "thinking", "data", "signature"];
    let Some(list) = list.as_array_mut() else { return };
    let goes_on = list.last().is_some_and(|last| {
        let same = |name: &str| last.get(name) == piece.get(name);
        let signed = last.get("signature").and_then(Value::as_str).is_some_and(|signature| !signature.is_empty());
        same("type") && same("index") && !(signed && piece.get("signature").is_none())
    });
    match (list.last_mut().and_then(Value::as_object_mut), piece) {
        (Some(before), Value::Object(piece)) if goes_on => {
            for (name, value) in piece {
                match (before.get_mut(name), value) {
                    (_, Value::Null) => {}
                    (Some(Value::String(begun)), Value::String(more)) if GROWING.contains(&name.as_str()) => {
                        begun.push_str(more);
                    }
                    _ => drop(before.insert(name.clone(), value.clone())),
                }
            }
        }
        _ => list.push(piece.clone()),
    }
}

/// Nine letters and digits for each id, the same for the same.
fn shorten_ids(written: &mut Value) {
    let shorten = |id: Option<&mut Value>| {
        if let Some(Value::String(id)) = id {
            *id = short(id);
        }
    };
    shorten(written.get_mut("tool_call_id"));
    for call in written.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
        shorten(call.get_mut("id"));
    }
}

/// An id that has the form stays; of another, its hash (FNV-1a, 64 bits) in base 36.
fn short(id: &str) -> String {
    const DIGITS: [char; 36] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l',
        'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    ];
    if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return id.to_owned();
    }
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut rest = id.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
    let mut digits = String::new();
    for _ in 0..9 {
        let digit = usize::try_from(rest % 36).unwrap_or_default();
        digits.extend(DIGITS.get(digit));
        rest /= 36;
    }
    digits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::super::super::{Aside, ModelConfig, ToolCall};
    use super::*;

    fn message(model: &str) -> (Value, Message) {
        let call = ToolCall { id: "call_1".to_owned(), name: "logs".to_owned(), arguments: Map::new() };
        let extra = json!({"extra_content": {"google": {"thought_signature": "c2ln"}}, "function": {"x": 1}});
        let aside = Aside {
            model: model.to_owned(),
            thinking: "hm".to_owned(),
            fields: json!({"reasoning_details": [1]}).as_object().unwrap().clone(),
            calls: BTreeMap::from([("call_1".to_owned(), extra.as_object().unwrap().clone())]),
        };
        let written = json!({"role": "assistant", "tool_calls": [{"id": "call_1", "function": {"name": "logs"}}]});
        (written, Message::Assistant { content: String::new(), calls: vec![call], aside: Some(Box::new(aside)) })
    }

    fn dialect() -> Dialect {
        let config: ModelConfig = serde_json::from_value(json!({"name": "m"})).unwrap();
        Dialect::of(&config, &"http://models/v1".parse().unwrap())
    }

    #[test]
    fn what_a_model_gave_goes_back_to_it_and_to_no_other() {
        let (mut written, message) = message("m");
        let as_it_was = written.clone();
        add(&mut written, &message, "another", &dialect());
        assert_eq!(written, as_it_was);
        add(&mut written, &message, "m", &dialect());
        let call = json!({"id": "call_1", "function": {"name": "logs", "x": 1},
            "extra_content": {"google": {"thought_signature": "c2ln"}}});
        assert_eq!(written, json!({"role": "assistant", "tool_calls": [call], "reasoning_details": [1]}));
    }

    #[test]
    fn a_server_gets_what_it_misses() {
        let dialect = dialect();
        dialect.learn("missing reasoning_content", true);
        dialect.learn("missing a thought_signature", true);
        dialect.learn("tool call id must have a length of 9", true);
        let (mut written, message) = message("another");
        add(&mut written, &message, "m", &dialect);
        assert_eq!(written["reasoning_content"], "");
        assert_eq!(written["tool_calls"][0]["extra_content"]["google"]["thought_signature"], NO_SIGNATURE);
        let id = written["tool_calls"][0]["id"].as_str().unwrap().to_owned();
        assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        let mut result = json!({"role": "tool", "tool_call_id": "call_1"});
        let message = Message::Tool { call: "call_1".to_owned(), content: String::new() };
        add(&mut result, &message, "m", &dialect);
        assert_eq!(result["tool_call_id"], id);
    }
}
