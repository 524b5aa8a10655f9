//! Short ways into objects that are held as JSON.

use jiff::Timestamp;
use serde_json::Value;

/// The string at a JSON pointer, where it is one and not empty.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// The whole number at a JSON pointer.
pub(crate) fn number(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer)?.as_i64()
}

/// Whether there is a `true` at a JSON pointer.
pub(crate) fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

/// The time at a JSON pointer.
pub(crate) fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    text(value, pointer)?.parse().ok()
}

/// The items of the list at a JSON pointer; none where there is no list.
pub(crate) fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// The names and values of the object at a JSON pointer.
pub(crate) fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// A scalar as people write it: a string without quotes.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Names and values as `a=1, b=2`, in the order of the names.
pub(crate) fn pairs(value: &Value, pointer: &str) -> String {
    let mut pairs: Vec<String> =
        entries(value, pointer).map(|(name, value)| format!("{name}={}", plain(value))).collect();
    pairs.sort_unstable();
    pairs.join(", ")
}

/// The object's name.
pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name").unwrap_or_default()
}

/// The object's namespace.
pub(crate) fn namespace(object: &Value) -> Option<&str> {
    text(object, "/metadata/namespace")
}

/// Whether the object is controlled by the owner with this identifier.
pub(crate) fn is_controlled_by(object: &Value, uid: &str) -> bool {
    items(object, "/metadata/ownerReferences")
        .any(|owner| flag(owner, "/controller") && text(owner, "/uid") == Some(uid))
}
