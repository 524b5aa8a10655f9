//! One entry of a payload: where its fault is.

use jiff::Timestamp;
use marple_core::Fingerprint;
use serde_json::Value;

use super::PayloadFault;
use crate::store::Quarantined;

/// How much of an unusable entry is kept, in bytes.
const KEPT: usize = 16 << 10;

/// What a JSON value is called.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Checks the fields that alerts and signals have in common, whose names differ; finds the first fault.
pub(super) fn check(entry: &Value, pointer: &str, starts_at: &str, ends_at: &str) -> Result<(), PayloadFault> {
    let Value::Object(fields) = entry else {
        return Err(PayloadFault::at(pointer, format!("an entry is an object, this is {}", kind(entry))));
    };
    let at = |field: &str| format!("{pointer}/{field}");
    match fields.get("status").and_then(Value::as_str) {
        Some("firing" | "resolved") => {}
        Some(other) => {
            return Err(PayloadFault::at(at("status"), format!("the status is firing or resolved, not {other:?}")));
        }
        None => return Err(PayloadFault::at(at("status"), "the status is missing; it is firing or resolved")),
    }
    for name in ["labels", "annotations"] {
        let Some(set) = fields.get(name) else { continue };
        let Value::Object(set) = set else {
            return Err(PayloadFault::at(at(name), format!("{name} are an object, this is {}", kind(set))));
        };
        if let Some((label, value)) = set.iter().find(|(_, value)| !value.is_string()) {
            let pointer = format!("{}/{}", at(name), escaped(label));
            return Err(PayloadFault::at(pointer, format!("a value is a string, this is {}", kind(value))));
        }
    }
    for (field, required) in [(starts_at, true), (ends_at, false)] {
        match fields.get(field) {
            None | Some(Value::Null) if !required => {}
            Some(Value::String(text)) if text.parse::<Timestamp>().is_ok() => {}
            Some(other) => {
                return Err(PayloadFault::at(at(field), format!("a time is as 2026-01-31T12:00:00Z, not {other}")));
            }
            None => return Err(PayloadFault::at(at(field), format!("{field} is missing"))),
        }
    }
    if let Some(text) = fields.get("fingerprint").and_then(Value::as_str)
        && let Err(error) = text.parse::<Fingerprint>()
    {
        return Err(PayloadFault::at(at("fingerprint"), error.to_string()));
    }
    Ok(())
}

/// An unusable entry, to be kept aside.
pub(super) fn aside(origin: &'static str, fault: PayloadFault, entry: &Value) -> Quarantined {
    let mut body = entry.to_string();
    body.truncate(body.floor_char_boundary(KEPT));
    Quarantined { origin, reason: fault.reason, pointer: fault.pointer, body }
}

/// A name as part of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
