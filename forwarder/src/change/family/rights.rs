//! Who may do what.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::change::trim::Trim;

/// Roles: for what they stand, the verbs.
pub(super) fn trim_role(trim: &mut Trim<'_>) {
    let mut rules: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for rule in trim.part("/rules").as_array().into_iter().flatten() {
        let list = |key: &str| words(rule.get(key));
        let names = match list("resourceNames").as_slice() {
            [] => String::new(),
            names => format!(" named {}", names.join(",")),
        };
        let groups = list("apiGroups");
        let resources = list("resources").into_iter().flat_map(|resource| {
            groups
                .iter()
                .map(move |group| if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") })
        });
        let urls = list("nonResourceURLs").into_iter().map(str::to_owned);
        for about in resources.chain(urls) {
            rules.entry(format!("rules[{about}{names}]")).or_default().extend(list("verbs"));
        }
    }
    for (path, mut verbs) in rules {
        verbs.sort_unstable();
        verbs.dedup();
        trim.field(path, &verbs.join(","));
    }
    trim.walk("aggregationRule", trim.part("/aggregationRule"));
}

/// Bindings: who has the role.
pub(super) fn trim_binding(trim: &mut Trim<'_>) {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let role = trim.part("/roleRef");
    trim.field("roleRef", &format!("{} {}", text(role, "kind"), text(role, "name")));
    for subject in trim.part("/subjects").as_array().into_iter().flatten() {
        let (kind, namespace, name) = (text(subject, "kind"), text(subject, "namespace"), text(subject, "name"));
        let whole = if namespace.is_empty() { name } else { format!("{namespace}/{name}") };
        trim.field(format!("subjects[{kind} {whole}]"), "bound");
    }
}

fn words(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}
