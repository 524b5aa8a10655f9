//! Rules over objects: what is not looked at, whoever asks and however.

use std::sync::Arc;

use super::glob;
use super::{ObjectRule, Sight};

/// Which objects may be looked at. Asked with what a request comes to, not with what somebody wrote: of a kind its
/// name, of an object the namespace that it is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectRules(Arc<[ObjectRule]>);

/// Where objects of a kind are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// In no namespace.
    Cluster,
    /// In any namespace.
    Everywhere,
    /// In this one.
    Namespace(&'a str),
}

/// How many of the objects of a kind and place may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All there can be.
    All,
    /// It hangs on the object.
    Some,
    /// None.
    None,
}

/// How a rule stands to all objects of a kind and place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Whole,
    Partly,
    Not,
}

impl ObjectRules {
    /// In this order: the first that fits decides.
    pub fn new(rules: Vec<ObjectRule>) -> Self {
        Self(rules.into())
    }

    /// Whether an object may be looked at. What no rule fits may be.
    pub fn permit(&self, kind: &str, namespace: Option<&str>, name: &str) -> bool {
        let fits = |rule: &&ObjectRule| {
            let namespace = if kind == "Namespace" { Some(name) } else { namespace };
            of_kind(rule, kind)
                && rule.namespace.as_deref().is_none_or(|pattern| namespace.is_some_and(|at| glob::fits(pattern, at)))
                && rule.name.as_deref().is_none_or(|pattern| glob::fits(pattern, name))
        };
        self.0.iter().find(fits).is_none_or(|rule| rule.decision == Sight::Allow)
    }

    /// How many objects of a kind and place may be looked at.
    pub fn extent(&self, kind: &str, place: Place<'_>) -> Extent {
        let (mut allowed, mut refused) = (false, false);
        for rule in self.0.iter() {
            let fit = fit(rule, kind, place);
            match (fit, rule.decision) {
                (Fit::Not, _) => continue,
                (_, Sight::Allow) => allowed = true,
                (_, Sight::Refuse) => refused = true,
            }
            if fit == Fit::Whole {
                return match (allowed, refused) {
                    (true, true) => Extent::Some,
                    (true, false) => Extent::All,
                    (false, _) => Extent::None,
                };
            }
        }
        if refused { Extent::Some } else { Extent::All }
    }
}

fn fit(rule: &ObjectRule, kind: &str, place: Place<'_>) -> Fit {
    let any =
        |pattern: &Option<String>| pattern.as_deref().is_none_or(|pattern| pattern.chars().all(|letter| letter == '*'));
    if !of_kind(rule, kind) {
        return Fit::Not;
    }
    let within = match (&rule.namespace, place) {
        (None, _) => Fit::Whole,
        // A Namespace is in the namespace that it is.
        (Some(_), Place::Cluster) if kind != "Namespace" => Fit::Not,
        (pattern @ Some(_), Place::Cluster | Place::Everywhere) => {
            if any(pattern) {
                Fit::Whole
            } else {
                Fit::Partly
            }
        }
        (Some(pattern), Place::Namespace(namespace)) => {
            if glob::fits(pattern, namespace) {
                Fit::Whole
            } else {
                Fit::Not
            }
        }
    };
    match within {
        Fit::Whole if !any(&rule.name) => Fit::Partly,
        other => other,
    }
}

fn of_kind(rule: &ObjectRule, kind: &str) -> bool {
    rule.kind.as_deref().is_none_or(|pattern| glob::fits(pattern, kind) || glob::fits(pattern, &plural(kind)))
}

/// The plural by which people and permissions name a kind, as the API conventions form it.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) if !kind.ends_with("ay") && !kind.ends_with("ey") => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| kind.ends_with(end)) => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn rules(rules: Value) -> ObjectRules {
        ObjectRules::new(serde_json::from_value(rules).unwrap())
    }

    #[test]
    fn a_rule_on_a_namespace_holds_for_all_in_it_and_for_the_namespace_itself() {
        let rules = rules(json!([{"namespace": "bank-*", "decision": "refuse"}]));
        assert!(!rules.permit("Pod", Some("bank-1"), "ledger"));
        assert!(!rules.permit("Namespace", None, "bank-1"));
        assert!(rules.permit("Namespace", None, "shop"));
        assert!(rules.permit("Node", None, "bank-1"), "a node is in no namespace");
    }

    #[test]
    fn a_kind_is_fitted_by_its_name_and_its_plural_in_any_case() {
        for pattern in ["Secret", "secrets", "SECRET", "secret*"] {
            let rules = rules(json!([{"kind": pattern, "decision": "refuse"}]));
            assert!(!rules.permit("Secret", Some("shop"), "db"), "{pattern}");
            assert!(rules.permit("Pod", Some("shop"), "db"), "{pattern}");
        }
        let policies = rules(json!([{"kind": "networkpolicies", "decision": "refuse"}]));
        assert!(!policies.permit("NetworkPolicy", Some("shop"), "db"));
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = rules(json!([{"namespace": "shop", "decision": "allow"}, {"decision": "refuse"}]));
        assert!(rules.permit("Pod", Some("shop"), "cart") && rules.permit("Namespace", None, "shop"));
        assert!(!rules.permit("Pod", Some("bank"), "ledger") && !rules.permit("Node", None, "worker-1"));
    }

    #[test]
    fn the_extent_says_whether_a_list_is_whole() {
        let refused = rules(json!([{"kind": "Secret", "namespace": "bank", "name": "db-*", "decision": "refuse"},
            {"kind": "ConfigMap", "namespace": "bank", "decision": "refuse"}]));
        for (kind, place, wanted) in [
            ("Secret", Place::Namespace("bank"), Extent::Some),
            ("Secret", Place::Namespace("shop"), Extent::All),
            ("Secret", Place::Everywhere, Extent::Some),
            ("ConfigMap", Place::Namespace("bank"), Extent::None),
            ("ConfigMap", Place::Everywhere, Extent::Some),
            ("Node", Place::Cluster, Extent::All),
        ] {
            assert_eq!(refused.extent(kind, place), wanted, "{kind} {place:?}");
        }
        let one = rules(json!([{"namespace": "shop", "decision": "allow"}, {"decision": "refuse"}]));
        for (kind, place, wanted) in [
            ("Pod", Place::Namespace("shop"), Extent::All),
            ("Pod", Place::Namespace("bank"), Extent::None),
            ("Pod", Place::Everywhere, Extent::Some),
            ("Namespace", Place::Cluster, Extent::Some),
            ("Node", Place::Cluster, Extent::None),
        ] {
            assert_eq!(one.extent(kind, place), wanted, "{kind} {place:?}");
        }
    }
}
