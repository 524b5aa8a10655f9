//! From YAML to a case.

use std::path::Path;

use marple_core::Verdict;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Ask, Case, CaseError, Saying};

impl Case {
    /// Reads and checks a case; `path` is named where it is wrong.
    pub fn from_yaml(text: &str, path: &Path) -> Result<Self, CaseError> {
        let case: Self = read(text, path, "the case")?;
        match case.fault() {
            Some((at, what)) => Err(CaseError::Field { path: path.to_owned(), at, what }),
            None => Ok(case),
        }
    }

    /// The JSON Schema of a case, for editors.
    pub fn schema() -> Value {
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Self>().to_value()
    }

    /// What no type can say: the field, and what is wrong with it.
    fn fault(&self) -> Option<(String, String)> {
        let wrong = |at: &str, what: &str| Some((at.to_owned(), what.to_owned()));
        if self.title.trim().is_empty() {
            return wrong("title", "is empty: say in one line what happened");
        }
        match &self.ask {
            Ask::Alert(labels) if labels.is_empty() => {
                return wrong("ask.alert", "has no labels: give those that find one alert, alertname among them");
            }
            Ask::Question(question) if question.trim().is_empty() => return wrong("ask.question", "is empty"),
            Ask::Incident(false) => {
                return wrong("ask.incident", "is false: write true, or ask an alert or a question");
            }
            _ => {}
        }
        match (self.verdict, self.causes.is_empty()) {
            (Verdict::Fault, true) => {
                return wrong("causes", "a fault has a cause: name at least one object with its categories");
            }
            (Verdict::NoFault | Verdict::Inconclusive, false) => {
                return wrong("causes", "only a fault has causes: leave them out, or set `verdict: fault`");
            }
            _ => {}
        }
        if let Some(index) = self.causes.iter().position(|cause| cause.categories.is_empty()) {
            return Some((format!("causes[{index}].categories"), "is empty: name those that are right".to_owned()));
        }
        let listed = |field: &str, sayings: &[Saying]| {
            let index = sayings.iter().position(|saying| saying.any.is_empty() || saying.means.trim().is_empty())?;
            Some(format!("{field}[{index}]"))
        };
        let saying = listed("must", &self.must).or_else(|| listed("must_not", &self.must_not));
        let remedy = self.remedy.iter().find(|saying| saying.any.is_empty() || saying.means.trim().is_empty());
        let at = saying.or_else(|| remedy.map(|_| "remedy".to_owned()))?;
        Some((at, "needs `means` for people and at least one regular expression in `any`".to_owned()))
    }
}

/// Reads YAML; `whole` names all of it where no field is wrong.
pub(crate) fn read<T: DeserializeOwned>(text: &str, path: &Path, whole: &str) -> Result<T, CaseError> {
    let value: Value = serde_saphyr::from_str(text)
        .map_err(|error| CaseError::Syntax { path: path.to_owned(), why: error.to_string() })?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let at = match error.path().to_string() {
            at if at == "." => whole.to_owned(),
            at => at,
        };
        let what = error.into_inner().to_string();
        let fix = fix(&what);
        CaseError::Field { path: path.to_owned(), at, what: what + fix }
    })
}

/// What to write instead, where serde's message does not say.
fn fix(message: &str) -> &'static str {
    if message.starts_with("missing field `object`") {
        "; name the object to change, as object: {kind: ConfigMap, namespace: shop, name: settings}"
    } else if message.starts_with("missing field `ask`") {
        "; write one of ask: {alert: {alertname: …}}, ask: {question: …}, ask: {incident: true}"
    } else if message.contains("map with a single key") {
        "; ask exactly one of alert, question and incident"
    } else {
        ""
    }
}
