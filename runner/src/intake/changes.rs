//! Changes as a forwarder sends them.

use marple_core::{Change, FieldChange};
use marple_forwarder::change::Batch;
use marple_tools::Redact;

use super::PayloadFault;
use super::redact::after_name;

/// What stands in the place of a value that only differs in what was taken out of it.
const ANOTHER: &str = "another value";

/// Reads a batch of changes and states. It is kept whole or not at all: a change without its state would be told twice.
pub fn read_changes(body: &[u8]) -> Result<Batch, PayloadFault> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| PayloadFault::at_path(error.path(), format!("changes can't be read: {}", error.inner())))
}

/// Takes secrets out of what is shown of a batch, and gives its changes as they are kept, each with the identity that it
/// came with.
pub fn redacted_changes(batch: &mut Batch, redact: &dyn Redact) -> Vec<(i64, Change)> {
    let mut changes = Vec::with_capacity(batch.changes());
    for entry in &mut batch.entries {
        if let Some(state) = &mut entry.state {
            state.redact(&|path, text| after_path(path, text, redact));
        }
        for change in entry.changes.drain(..) {
            let identity = change.identity().bits().cast_signed();
            changes.push((identity, redacted(change, redact).bounded()));
        }
    }
    changes
}

fn redacted(mut change: Change, redact: &dyn Redact) -> Change {
    change.fields = change.fields.into_iter().map(|field| of_field(field, redact)).collect();
    change.by.why = change.by.why.map(|why| redact.redact(&why));
    change.by.circumstance = change.by.circumstance.map(|told| redact.redact(&told));
    change
}

fn of_field(FieldChange { path, before, after }: FieldChange, redact: &dyn Redact) -> FieldChange {
    let shown = |text: &Option<String>| text.as_ref().map(|text| after_path(&path, text, redact));
    let (old, new) = (shown(&before), shown(&after));
    let after = match (&old, new) {
        // What differs was taken out of both.
        (Some(old), Some(new)) if *old == new && before != after => Some(format!("{new} ({ANOTHER})")),
        (_, new) => new,
    };
    FieldChange { path, before: old, after }
}

/// A text without its secrets, where it is one that is shown.
fn after_path(path: &str, text: &str, redact: &dyn Redact) -> String {
    if FieldChange::is_unshown(text) { text.to_owned() } else { after_name(FieldChange::name_in(path), text, redact) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use marple_tools::redact::{RedactConfig, Redactor};
    use serde_json::{Value, json};

    use super::*;

    fn batch(fields: &Value) -> Batch {
        let change = json!({"cluster": "test", "object": {"kind": "ConfigMap", "namespace": "shop", "name": "settings"},
            "uid": "u", "version": "7", "at": "2026-01-02T03:04:05Z", "kind": "altered", "fields": fields,
            "by": {"manager": "kubectl-edit", "why": "token ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"}});
        let state = json!({"format": 1, "object": {"kind": "ConfigMap", "namespace": "shop", "name": "settings"}, "uid": "u",
            "version": "7", "fields": [{"path": "data.db_password", "digest": 5, "text": "hunter22x"}]});
        let entry = json!({"object": {"kind": "ConfigMap", "namespace": "shop", "name": "settings"}, "changes": [change], "state": state});
        read_changes(json!({"cluster": "test", "entries": [entry]}).to_string().as_bytes()).unwrap()
    }

    fn redacted(fields: &Value) -> (Batch, Vec<(i64, Change)>) {
        let redactor = Redactor::new(&RedactConfig::default()).unwrap();
        let mut batch = batch(fields);
        let changes = redacted_changes(&mut batch, &redactor);
        (batch, changes)
    }

    #[test]
    fn secrets_are_taken_out_of_changes_and_of_the_states_that_are_kept() {
        let pem = |body: &str| format!("a: 1\n-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\nb: 2\n");
        let (batch, changes) = redacted(&json!([
            {"path": "data.db_password", "before": "hunter22x", "after": "hunter33x"},
            {"path": "containers[app].env[API_TOKEN].value", "after": "q8Zk2LmV9xRt4Wb7"},
            {"path": "data.key.pem", "before": pem("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA"), "after": pem("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEB")},
            {"path": "data.timeout", "before": "5s", "after": "50ms"},
            {"path": "data.token", "after": "(a value)"},
        ]));
        let text = format!("{batch:?} {changes:?}");
        for secret in ["hunter22x", "hunter33x", "q8Zk2LmV9xRt4Wb7", "MIIEvQ", "ghp_a1B2"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(text.contains("(a value)") && text.contains("50ms") && text.contains("data.db_password"), "{text}");
    }

    #[test]
    fn a_change_keeps_the_identity_that_it_came_with() {
        let fields = json!([{"path": "data.app", "before": "a: 1\nb: 2\n", "after": "a: 1\nb: 3\n"}]);
        let came = batch(&fields).entries[0].changes[0].identity().bits().cast_signed();
        let (_, changes) = redacted(&fields);
        assert_eq!(changes[0].0, came);
        assert_eq!(changes[0].1.fields[0].to_string(), "data.app line 2: b: 2 → b: 3");
    }

    #[test]
    fn what_can_not_be_read_is_told_by_where_it_is() {
        let fault =
            read_changes(br#"{"cluster": "test", "entries": [{"object": {"kind": "A", "name": "b"}, "states": 1}]}"#)
                .unwrap_err();
        assert_eq!(fault.pointer, "/entries/0/states");
        assert!(fault.reason.starts_with("changes can't be read: unknown field `states`"), "{}", fault.reason);
        assert!(read_changes(b"[").unwrap_err().reason.contains("line 1"));
    }
}
