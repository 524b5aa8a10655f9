//! What changed before and during an incident.

use jiff::Timestamp;
use marple_core::ObjectRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One change of one object. Status is not part of it: it changes without anybody's doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When it was seen.
    pub at: Timestamp,
    /// The object.
    pub object: ObjectRef,
    /// The object before; absent where it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The object after; absent where it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}
