//! Takes secrets out of what is recorded, before it is kept.

use marple_core::{Change, Labels, Signal};
use marple_tools::Redact;
use serde_json::{Map, Value};

/// Secrets' values are replaced by filler of the same length, up to this many bytes of base64: their sizes are told,
/// as `kubectl describe` tells them, and nothing else.
const FILLER_LIMIT: usize = 8 * 1024;

/// Holds a copy of the whole object as it was applied, a Secret's values in clear among it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Takes secrets out of objects, logs and JSON documents.
pub(super) struct Redaction<'a> {
    redact: &'a dyn Redact,
}

impl<'a> Redaction<'a> {
    pub(super) fn new(redact: &'a dyn Redact) -> Self {
        Self { redact }
    }

    /// Takes secrets out of an object of the Kubernetes API.
    pub(super) fn object(&self, object: &mut Value) {
        if object.get("kind").and_then(Value::as_str) == Some("Secret") {
            conceal(object);
        }
        if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            if let Some(Value::String(text)) = annotations.get_mut(LAST_APPLIED) {
                *text = self.applied(text);
            }
            self.fields(annotations);
        }
        if object.get("kind").and_then(Value::as_str) == Some("ConfigMap")
            && let Some(data) = object.get_mut("data").and_then(Value::as_object_mut)
        {
            self.fields(data);
        }
        self.document(object);
    }

    /// Takes secrets out of every text of a JSON document, environment variables by their names too.
    pub(super) fn document(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(clean) = self.redact.without_secrets(text) {
                    *text = clean;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.document(value)),
            Value::Object(map) => {
                self.variable(map);
                map.values_mut().for_each(|value| self.document(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Takes secrets out of a signal's labels and annotations.
    pub(super) fn signal(&self, signal: &mut Signal) {
        for labels in [&mut signal.labels, &mut signal.annotations] {
            *labels = labels.iter().map(|(name, value)| (name, self.text(value))).collect::<Labels>();
        }
    }

    /// Takes secrets out of a change's values.
    pub(super) fn change(&self, change: &mut Change) {
        let values = change.fields.iter_mut().flat_map(|field| [&mut field.before, &mut field.after]);
        for value in values.chain([&mut change.by.why]).flatten() {
            *value = self.text(value);
        }
    }

    /// Takes secrets out of a text, as a label's value. Its name tells nothing: a label `secret` names a Secret.
    pub(super) fn text(&self, text: &str) -> String {
        self.redact.redact(text)
    }

    /// Takes secrets out of a log whose lines begin with their times.
    ///
    /// The times are taken off before and put back after, for a secret may span lines, as a key in PEM does.
    pub(super) fn log(&self, text: &str) -> String {
        let (times, lines): (Vec<&str>, Vec<&str>) =
            text.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).unzip();
        let redacted = self.redact.redact(&lines.join("\n"));
        let after: Vec<&str> = redacted.split('\n').collect();
        let before = lines.len();
        let head = lines.iter().zip(&after).take_while(|(before, after)| before == after).count();
        let tail = lines
            .iter()
            .rev()
            .zip(after.iter().rev())
            .take_while(|(before, after)| before == after)
            .count()
            .min(before.min(after.len()) - head);
        let mut out = String::with_capacity(text.len());
        for (number, line) in after.iter().enumerate() {
            // Where a secret of several lines became one, the lines between have the time of the first of them.
            let source = if before == after.len() || number < head {
                number
            } else if number + tail >= after.len() {
                number + before - after.len()
            } else {
                head
            };
            if let Some(time) = times.get(source) {
                out.push_str(time);
                out.push(' ');
                out.push_str(line);
                out.push('\n');
            }
        }
        out
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

    /// Values whose names tell that they are secret.
    fn fields(&self, map: &mut Map<String, Value>) {
        for (name, value) in map.iter_mut().filter(|(name, _)| name.as_str() != LAST_APPLIED) {
            if let Value::String(text) = value {
                *text = self.named(name, text);
            }
        }
    }

    /// An environment variable, or whatever else has a name and a value.
    fn variable(&self, map: &mut Map<String, Value>) {
        let Some(name) = map.get("name").and_then(Value::as_str).map(str::to_owned) else { return };
        if let Some(Value::String(text)) = map.get_mut("value") {
            *text = self.named(&name, text);
        }
    }

    fn named(&self, name: &str, text: &str) -> String {
        let prefix = format!("{name}=");
        let whole = self.redact.redact(&format!("{prefix}{text}"));
        whole.strip_prefix(&prefix).map_or_else(|| self.redact.redact(text), str::to_owned)
    }
}

/// Replaces a Secret's values.
fn conceal(secret: &mut Value) {
    let Some(secret) = secret.as_object_mut() else { return };
    // A merge of `stringData` happens in the server; only an applied copy has it.
    secret.remove("stringData");
    if let Some(annotations) = secret.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"))
        && let Some(annotations) = annotations.as_object_mut()
    {
        annotations.remove(LAST_APPLIED);
    }
    let Some(Value::Object(data)) = secret.get_mut("data") else { return };
    for value in data.values_mut() {
        let length = value.as_str().map_or(0, str::len).min(FILLER_LIMIT);
        let padding = value.as_str().map_or(0, |text| text.len() - text.trim_end_matches('=').len());
        // Base64 of zero bytes is a row of A, padded as the value was.
        let filler = "A".repeat(length.saturating_sub(padding)) + "=".repeat(padding.min(length)).as_str();
        *value = Value::String(filler);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Knows one secret, one name of secrets and one secret of several lines.
    struct Known;

    impl Redact for Known {
        fn redact(&self, text: &str) -> String {
            let text = text.replace("hunter2", "[redacted]").replace("KEY\na\nb\nEND", "[redacted]");
            match text.split_once("PASSWORD=") {
                Some((before, _)) => format!("{before}PASSWORD=[redacted]"),
                None => text,
            }
        }
    }

    #[test]
    fn a_secret_keeps_the_names_and_sizes_of_its_values_alone() {
        let mut secret = json!({
            "kind": "Secret",
            "metadata": {"name": "db", "annotations": {LAST_APPLIED: "{\"stringData\":{\"a\":\"clear\"}}", "team": "x"}},
            "data": {"password": "c2VjcmV0IQ==", "empty": ""}
        });
        Redaction::new(&Known).object(&mut secret);
        assert_eq!(
            secret,
            json!({
                "kind": "Secret",
                "metadata": {"name": "db", "annotations": {"team": "x"}},
                "data": {"password": "AAAAAAAAAA==", "empty": ""}
            })
        );
    }

    #[test]
    fn a_name_that_tells_of_a_secret_hides_its_value_wherever_it_stands() {
        let mut pod = json!({
            "kind": "Pod",
            "metadata": {"annotations": {LAST_APPLIED: "{\"kind\":\"ConfigMap\",\"data\":{\"PASSWORD\":\"p\"}}\n"}},
            "spec": {"containers": [{
                "args": ["--token=hunter2"],
                "env": [{"name": "DB_PASSWORD", "value": "p"}, {"name": "MODE", "value": "fast"}]
            }]}
        });
        Redaction::new(&Known).object(&mut pod);
        assert_eq!(
            pod,
            json!({
                "kind": "Pod",
                "metadata": {"annotations": {LAST_APPLIED: "{\"kind\":\"ConfigMap\",\"data\":{\"PASSWORD\":\"[redacted]\"}}\n"}},
                "spec": {"containers": [{
                    "args": ["--token=[redacted]"],
                    "env": [{"name": "DB_PASSWORD", "value": "[redacted]"}, {"name": "MODE", "value": "fast"}]
                }]}
            })
        );
    }

    #[test]
    fn the_lines_of_a_log_keep_their_times_though_a_secret_spans_them() {
        let log = "1Z begin\n2Z KEY\n3Z a\n4Z b\n5Z END\n6Z hunter2\n7Z end\n";
        assert_eq!(Redaction::new(&Known).log(log), "1Z begin\n2Z [redacted]\n2Z [redacted]\n7Z end\n");
        assert_eq!(Redaction::new(&Known).log("1Z a\n2Z hunter2\n3Z\n"), "1Z a\n2Z [redacted]\n3Z \n");
        assert_eq!(Redaction::new(&Known).log(""), "");
    }
}
