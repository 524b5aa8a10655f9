//! What RBAC's roles and bindings allow.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Deed, Subject};
use crate::kubernetes::field::{items, name, namespace, text};
use crate::kubernetes::{Cluster, LookError};

/// The most roles and bindings of a kind that are read.
const READ: usize = 5_000;

/// A rule that somebody has by a binding.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grant {
    /// As `RoleBinding shop/cart → Role reader`.
    pub(crate) by: String,
    /// Where it holds; everywhere, where none is named.
    pub(crate) namespace: Option<String>,
    pub(crate) rule: Value,
}

/// All that somebody may do by RBAC.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Grants {
    pub(crate) grants: Vec<Grant>,
    /// Bindings of it whose role is gone, as `RoleBinding shop/cart → Role reader`.
    pub(crate) dangling: Vec<String>,
}

impl Grants {
    /// The grants that allow the deed.
    pub(crate) fn allowing(&self, deed: &Deed) -> Vec<&Grant> {
        self.grants.iter().filter(|grant| grant.allows(deed)).collect()
    }
}

impl Grant {
    fn allows(&self, deed: &Deed) -> bool {
        (self.namespace.is_none() || self.namespace == deed.namespace) && rule_allows(&self.rule, deed)
    }
}

/// Whether a rule allows a deed where it holds, by RBAC: `*` is all, a resource's name bounds what names one, and what has a
/// name can be neither listed without it nor created. The rule is that of a role, or the `ResourceRule` of a review.
pub fn rule_allows(rule: &Value, deed: &Deed) -> bool {
    let any = |pointer: &str, wanted: &[&str]| {
        items(rule, pointer).filter_map(Value::as_str).any(|one| one == "*" || wanted.contains(&one))
    };
    let written = match &deed.subresource {
        Some(sub) => vec![format!("{}/{sub}", deed.resource), format!("*/{sub}")],
        None => vec![deed.resource.clone()],
    };
    let resources: Vec<&str> = written.iter().map(String::as_str).collect();
    let mut only = items(rule, "/resourceNames").filter_map(Value::as_str).peekable();
    let named = only.peek().is_none() || deed.name.as_deref().is_some_and(|name| only.any(|one| one == name));
    named && any("/verbs", &[&deed.verb]) && any("/apiGroups", &[&deed.group]) && any("/resources", &resources)
}

impl Cluster {
    /// What the subject may do by RBAC, everywhere and in the namespace.
    pub(crate) async fn grants(&self, subject: &Subject, space: Option<&str>) -> Result<Grants, LookError> {
        let in_space = async |kind: &str| match space {
            Some(space) => self.list(kind, Some(space), None, None, READ).await,
            None => Ok(vec![]),
        };
        let (cluster_bindings, bindings, cluster_roles, roles) = tokio::try_join!(
            self.list("rbac.authorization.k8s.io/ClusterRoleBinding", None, None, None, READ),
            in_space("rbac.authorization.k8s.io/RoleBinding"),
            self.list("rbac.authorization.k8s.io/ClusterRole", None, None, None, READ),
            in_space("rbac.authorization.k8s.io/Role"),
        )?;
        let bindings: Vec<Value> = cluster_bindings.into_iter().chain(bindings).collect();
        let roles: Vec<Value> = cluster_roles.into_iter().chain(roles).collect();
        Ok(grants(subject, &bindings, &roles))
    }
}

/// Which binding allows a deed by RBAC, as `RoleBinding shop/cart → Role reader`; nothing where none does. Of the bindings
/// and roles, those of other namespaces than the deed's allow nothing.
pub fn granting(subject: &Subject, deed: &Deed, bindings: &[Value], roles: &[Value]) -> Option<String> {
    grants(subject, bindings, roles).allowing(deed).first().map(|grant| grant.by.clone())
}

/// What bindings and roles give to a subject.
fn grants(subject: &Subject, bindings: &[Value], roles: &[Value]) -> Grants {
    let roles: BTreeMap<(Option<&str>, &str), &Value> =
        roles.iter().map(|role| ((namespace(role), name(role)), role)).collect();
    let mut all = Grants::default();
    for binding in bindings.iter().filter(|binding| items(binding, "/subjects").any(|one| is(subject, one, binding))) {
        let space = namespace(binding);
        let (kind, role) = (text(binding, "/roleRef/kind"), text(binding, "/roleRef/name").unwrap_or_default());
        let place = space.map(|space| format!("{space}/")).unwrap_or_default();
        let own = text(binding, "/kind").unwrap_or_default();
        let by = format!("{own} {place}{} → {} {role}", name(binding), kind.unwrap_or_default());
        let of = if kind == Some("Role") { space } else { None };
        match roles.get(&(of, role)) {
            None => all.dangling.push(by),
            Some(role) => all.grants.extend(items(role, "/rules").map(|rule| Grant {
                by: by.clone(),
                namespace: space.map(str::to_owned),
                rule: rule.clone(),
            })),
        }
    }
    all
}

/// Whether a binding's subject is the one that is meant, or a group of it.
fn is(subject: &Subject, one: &Value, binding: &Value) -> bool {
    let named = text(one, "/name").unwrap_or_default();
    match (text(one, "/kind"), subject) {
        (Some("ServiceAccount"), Subject::Account(space, name)) => {
            named == name && text(one, "/namespace").or_else(|| namespace(binding)) == Some(space.as_str())
        }
        (Some("User"), subject) => named == subject.user(),
        (Some("Group"), subject) => subject.groups().iter().any(|group| group == named),
        _ => false,
    }
}

#[cfg(test)]
pub(super) fn grants_of(subject: &Subject, bindings: &[Value], roles: &[Value]) -> Grants {
    grants(subject, bindings, roles)
}
