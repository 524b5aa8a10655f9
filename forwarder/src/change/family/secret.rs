//! Secrets, of which only metadata is read: names, keys and when they were written. And the releases of Helm, which it
//! keeps in Secrets, a revision each.

use std::collections::BTreeSet;

use marple_core::{FieldChange, ObjectRef};

use crate::change::trim::Trim;

/// Secrets.
pub(super) fn trim(trim: &mut Trim<'_>) {
    if trim.label("owner") == Some("helm") && trim.name().starts_with("sh.helm.release.") {
        return release(trim);
    }
    // Tokens are renewed by themselves.
    if trim.annotation("kubernetes.io/service-account.name").is_some() {
        return trim.ignore();
    }
    let mut keys = BTreeSet::new();
    let mut written = None;
    for entry in trim.managed_fields().into_iter().flatten() {
        let data = entry.fields_v1.as_ref().and_then(|fields| fields.0.get("f:data")?.as_object());
        let Some(data) = data else { continue };
        keys.extend(data.keys().filter_map(|key| key.strip_prefix("f:")));
        written = written.max(entry.time.as_ref().map(|time| time.0));
    }
    for key in keys {
        trim.field(format!("data.{key}"), FieldChange::UNREAD);
    }
    if let Some(written) = written {
        trim.field("data", &format!("written {written}"));
    }
    trim.labels();
}

/// A revision of a release. That a later one took its place, and that old ones are dropped, is no change.
fn release(trim: &mut Trim<'_>) {
    let (Some(name), Some(namespace)) = (trim.label("name"), trim.namespace()) else { return trim.ignore() };
    trim.told_of(ObjectRef::namespaced("HelmRelease", namespace, name));
    trim.field("revision", trim.label("version").unwrap_or_default());
    let status = trim.label("status").unwrap_or_default();
    trim.field("status", if status == "superseded" { "deployed" } else { status });
}
