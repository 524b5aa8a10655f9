//! Says which permission is missing.

use kube::Resource;

use crate::config::Scope;

/// Which rule lets this kind be watched, as a sentence for who grants it.
pub(super) fn missing<V: Resource<DynamicType = ()>>(scope: &Scope) -> String {
    let role = match scope {
        Scope::Cluster => "its ClusterRole".to_owned(),
        Scope::Namespace(namespace) => format!("its Role in namespace {namespace}"),
    };
    format!(
        "{} can't be watched {scope}: add to {role} the rule apiGroups: [{:?}], resources: [{:?}], verbs: [\"list\", \"watch\"]",
        V::plural(&()),
        V::group(&()),
        V::plural(&()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Deployment;

    #[test]
    fn the_rule_can_be_pasted() {
        assert_eq!(
            missing::<Deployment>(&Scope::Namespace("shop".to_owned())),
            "deployments can't be watched in namespace shop: add to its Role in namespace shop the rule \
             apiGroups: [\"apps\"], resources: [\"deployments\"], verbs: [\"list\", \"watch\"]"
        );
    }
}
