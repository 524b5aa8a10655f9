#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::json;

use super::roles::grants_of;
use super::*;

fn deed(verb: &str, group: &str, resource: &str, namespace: Option<&str>, name: Option<&str>) -> Deed {
    let (resource, subresource) = match resource.split_once('/') {
        Some((resource, sub)) => (resource, Some(sub.to_owned())),
        None => (resource, None),
    };
    Deed {
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        subresource,
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
    }
}

#[test]
fn a_subject_is_read_as_people_write_it() {
    let account = Some(Subject::Account("shop".to_owned(), "cart".to_owned()));
    assert_eq!(Subject::parse("shop/cart", None), account);
    assert_eq!(Subject::parse("system:serviceaccount:shop:cart", None), account);
    assert_eq!(Subject::parse("cart", Some("shop")), account);
    assert_eq!(Subject::parse("cart", None), None);
    assert_eq!(Subject::parse("user:alice", None), Some(Subject::User("alice".to_owned())));
    assert_eq!(Subject::parse(" ", Some("shop")), None);
}

#[test]
fn bindings_allow_what_their_roles_say_where_they_hold() {
    let role = json!({"kind": "Role", "metadata": {"namespace": "shop", "name": "reader"}, "rules": [
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["settings"], "verbs": ["get", "list"]}]});
    let edit = json!({"kind": "ClusterRole", "metadata": {"name": "edit"}, "rules": [
        {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}, {"apiGroups": ["*"], "resources": ["*/scale"], "verbs": ["update"]}]});
    let binding = |kind: &str, space: Option<&str>, name: &str, role: (&str, &str), subject: Value| json!({"kind": kind, "metadata": {"namespace": space, "name": name}, "roleRef": {"kind": role.0, "name": role.1}, "subjects": [subject]});
    let cart = json!({"kind": "ServiceAccount", "name": "cart", "namespace": "shop"});
    let shop = json!({"kind": "Group", "name": "system:serviceaccounts:shop"});
    let other = json!({"kind": "ServiceAccount", "name": "cart", "namespace": "other"});
    let bindings = [
        binding("RoleBinding", Some("shop"), "read", ("Role", "reader"), cart.clone()),
        binding("RoleBinding", Some("shop"), "edit", ("ClusterRole", "edit"), shop),
        binding("RoleBinding", Some("shop"), "gone", ("Role", "gone"), cart),
        binding("ClusterRoleBinding", None, "others", ("ClusterRole", "edit"), other),
    ];
    let subject = Subject::parse("shop/cart", None).unwrap();
    let grants = grants_of(&subject, &bindings, &[role, edit]);
    assert_eq!(grants.dangling, ["RoleBinding shop/gone → Role gone"]);
    let may = |deed: Deed| grants.allowing(&deed).first().map(|grant| grant.by.clone());
    let read = Some("RoleBinding shop/read → Role reader".to_owned());
    let edited = Some("RoleBinding shop/edit → ClusterRole edit".to_owned());
    assert_eq!(may(deed("get", "", "pods/log", Some("shop"), None)), read);
    assert_eq!(may(deed("get", "", "pods", Some("other"), None)), None, "elsewhere");
    assert_eq!(may(deed("get", "", "pods", None, None)), None, "in the whole cluster");
    assert_eq!(may(deed("get", "", "configmaps", Some("shop"), Some("settings"))), read);
    assert_eq!(may(deed("get", "", "configmaps", Some("shop"), Some("others"))), None);
    assert_eq!(may(deed("list", "", "configmaps", Some("shop"), None)), None, "a named rule lists nothing");
    assert_eq!(may(deed("delete", "apps", "deployments", Some("shop"), None)), edited);
    assert_eq!(may(deed("update", "batch", "jobs/scale", Some("shop"), None)), edited);
    assert_eq!(may(deed("get", "", "secrets", Some("shop"), None)), None);
}
