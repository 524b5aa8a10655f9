//! Label selectors.

use serde_json::Value;

use super::field::{entries, items, plain, text};

/// A selector as a list request takes it, from `{matchLabels, matchExpressions}` or plain labels; nothing where it
/// selects nothing.
pub(crate) fn query(selector: &Value) -> Option<String> {
    let structured = selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some();
    let labels = if structured { "/matchLabels" } else { "" };
    let mut terms: Vec<String> =
        entries(selector, labels).map(|(name, value)| format!("{name}={}", plain(value))).collect();
    if structured {
        terms.extend(items(selector, "/matchExpressions").filter_map(expression));
    }
    (!terms.is_empty()).then(|| terms.join(","))
}

fn expression(term: &Value) -> Option<String> {
    let key = text(term, "/key")?;
    let values = items(term, "/values").map(plain).collect::<Vec<_>>().join(",");
    Some(match text(term, "/operator")? {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "Exists" => key.to_owned(),
        "DoesNotExist" => format!("!{key}"),
        _ => return None,
    })
}

/// Whether the labels of an object fit a selector of either form. One that is empty fits all, as Kubernetes has it
/// for policies and budgets; a Service without one selects nothing, which its caller must know.
pub(crate) fn matches(selector: &Value, labels: Option<&Value>) -> bool {
    let label = |name: &str| labels.and_then(|labels| labels.get(name)).and_then(Value::as_str);
    let structured = selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some();
    let pairs = if structured { "/matchLabels" } else { "" };
    entries(selector, pairs).all(|(name, value)| label(name) == value.as_str())
        && (!structured
            || items(selector, "/matchExpressions").all(|term| {
                let value = text(term, "/key").and_then(label);
                let among = items(term, "/values").any(|other| other.as_str() == value);
                match text(term, "/operator") {
                    Some("In") => value.is_some() && among,
                    Some("NotIn") => value.is_none() || !among,
                    Some("Exists") => value.is_some(),
                    Some("DoesNotExist") => value.is_none(),
                    _ => false,
                }
            }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_becomes_a_query() {
        let selector = json!({"matchLabels": {"app": "cart"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}]});
        assert_eq!(query(&selector).as_deref(), Some("app=cart,tier in (a,b),!old"));
        assert_eq!(query(&json!({"app": "cart"})).as_deref(), Some("app=cart"));
        assert_eq!(query(&json!({})), None);
    }

    #[test]
    fn labels_fit_as_kubernetes_has_it() {
        let labels = json!({"app": "cart", "tier": "a"});
        let fits = |selector: Value| matches(&selector, Some(&labels));
        assert!(fits(json!({"app": "cart"})) && !fits(json!({"app": "other"})) && fits(json!({})));
        assert!(fits(json!({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["x"]}]})));
        assert!(!fits(json!({"matchExpressions": [{"key": "none", "operator": "In", "values": ["x"]}]})));
        assert!(!fits(
            json!({"matchLabels": {"app": "cart"}, "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]})
        ));
    }
}
