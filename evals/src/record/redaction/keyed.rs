//! Values by the names that they stand under.
//!
//! Whether a name tells of a secret, and whether a value under it is one, is said by the redaction of texts: each is put
//! before it as a line of JSON. So what is hidden in a document is what would be hidden in the document as a text.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use marple_tools::Redact;
use serde_json::{Map, Number, Value, json};

/// A value that no person would have chosen, and that is no secret by itself: under a name that tells of one, it is taken
/// for one.
const PROBE: &str = "q7Zp2Kd9Xw4Tb8Lm5Rv3Yn6C";

/// A number of fewer digits is a count, whatever it stands under.
const DIGITS: usize = 4;

/// Names are remembered up to this many: custom resources may have names without end.
const REMEMBERED: usize = 10_000;

/// Where a value can't be told from what stands around it.
const HIDDEN: &str = "[redacted]";

/// Which names tell of a secret, as far as they were met.
#[derive(Default)]
pub(super) struct Names(Mutex<HashMap<String, bool>>);

impl Names {
    /// Whether a value under this name may be a secret.
    fn tells(&self, redact: &dyn Redact, name: &str) -> bool {
        if name.is_empty() {
            return false;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tells) = known.get(name) {
            return *tells;
        }
        // A cookie is a name and a value.
        let probes = [PROBE.to_owned(), format!("a={PROBE}")];
        let tells = probes.iter().any(|probe| redact.without_secrets(&json!({ name: probe }).to_string()).is_some());
        if known.len() < REMEMBERED {
            known.insert(name.to_owned(), tells);
        }
        tells
    }

    /// The value without its secret, where the name and it tell of one.
    pub(super) fn under(&self, redact: &dyn Redact, name: &str, value: &str) -> Option<String> {
        if value.is_empty() || !self.tells(redact, name) {
            return None;
        }
        changed(redact, &json!({ name: value }), name).map(|clean| clean.as_str().unwrap_or(HIDDEN).to_owned())
    }

    /// The same for the `value` beside a name that is itself a value, as `name: DB_PASSWORD`.
    pub(super) fn beside(&self, redact: &dyn Redact, label: &str, name: &str, value: &str) -> Option<String> {
        // `KEY` tells little as a name of a field, and more as that of a variable.
        if value.is_empty() || !self.tells(redact, name) && !self.tells(redact, &format!("API_{name}")) {
            return None;
        }
        changed(redact, &json!({ label: name, "value": value }), "value")
            .map(|clean| clean.as_str().unwrap_or(HIDDEN).to_owned())
    }

    /// What stands for a number, where that is a secret.
    pub(super) fn number(&self, redact: &dyn Redact, name: &str, number: &Number) -> Option<String> {
        let text = number.to_string();
        (text.len() >= DIGITS).then(|| self.under(redact, name, &text)).flatten()
    }

    /// Takes secrets out of a list of texts: those under a name that tells, and those that follow an argument that does.
    pub(super) fn list(&self, redact: &dyn Redact, name: &str, values: &mut [Value]) {
        let argument = |value: &Value| value.as_str().is_some_and(|text| text.starts_with('-'));
        if !values.iter().any(argument) && !self.tells(redact, name) {
            return;
        }
        let texts: Vec<&str> = values.iter().map(|value| value.as_str().unwrap_or_default()).collect();
        let Some(clean) = changed(redact, &json!({ name: texts }), name) else { return };
        let clean = clean.as_array().filter(|clean| clean.len() == values.len());
        for (number, value) in values.iter_mut().enumerate().filter(|(_, value)| value.is_string()) {
            *value = clean.and_then(|clean| clean.get(number)).cloned().unwrap_or_else(|| HIDDEN.into());
        }
    }
}

/// The field of a document without secrets, where that is another; nothing of it where it can't be read any more.
fn changed(redact: &dyn Redact, document: &Value, field: &str) -> Option<Value> {
    let text = redact.without_secrets(&document.to_string())?;
    match serde_json::from_str::<Map<String, Value>>(&text) {
        Ok(mut clean) => clean.remove(field).filter(|clean| document.get(field) != Some(clean)),
        Err(_) => Some(Value::Null),
    }
}
