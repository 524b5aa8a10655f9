//! The payload of Robusta's forwarder.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The fields that `events.k8s.io/v1` has under other names than `v1`.
const EVENT: [(&str, &str); 5] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("deprecatedCount", "count"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
];

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// It was made.
    Create,
    /// It was written.
    Update,
    /// It is gone.
    Delete,
}

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// What.
    pub operation: Operation,
    /// The object's kind.
    pub kind: String,
    /// The object as it is, or was last.
    pub object: Value,
    /// As it was before an update.
    pub before: Option<Value>,
}

/// A payload that can't be used, and where in it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{pointer}: {reason}")]
pub struct HappeningError {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// Why.
    pub reason: String,
}

/// A `CloudEvent` as far as it is used.
#[derive(Deserialize)]
struct Event {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    operation: Operation,
    kind: String,
    obj: Map<String, Value>,
    #[serde(default)]
    old_obj: Option<Map<String, Value>>,
}

impl Happening {
    /// Reads a payload. Nothing where it tells of what isn't looked at: Secrets, whose values may be in it, and events that
    /// are no warnings.
    pub fn read(body: &[u8]) -> Result<Option<Self>, HappeningError> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let event: Event = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let pointer = if path == "." { String::new() } else { format!("/{}", path.replace('.', "/")) };
            HappeningError { pointer, reason: error.into_inner().to_string() }
        })?;
        let Data { operation, kind, mut obj, old_obj } = event.data;
        let named =
            |name: &str| obj.get("metadata").and_then(|metadata| metadata.get(name)).is_some_and(Value::is_string);
        if !named("name") {
            let pointer = "/data/obj/metadata/name".to_owned();
            return Err(HappeningError { pointer, reason: "the object has no name".to_owned() });
        }
        if kind == "Secret" || kind == "Event" && obj.get("type").and_then(Value::as_str) != Some("Warning") {
            return Ok(None);
        }
        if kind == "Event" {
            for (name, core) in EVENT {
                if let Some(value) = obj.remove(name) {
                    obj.entry(core).or_insert(value);
                }
            }
        }
        // An empty object stands for none.
        let before = old_obj.filter(|before| !before.is_empty()).map(Value::Object);
        Ok(Some(Self { operation, kind, object: Value::Object(obj), before }))
    }
}
