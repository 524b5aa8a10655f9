//! Says which permission is missing.

use crate::config::Scope;

/// Which rule lets these resources be watched, as a sentence for who grants it.
pub(super) fn missing(group: &str, plural: &str, scope: &Scope) -> String {
    let role = match scope {
        Scope::Cluster => "its ClusterRole".to_owned(),
        Scope::Namespace(namespace) => format!("its Role in namespace {namespace}"),
    };
    format!(
        "{plural} can't be watched {scope}: add to {role} the rule apiGroups: [{group:?}], resources: [{plural:?}], \
         verbs: [\"list\", \"watch\"]"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_can_be_pasted() {
        assert_eq!(
            missing("apps", "deployments", &Scope::Namespace("shop".to_owned())),
            "deployments can't be watched in namespace shop: add to its Role in namespace shop the rule \
             apiGroups: [\"apps\"], resources: [\"deployments\"], verbs: [\"list\", \"watch\"]"
        );
    }
}
