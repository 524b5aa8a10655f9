//! Roles, their bindings, and service accounts.

use serde_json::Value;

use super::Page;
use super::storage::list;
use crate::kubernetes::field::{flag, items, text};

/// What a role allows.
pub(super) fn role(page: &mut Page, role: &Value) {
    let selectors: Vec<String> =
        items(role, "/aggregationRule/clusterRoleSelectors").filter_map(crate::kubernetes::selector::query).collect();
    page.field(0, "gathers the rules of ClusterRoles with", selectors.join(", or "));
    let rules: Vec<String> = items(role, "/rules").map(rule).collect();
    page.section("allows", &rules, 200, Some("nothing"));
}

/// As `get, list: pods, deployments.apps`.
pub(crate) fn rule(rule: &Value) -> String {
    let groups: Vec<&str> = items(rule, "/apiGroups").filter_map(Value::as_str).collect();
    let resources: Vec<String> = items(rule, "/resources")
        .filter_map(Value::as_str)
        .flat_map(|resource| {
            groups.iter().map(move |group| match *group {
                "" => resource.to_owned(),
                group => format!("{resource}.{group}"),
            })
        })
        .collect();
    let names = list(rule, "/resourceNames");
    let names = if names.is_empty() { names } else { format!(" named {names}") };
    let what = [resources.join(", "), list(rule, "/nonResourceURLs")];
    let what = what.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    format!("{}: {what}{names}", list(rule, "/verbs"))
}

/// Which role a binding gives to whom.
pub(super) fn binding(page: &mut Page, binding: &Value) {
    let part = |pointer: &str| text(binding, pointer).unwrap_or_default();
    page.field(0, "gives", format!("{} {}", part("/roleRef/kind"), part("/roleRef/name")));
    let subjects: Vec<String> = items(binding, "/subjects").map(subject).collect();
    page.section("to", &subjects, 100, Some("nobody"));
}

/// As `ServiceAccount shop/cart`.
pub(crate) fn subject(subject: &Value) -> String {
    let space = text(subject, "/namespace").map(|space| format!("{space}/")).unwrap_or_default();
    let part = |pointer: &str| text(subject, pointer).unwrap_or_default();
    format!("{} {space}{}", part("/kind"), part("/name"))
}

/// What a service account brings with it, and what it is bound to.
pub(super) fn account(page: &mut Page, account: &Value) {
    let names = |pointer: &str| {
        items(account, pointer).filter_map(|secret| text(secret, "/name")).collect::<Vec<_>>().join(", ")
    };
    page.field(0, "image pull secrets", names("/imagePullSecrets"));
    page.field(0, "secrets", names("/secrets"));
    if account.get("automountServiceAccountToken").is_some() && !flag(account, "/automountServiceAccountToken") {
        page.line(0, "its token is not mounted into pods (automountServiceAccountToken)");
    }
}
