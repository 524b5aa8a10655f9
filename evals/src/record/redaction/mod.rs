//! Takes secrets out of what is recorded, before it is kept.

mod helm;
mod keyed;
mod log;
#[cfg(test)]
mod tests;

use marple_core::{Change, FieldChange, Labels, Signal};
use marple_tools::Redact;
use serde_json::{Map, Value};

use crate::bundle::{RecordedResource, Watched};
use crate::json::text;
use keyed::Names;

/// Secrets' values are replaced by filler of the same length, up to this many bytes of base64: their sizes are told,
/// as `kubectl describe` tells them, and nothing else.
const FILLER_LIMIT: usize = 8 * 1024;

/// Holds a copy of the whole object as it was applied, a Secret's values in clear among it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What tells beside a `value` what that is of: an environment variable, a header, a parameter.
const NAMES: [&str; 10] =
    ["name", "key", "field", "variable", "var", "param", "parameter", "env", "header", "property"];

/// Takes secrets out of objects, logs and JSON documents.
pub(super) struct Redaction<'a> {
    redact: &'a dyn Redact,
    names: Names,
}

impl<'a> Redaction<'a> {
    pub(super) fn new(redact: &'a dyn Redact) -> Self {
        Self { redact, names: Names::default() }
    }

    /// Takes secrets out of an object of the Kubernetes API.
    pub(super) fn object(&self, object: &mut Value) {
        let release = self.release(object);
        // What is filler already is no secret, whatever it stands under.
        let filled = match text(object, "/kind") {
            "Secret" => {
                conceal(object);
                "data"
            }
            // They may hold anything, key stores among it, and nobody reads them.
            "ConfigMap" => {
                fill(object, "binaryData");
                "binaryData"
            }
            _ => "",
        };
        let kept = object.get_mut(filled).map(Value::take);
        self.document(object);
        if let (Some(field), Some(kept)) = (object.get_mut(filled), kept) {
            *field = kept;
        }
        if let (Some(release), Some(field)) = (release, object.pointer_mut(helm::FIELD)) {
            *field = Value::String(release);
        }
    }

    /// Takes secrets out of a row of a table, of which each cell is named by its column.
    pub(super) fn row(&self, columns: &[Value], cells: &mut [Value]) {
        for (number, cell) in cells.iter_mut().enumerate() {
            let column = columns.get(number).map_or("", |column| text(column, "/name"));
            self.under(column, cell);
        }
    }

    /// Takes secrets out of what a watch told, whose row has the columns that its resource was listed with.
    pub(super) fn watched(&self, event: &mut Watched, resources: &[RecordedResource]) {
        let listed =
            resources.iter().find(|one| one.group_version == event.group_version && one.resource == event.resource);
        self.object(&mut event.object);
        self.row(listed.map_or(&[], |one| &one.columns), &mut event.cells);
    }

