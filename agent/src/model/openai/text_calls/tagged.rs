//! Calls between marks.

use serde_json::{Map, Value};

use super::super::super::{ToolOffer, WrittenCall};
use super::object::{meant, meant_by};

/// Marks around a call, or several; where the end is missing, it is that of the answer.
const MARKS: [(&str, &str); 4] = [
    ("<tool_call>", "</tool_call>"),
    ("<function_call>", "</function_call>"),
    ("[TOOL_CALLS]", "</s>"),
    ("<|python_tag|>", "<|eom_id|>"),
];
/// Marks that name the function.
const FUNCTION: (&str, &str) = ("<function=", "</function>");
const PARAMETER: (&str, &str) = ("<parameter=", "</parameter>");

/// The calls between marks, and where the first begins.
pub(super) fn calls(content: &str, offers: &[ToolOffer]) -> Option<(usize, Vec<WrittenCall>)> {
    let mut found: Vec<WrittenCall> = Vec::new();
    let mut first = None;
    let mut at = 0;
    while let Some((place, (open, close))) = next(content, at) {
        first.get_or_insert(place);
        let inside = content.get(place + open.len()..).unwrap_or_default();
        // Whole JSON ends where it ends: what it quotes may hold marks.
        if let Some((calls, end)) = whole(inside) {
            found.extend(calls);
            at = place + open.len() + end;
            continue;
        }
        // One that is not closed ends where the next begins.
        let end = [inside.find(close), inside.find(open)].into_iter().flatten().min().unwrap_or(inside.len());
        let text = inside.get(..end).unwrap_or_default();
        at = place + open.len() + end;
        match text.trim_start().strip_prefix(FUNCTION.0) {
            _ if open == FUNCTION.0 => found.push(function(text, offers)),
            Some(inner) => {
                let inner = inner.split_once(FUNCTION.1).map_or(inner, |(inner, _)| inner);
                found.push(function(inner, offers));
            }
            None => found.extend(meant(text)),
        }
    }
    first.map(|first| (first, found))
}

/// The calls in the JSON at the beginning of a text, and where it ends.
fn whole(text: &str) -> Option<(Vec<WrittenCall>, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut calls = Vec::new();
    let mut end = 0;
    while let Some(Ok(value @ (Value::Object(_) | Value::Array(_)))) = values.next() {
        end = values.byte_offset();
        calls.extend(meant_by(&value));
    }
    (!calls.is_empty()).then_some((calls, end))
}

/// The next mark from there on.
fn next(content: &str, from: usize) -> Option<(usize, (&'static str, &'static str))> {
    let rest = content.get(from..)?;
    let marks = MARKS.iter().chain(std::iter::once(&FUNCTION));
    marks.filter_map(|mark| Some((from + rest.find(mark.0)?, *mark))).min_by_key(|(place, _)| *place)
}

/// `NAME>{"of": "cart"}`, or `NAME><parameter=of>cart</parameter>`.
fn function(text: &str, offers: &[ToolOffer]) -> WrittenCall {
    let (name, rest) = text.split_once('>').unwrap_or((text, ""));
    let name = name.trim().trim_matches('"').to_owned();
    let arguments = if rest.contains(PARAMETER.0) {
        let schema = offers.iter().find(|offer| offer.name == name).map(|offer| &offer.parameters);
        Value::Object(parameters(rest, schema)).to_string()
    } else {
        rest.trim().to_owned()
    };
    WrittenCall { name, arguments, ..WrittenCall::default() }
}

fn parameters(text: &str, schema: Option<&Value>) -> Map<String, Value> {
    let mut parameters = Map::new();
    for piece in text.split(PARAMETER.0).skip(1) {
        let Some((name, value)) = piece.split_once('>') else { continue };
        let value = value.split_once(PARAMETER.1).map_or(value, |(value, _)| value).trim();
        let kind = schema.and_then(|schema| schema.pointer(&format!("/properties/{}/type", name.trim())));
        // What is to be a text may look like a number.
        let plain = kind.and_then(Value::as_str) == Some("string");
        let value = if plain { None } else { serde_json::from_str(value).ok() }.unwrap_or_else(|| Value::from(value));
        parameters.insert(name.trim().to_owned(), value);
    }
    parameters
}
