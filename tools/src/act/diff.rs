//! What differs between an object before and after a change.

use marple_core::hex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use similar::TextDiff;

use crate::view;

/// Lines that are shown around a change.
const CONTEXT: usize = 3;

/// The object as a change is judged by: what is wanted of it, without its status and the server's own bookkeeping.
pub(super) fn wanted(object: &Value) -> Value {
    let mut object = view::trimmed(object);
    if let Value::Object(fields) = &mut object {
        fields.remove("status");
    }
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("generation");
    }
    object
}

/// The lines that differ, with some around them; empty where none does.
pub(super) fn lines(before: &Value, after: &Value) -> String {
    let (before, after) = (view::yaml(before), view::yaml(after));
    let diff = TextDiff::from_lines(&before, &after);
    diff.unified_diff().context_radius(CONTEXT).to_string()
}

/// What a change is told apart from others by.
pub(super) fn digest(told: &Value) -> String {
    hex(&Sha256::digest(told.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_keeps_for_itself_is_no_difference() {
        let object = |generation, replicas, version| {
            json!({"kind": "Deployment", "metadata": {"name": "cart", "resourceVersion": version, "generation": generation,
                "managedFields": [{"time": version}]}, "spec": {"replicas": replicas}, "status": {"replicas": generation}})
        };
        assert_eq!(lines(&wanted(&object(1, 2, "5")), &wanted(&object(2, 2, "6"))), "");
        assert_eq!(
            lines(&wanted(&object(1, 2, "5")), &wanted(&object(2, 3, "6"))),
            "@@ -2,4 +2,4 @@\n metadata:\n   name: cart\n spec:\n-  replicas: 2\n+  replicas: 3\n"
        );
    }
}