    /// Takes secrets out of a JSON document: of every text, by the name that it stands under, as they would be taken out
    /// of the document written as a text. A copy of an object as it was applied is redacted as an object wherever it stands:
    /// templates and revisions of workloads have them too.
    pub(super) fn document(&self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.document(value)),
            Value::Object(map) => {
                self.beside(map);
                for (name, value) in map.iter_mut() {
                    match value {
                        Value::String(text) if name == LAST_APPLIED => *text = self.applied(text),
                        Value::Object(_) => self.document(value),
                        Value::Array(values) if values.iter().any(|value| value.is_object() || value.is_array()) => {
                            self.document(value);
                        }
                        _ => self.under(name, value),
                    }
                }
            }
            _ => self.under("", value),
        }
    }

    /// The same, but names of labels tell nothing: a label `secret` names a Secret, and is the same in every series.
    pub(super) fn monitoring(&self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.monitoring(value)),
            Value::Object(map) => {
                for (name, value) in map.iter_mut() {
                    match value {
                        Value::Object(labels) if name.ends_with("abels") => {
                            labels.values_mut().for_each(|value| self.under("", value));
                        }
                        Value::Object(_) | Value::Array(_) => self.monitoring(value),
                        _ => self.under(name, value),
                    }
                }
            }
            _ => self.under("", value),
        }
    }

    /// Takes secrets out of a signal's labels and annotations.
    pub(super) fn signal(&self, signal: &mut Signal) {
        for labels in [&mut signal.labels, &mut signal.annotations] {
            *labels = labels.iter().map(|(name, value)| (name, self.text(value))).collect::<Labels>();
        }
    }

    /// Takes secrets out of a change's values, by the name of the field.
    pub(super) fn change(&self, change: &mut Change) {
        for field in &mut change.fields {
            let name = FieldChange::name_in(&field.path);
            let values = [&mut field.before, &mut field.after].into_iter().flatten();
            for value in values.filter(|value| !FieldChange::is_unshown(value)) {
                *value = self.named(name, value);
            }
        }
        for told in [&mut change.by.why, &mut change.by.circumstance].into_iter().flatten() {
            *told = self.text(told);
        }
    }

    /// Takes secrets out of a text, as a label's value. Its name tells nothing: a label `secret` names a Secret.
    pub(super) fn text(&self, text: &str) -> String {
        self.redact.redact(text)
    }

    /// The object as it was applied, redacted as an object is; where it is none, as text.
    fn applied(&self, text: &str) -> String {
        let Ok(known) = serde_json::from_str::<Value>(text) else { return self.redact.redact(text) };
        let mut object = known.clone();
        self.object(&mut object);
        if object == known {
            // As it stands: kubectl writes some letters otherwise.
            return text.to_owned();
        }
        // kubectl ends it with a line feed.
        format!("{object}{}", if text.ends_with('\n') { "\n" } else { "" })
    }

    /// An environment variable, or whatever else has a name and a value.
    fn beside(&self, map: &mut Map<String, Value>) {
        let named = NAMES.iter().find_map(|label| Some((*label, map.get(*label)?.as_str()?.to_owned())));
        if let Some((label, name)) = named
            && let Some(Value::String(value)) = map.get_mut("value")
            && let Some(clean) = self.names.beside(self.redact, label, &name, value)
        {
            *value = clean;
        }
    }

    /// A value that is no mapping, under a name.
    fn under(&self, name: &str, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(clean) = self.redact.without_secrets(text) {
                    *text = clean;
                }
                if let Some(clean) = self.names.under(self.redact, name, text) {
                    *text = clean;
                }
            }
            Value::Number(number) => {
                if let Some(clean) = self.names.number(self.redact, name, number) {
                    *value = Value::String(clean);
                }
            }
            Value::Array(values) => {
                self.names.list(self.redact, name, values);
                for value in values {
                    self.under("", value);
                }
            }
            Value::Object(_) => self.document(value),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn named(&self, name: &str, text: &str) -> String {
        let clean = self.redact.redact(text);
        self.names.under(self.redact, name, &clean).unwrap_or(clean)
    }

    /// The payload of Helm's Secret or `ConfigMap`, without what may be secret; nothing where it is none.
    fn release(&self, object: &Value) -> Option<String> {
        let driver = helm::Driver::of(object)?;
        helm::without_secrets(
            driver,
            object.pointer(helm::FIELD)?.as_str()?,
            |object| self.object(object),
            |text| self.redact.redact(text),
        )
    }
}

/// Replaces a Secret's values.
fn conceal(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else { return };
    // A merge of `stringData` happens in the server; only an applied copy has it.
    fields.remove("stringData");
    if let Some(annotations) = fields.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"))
        && let Some(annotations) = annotations.as_object_mut()
    {
        annotations.remove(LAST_APPLIED);
    }
    fill(secret, "data");
}

/// Replaces values in base64 by as many zeros as they have, up to a bound.
fn fill(object: &mut Value, field: &str) {
    let Some(Value::Object(data)) = object.get_mut(field) else { return };
    for value in data.values_mut() {
        let length = value.as_str().map_or(0, str::len).min(FILLER_LIMIT);
        let padding = value.as_str().map_or(0, |text| text.len() - text.trim_end_matches('=').len());
        // Base64 of zero bytes is a row of A, padded as the value was.
        let filler = "A".repeat(length.saturating_sub(padding)) + "=".repeat(padding.min(length)).as_str();
        *value = Value::String(filler);
    }
}
