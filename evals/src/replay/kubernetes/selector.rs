//! Label selectors.

use serde_json::Value;

use super::status::Refusal;

/// A label selector: every requirement must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LabelSelector(Vec<Requirement>);

/// One requirement of a selector, in the grammar of `labels.Parse`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Missing(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Greater(String, i64),
    Less(String, i64),
}

impl LabelSelector {
    /// Reads a selector, as `app=cart,tier in (web,api),!canary`.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let parts = split(text);
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(|part| {
                requirement(part).ok_or_else(|| {
                    Refusal::bad_request(&format!(
                        "unable to parse requirement {part:?} of the label selector {text:?}"
                    ))
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the object's labels meet it.
    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.0.iter().all(|requirement| match requirement {
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Missing(key) => label(key).is_none(),
            Requirement::In(key, values) => label(key).is_some_and(|value| values.iter().any(|one| one == value)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|value| values.iter().all(|one| one != value)),
            Requirement::Greater(key, bound) => number(label(key)).is_some_and(|value| value > *bound),
            Requirement::Less(key, bound) => number(label(key)).is_some_and(|value| value < *bound),
        })
    }

    /// Whether it asks for nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn number(text: Option<&str>) -> Option<i64> {
    text?.parse().ok()
}

/// At the commas that stand outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(|character| {
        depth += i32::from(character == '(') - i32::from(character == ')');
        character == ',' && depth == 0
    })
    .map(str::trim)
    .collect()
}

fn requirement(text: &str) -> Option<Requirement> {
    if let Some(key) = text.strip_prefix('!') {
        return Some(Requirement::Missing(self::key(key)?));
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Requirement::NotIn(self::key(key)?, vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Requirement::In(self::key(key)?, vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = text.split_once('>') {
        return Some(Requirement::Greater(self::key(key)?, value.trim().parse().ok()?));
    }
    if let Some((key, value)) = text.split_once('<') {
        return Some(Requirement::Less(self::key(key)?, value.trim().parse().ok()?));
    }
    let Some((head, values)) = text.split_once('(') else { return Some(Requirement::Exists(key(text)?)) };
    let values = values.strip_suffix(')')?.split(',').map(|value| value.trim().to_owned()).collect();
    let (key, operator) = head.trim().rsplit_once(char::is_whitespace)?;
    match operator {
        "in" => Some(Requirement::In(self::key(key)?, values)),
        "notin" => Some(Requirement::NotIn(self::key(key)?, values)),
        _ => None,
    }
}

fn key(text: &str) -> Option<String> {
    let text = text.trim();
    let valid = |character: char| character.is_ascii_alphanumeric() || "-_./".contains(character);
    (!text.is_empty() && text.chars().all(valid)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_operator_selects_as_the_api_server_does() {
        let object = json!({"metadata": {"labels": {"app": "cart", "tier": "web", "app.kubernetes.io/part-of": "shop", "n": "3"}}});
        for (text, expected) in [
            ("app=cart", true),
            ("app==cart,tier=web", true),
            ("app=cart,tier=api", false),
            ("app!=cart", false),
            ("absent!=x", true),
            ("app in (cart, checkout),tier in (web)", true),
            ("tier notin (web,api)", false),
            ("absent notin (a)", true),
            ("app.kubernetes.io/part-of", true),
            ("!app", false),
            ("!absent", true),
            ("n>2,n<4", true),
            ("n>3", false),
            ("", true),
        ] {
            assert_eq!(LabelSelector::parse(text).unwrap().matches(&object), expected, "{text}");
        }
        assert!(!LabelSelector::parse("app").unwrap().matches(&json!({})));
    }

    #[test]
    fn a_selector_that_makes_no_sense_is_refused() {
        for text in ["app in cart", "a b", "app within (x)", "=x", "n>many"] {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }
}
