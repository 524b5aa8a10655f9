//! Which calls were made already.

use marple_core::EvidenceId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The call whose result stands in the conversation.
    pub(super) call: String,
    /// What it left.
    pub(super) evidence: Option<EvidenceId>,
    /// In how many turns it was asked for.
    pub(super) times: u32,
    /// In which it was last.
    pub(super) turn: u32,
    /// Whether it may be made again, for a backend failed or it was cut short.
    pub(super) again: bool,
}

/// The same for calls that mean the same: whatever the order of the arguments, and whether empty ones are written.
pub(super) fn key(name: &str, arguments: &Map<String, Value>) -> String {
    format!("{name} {}", sorted(arguments))
}

fn sorted(object: &Map<String, Value>) -> Value {
    let mut fields: Vec<(&String, &Value)> = object
        .iter()
        .filter(|(_, value)| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        })
        .collect();
    fields.sort_by_key(|(name, _)| *name);
    let plain = |value: &Value| match value {
        Value::Object(inner) => sorted(inner),
        other => other.clone(),
    };
    Value::Object(fields.into_iter().map(|(name, value)| (name.clone(), plain(value))).collect())
}
