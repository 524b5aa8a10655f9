//! Label selectors.

use serde::{Deserialize, Serialize};

use crate::Labels;

/// The longest selector that is kept, in bytes.
const SELECTOR: usize = 4 << 10;

/// A label selector: all of it must hold. One that is empty selects everything (kubernetes.io/docs, Labels and
/// Selectors); that a Service without one selects nothing, its caller must know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selector {
    /// Labels with their values.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// What else is asked of labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expressions: Vec<Expression>,
}

/// What is asked of one label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    /// The label.
    pub key: String,
    /// What is asked.
    pub operator: Operator,
    /// The values that it is asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// What is asked of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the Kubernetes operator of its name")]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Whether labels fit.
    pub fn matches(&self, labels: &Labels) -> bool {
        labels.matches(&self.labels) && self.expressions.iter().all(|expression| expression.holds(labels))
    }

    /// A label with its value that each object which fits has: by it those are found that select an object. Nothing where
    /// it asks for none.
    pub fn least(&self) -> Option<(&str, &str)> {
        self.labels.iter().next()
    }

    pub(super) fn is_bounded(&self) -> bool {
        let labels = self.labels.iter().map(|(name, value)| name.len() + value.len());
        let values = |one: &Expression| one.key.len() + one.values.iter().map(String::len).sum::<usize>();
        labels.chain(self.expressions.iter().map(values)).sum::<usize>() <= SELECTOR
    }
}

impl Expression {
    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.value(&self.key);
        let among = value.is_some_and(|value| self.values.iter().any(|one| one == value));
        match self.operator {
            Operator::In => among,
            Operator::NotIn => !among,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_fit_as_kubernetes_has_it() {
        let labels: Labels = [("app", "cart"), ("tier", "a")].into_iter().collect();
        let fits = |text: &str| serde_json::from_str::<Selector>(text).is_ok_and(|selector| selector.matches(&labels));
        let asked = |operator: &str, key: &str, values: &str| {
            fits(&format!(r#"{{"expressions":[{{"key":"{key}","operator":"{operator}","values":{values}}}]}}"#))
        };
        assert!(fits(r#"{"labels":{"app":"cart"}}"#) && !fits(r#"{"labels":{"app":"other"}}"#) && fits("{}"));
        assert!(asked("In", "tier", r#"["a","b"]"#) && !asked("In", "none", r#"["a"]"#));
        assert!(asked("NotIn", "none", r#"["a"]"#) && !asked("NotIn", "tier", r#"["a"]"#));
        assert!(asked("Exists", "tier", "[]") && asked("DoesNotExist", "none", "[]"));
        assert!(!asked("Exists", "none", "[]") && !asked("DoesNotExist", "tier", "[]"));
    }
}
