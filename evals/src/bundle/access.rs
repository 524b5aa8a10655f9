//! What whoever recorded might do.

use std::collections::BTreeSet;

use marple_tools::kubernetes::{Deed, rule_allows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::{items, text};

/// What whoever recorded might do in some namespaces, or cluster-wide.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedAccess {
    /// Whether it holds cluster-wide: of what is in no namespace, and of all namespaces at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cluster_wide: bool,
    /// The namespaces that it holds in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub namespaces: BTreeSet<String>,
    /// The rules, as a `SelfSubjectRulesReview` told them: its status.
    pub rules: Value,
    /// Single answers, of what the rules don't allow: where they are incomplete, or everything is allowed all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<AccessDecision>,
}

/// The answer of a `SelfSubjectAccessReview`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessDecision {
    /// As `get`; `*` is all.
    pub verb: String,
    /// API group; empty for the core group, `*` for all.
    pub group: String,
    /// Plural, as `pods`; with a part of it, as `pods/log`; `*` is all.
    pub resource: String,
    /// Its status.
    pub status: Value,
}

impl RecordedAccess {
    /// Whether not all authorizers could list their rules: what the rules don't allow may be allowed all the same.
    pub fn is_incomplete(&self) -> bool {
        self.rules.get("incomplete").and_then(Value::as_bool).unwrap_or_default()
    }

    /// What went wrong where the rules were read; empty where nothing did.
    pub fn fault(&self) -> &str {
        text(&self.rules, "/evaluationError")
    }

    /// Whether the rules allow a deed.
    pub fn allows(&self, deed: &Deed) -> bool {
        items(&self.rules, "resourceRules").iter().any(|rule| rule_allows(rule, deed))
    }

    /// Whether the rules allow a request that concerns no resource: by its path, or the beginning of it before a `*`.
    pub fn allows_path(&self, verb: &str, path: &str) -> bool {
        let texts = |rule: &Value, field: &str, is: &dyn Fn(&str) -> bool| {
            items(rule, field).iter().filter_map(Value::as_str).any(|one| one == "*" || is(one))
        };
        let leads = |to: &str| to == path || to.strip_suffix('*').is_some_and(|start| path.starts_with(start));
        let rules = items(&self.rules, "nonResourceRules");
        rules.iter().any(|rule| texts(rule, "verbs", &|one| one == verb) && texts(rule, "nonResourceURLs", &leads))
    }

    /// The single answer for a deed: where everything is allowed, that; of a deed on one object, one that allows it on all.
    pub fn decision(&self, deed: &Deed) -> Option<&AccessDecision> {
        let found = self.decisions.iter().find(|one| one.allows_everything() || one.is_of(deed))?;
        (deed.name.is_none() || found.is_allowed()).then_some(found)
    }
}

impl AccessDecision {
    /// Whether it allows.
    pub fn is_allowed(&self) -> bool {
        self.status.get("allowed").and_then(Value::as_bool).unwrap_or_default()
    }

    fn allows_everything(&self) -> bool {
        self.is_allowed() && [&self.verb, &self.group, &self.resource].into_iter().all(|part| part == "*")
    }

    fn is_of(&self, deed: &Deed) -> bool {
        let resource = match &deed.subresource {
            Some(part) => self.resource.split_once('/') == Some((deed.resource.as_str(), part)),
            None => self.resource == deed.resource,
        };
        resource && self.verb == deed.verb && self.group == deed.group
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deed(verb: &str, group: &str, resource: &str, part: Option<&str>, name: Option<&str>) -> Deed {
        Deed {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: part.map(str::to_owned),
            namespace: None,
            name: name.map(str::to_owned),
        }
    }

    #[test]
    fn rules_allow_what_rbac_would() {
        let access = RecordedAccess {
            rules: json!({"incomplete": false, "resourceRules": [
                {"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "pods/log"]},
                {"verbs": ["patch"], "apiGroups": ["*"], "resources": ["*/scale"]},
                {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["settings"]},
            ], "nonResourceRules": [
                {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/api/*"]},
            ]}),
            ..RecordedAccess::default()
        };
        let allowed = [
            deed("get", "", "pods", None, Some("cart-1")),
            deed("get", "", "pods", Some("log"), None),
            deed("patch", "apps", "deployments", Some("scale"), None),
            deed("get", "", "configmaps", None, Some("settings")),
        ];
        assert!(allowed.iter().all(|deed| access.allows(deed)));
        let refused = [
            deed("*", "*", "*", None, None),
            deed("get", "apps", "pods", None, None),
            deed("get", "", "pods", Some("exec"), None),
            deed("patch", "apps", "deployments", None, None),
            deed("get", "", "configmaps", None, None),
        ];
        assert!(!refused.iter().any(|deed| access.allows(deed)));
        let paths =
            [("get", "/healthz"), ("get", "/healthz/etcd"), ("get", "/api/v1"), ("post", "/api/v1"), ("get", "/api")];
        assert_eq!(paths.map(|(verb, path)| access.allows_path(verb, path)), [true, false, true, false, false]);
    }

    #[test]
    fn a_single_answer_is_of_its_deed_and_of_one_object_where_it_allows_all() {
        let answer = |verb: &str, group: &str, resource: &str, allowed: bool| AccessDecision {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            status: json!({ "allowed": allowed }),
        };
        let found = |decisions: Vec<AccessDecision>, deed: &Deed| {
            RecordedAccess { decisions, ..RecordedAccess::default() }.decision(deed).map(AccessDecision::is_allowed)
        };
        let some = || vec![answer("get", "", "pods/log", true), answer("get", "", "pods", false)];
        assert_eq!(found(some(), &deed("get", "", "pods", Some("log"), Some("cart-1"))), Some(true));
        assert_eq!(found(some(), &deed("get", "", "pods", None, None)), Some(false));
        assert_eq!(
            found(some(), &deed("get", "", "pods", None, Some("cart-1"))),
            None,
            "it may be allowed for this one"
        );
        assert_eq!(found(some(), &deed("list", "", "pods", None, None)), None);
        assert_eq!(found(vec![answer("*", "*", "*", true)], &deed("list", "", "pods", None, None)), Some(true));
        assert_eq!(found(vec![answer("*", "*", "*", false)], &deed("list", "", "pods", None, None)), None);
    }
}
