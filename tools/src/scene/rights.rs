//! What the API server refuses to accounts, by the logs of programs that run as them, and who would give them the right.

use marple_core::{Change, ChangeKind, ObjectRef};
use serde_json::Value;

use super::{Scene, field};

/// How many lines from the end of a log are searched.
const DEPTH: usize = 60;

/// A deed that is refused to an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refused {
    /// Where the account is.
    pub(crate) account_namespace: String,
    /// What it is called.
    pub(crate) account: String,
    /// As `list`.
    pub(crate) verb: String,
    /// As `configmaps`.
    pub(crate) resource: String,
    /// Where it is refused; nothing for the whole cluster.
    pub(crate) namespace: Option<String>,
}

impl Refused {
    /// The account.
    pub(crate) fn object(&self) -> ObjectRef {
        ObjectRef::namespaced("ServiceAccount", &self.account_namespace, &self.account)
    }

    /// Reads `User "system:serviceaccount:shop:cart" cannot list resource "pods" in API group "" in the namespace "shop"`.
    pub(crate) fn of(line: &str) -> Option<Self> {
        if !line.contains("system:serviceaccount:") {
            return None;
        }
        let text = line.replace("\\\"", "\"");
        let (_, rest) = text.split_once("system:serviceaccount:")?;
        let (account, rest) = rest.split_once('"')?;
        let (account_namespace, account) = account.split_once(':')?;
        let (_, what) = rest.split_once("cannot ")?;
        let namespace = what.split_once("in the namespace \"").and_then(|(_, rest)| rest.split('"').next());
        Some(Self {
            account_namespace: account_namespace.to_owned(),
            account: account.to_owned(),
            verb: what.split(' ').next().unwrap_or("get").to_owned(),
            resource: what.split('"').nth(1).unwrap_or("pods").to_owned(),
            namespace: namespace.map(str::to_owned),
        })
    }
}

/// Everything that the last lines of the logs say is refused, none twice.
pub(crate) fn refused(scene: &Scene) -> Vec<Refused> {
    let mut found = Vec::new();
    for log in &scene.logs {
        let lines = log.text.lines().rev().filter(|line| !line.trim().is_empty()).take(DEPTH);
        for refusal in lines.filter_map(Refused::of) {
            if !found.contains(&refusal) {
                found.push(refusal);
            }
        }
    }
    found
}

/// Whether a binding names an account.
pub(crate) fn binds(binding: &Value, account: &ObjectRef) -> bool {
    let own = field::text(binding, "/metadata/namespace");
    field::items(binding, "/subjects").iter().any(|subject| {
        field::text(subject, "/kind") == Some("ServiceAccount")
            && field::text(subject, "/name") == Some(&account.name)
            && field::text(subject, "/namespace").or(own) == account.namespace.as_deref()
    })
}

/// The role that a binding gives.
pub(crate) fn role(binding: &Value) -> Option<ObjectRef> {
    let name = field::text(binding, "/roleRef/name")?;
    match field::text(binding, "/roleRef/kind")? {
        "Role" => Some(ObjectRef::namespaced("Role", field::text(binding, "/metadata/namespace")?, name)),
        kind => Some(ObjectRef::cluster(kind, name)),
    }
}

/// Whether a recorded change took a right from an account that is refused something: a binding of it was deleted.
pub(crate) fn took(change: &Change, refused: &[Refused]) -> bool {
    let of_account = |refusal: &Refused| {
        let subject = format!("subjects[ServiceAccount {}/{}]", refusal.account_namespace, refusal.account);
        change.fields.iter().any(|field| field.path == subject)
    };
    change.kind == ChangeKind::Deleted
        && ["RoleBinding", "ClusterRoleBinding"].contains(&change.object.kind.as_str())
        && refused.iter().any(of_account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_from_plain_and_from_quoted_text() {
        let expected = Refused {
            account_namespace: "shop".to_owned(),
            account: "cart".to_owned(),
            verb: "list".to_owned(),
            resource: "pods".to_owned(),
            namespace: Some("shop".to_owned()),
        };
        let plain = r#"pods is forbidden: User "system:serviceaccount:shop:cart" cannot list resource "pods" in API group "" in the namespace "shop""#;
        assert_eq!(Refused::of(plain), Some(expected.clone()));
        assert_eq!(Refused::of(&plain.replace('"', "\\\"")), Some(expected));
        assert_eq!(Refused::of("system:serviceaccount:shop:cart is well"), None);
    }
}
