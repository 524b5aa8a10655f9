//! Alerts about no particular object.

use marple_core::{Labels, ObjectRef};

/// The key by which an alert is grouped that names no object, or only a namespace: its name with its namespace and job.
/// Different alerts of one namespace need not have one cause.
pub fn group(name: &str, subject: Option<&ObjectRef>, labels: &Labels) -> Option<String> {
    if subject.is_some_and(|object| !object.is("Namespace")) {
        return None;
    }
    let namespace = subject.map_or_else(|| labels.get("namespace").unwrap_or_default(), |object| &object.name);
    Some(format!("{name}\u{1f}{namespace}\u{1f}{}", labels.get("job").unwrap_or_default()))
}
