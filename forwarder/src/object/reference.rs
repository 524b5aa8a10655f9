//! What a pod names in its namespace.

use marple_core::{Labels, Need};

use super::pod::PodSpec;
use super::view::view;

/// The account that every pod runs as which names none: that it is so says nothing.
const DEFAULT_ACCOUNT: &str = "default";

view! {
    /// An object by its name.
    pub struct Named {
        /// Its name.
        pub name: Option<String>,
    }

    /// A variable of a container.
    pub struct Variable {
        /// Where its value comes from, where it isn't given.
        pub value_from: Option<VariableValue>,
    }

    /// Where a variable's value comes from.
    pub struct VariableValue {
        /// A key of a ConfigMap.
        pub config_map_key_ref: Option<Named>,
        /// A key of a Secret.
        pub secret_key_ref: Option<Named>,
    }

    /// Where variables come from: all keys of one of these.
    pub struct VariableSource {
        /// A ConfigMap.
        pub config_map_ref: Option<Named>,
        /// A Secret.
        pub secret_ref: Option<Named>,
    }

    /// A volume of a pod: one of these is there, or what is in no object.
    pub struct VolumeSource {
        /// A ConfigMap.
        pub config_map: Option<Named>,
        /// A Secret.
        pub secret: Option<NamedSecret>,
        /// A claim.
        pub persistent_volume_claim: Option<NamedClaim>,
        /// Several in one.
        pub projected: Option<Projected>,
    }

    /// A Secret, as volumes name it.
    pub struct NamedSecret {
        /// Its name.
        pub secret_name: Option<String>,
    }

    /// A claim, as volumes name it.
    pub struct NamedClaim {
        /// Its name.
        pub claim_name: Option<String>,
    }

    /// Several volumes in one.
    pub struct Projected {
        /// They.
        pub sources: Vec<Projection>,
    }

    /// One of several.
    pub struct Projection {
        /// A ConfigMap.
        pub config_map: Option<Named>,
        /// A Secret.
        pub secret: Option<Named>,
    }

    /// From what pods are made.
    pub struct PodTemplate {
        /// What names them.
        pub metadata: TemplateMetadata,
        /// What is wanted of them.
        pub spec: PodSpec,
    }

    /// What names the pods of a template.
    pub struct TemplateMetadata {
        /// Their labels.
        pub labels: Labels,
    }
}

impl PodSpec {
    /// The `ConfigMaps`, Secrets, claims and the account that it names. The one of the cluster's certificate, which every
    /// pod has, is none of them.
    pub fn needs(&self) -> impl Iterator<Item = Need> {
        const CONFIG_MAP: &str = "ConfigMap";
        const SECRET: &str = "Secret";
        let containers = || self.init_containers.iter().chain(&self.containers);
        let name = |named: &Option<Named>| named.as_ref().and_then(|named| named.name.clone());
        let values = containers().flat_map(|container| &container.env).filter_map(|one| one.value_from.as_ref());
        let values = values.flat_map(move |value| {
            [(CONFIG_MAP, name(&value.config_map_key_ref)), (SECRET, name(&value.secret_key_ref))]
        });
        let sources = containers().flat_map(|container| &container.env_from);
        let sources = sources
            .flat_map(move |source| [(CONFIG_MAP, name(&source.config_map_ref)), (SECRET, name(&source.secret_ref))]);
        let volumes = self.volumes.iter().flat_map(move |volume| {
            let secret = volume.secret.as_ref().and_then(|secret| secret.secret_name.clone());
            let claim = volume.persistent_volume_claim.as_ref().and_then(|claim| claim.claim_name.clone());
            [(CONFIG_MAP, name(&volume.config_map)), (SECRET, secret), ("PersistentVolumeClaim", claim)]
        });
        let projected = self.volumes.iter().filter_map(|volume| volume.projected.as_ref());
        let projected = projected.flat_map(|projected| &projected.sources).flat_map(move |source| {
            let certificate = |name: &String| name != "kube-root-ca.crt";
            [(CONFIG_MAP, name(&source.config_map).filter(certificate)), (SECRET, name(&source.secret))]
        });
        let pulls = self.image_pull_secrets.iter().map(|secret| (SECRET, secret.name.clone()));
        let account = self.service_account_name.clone().filter(|name| name != DEFAULT_ACCOUNT);
        let all = values.chain(sources).chain(volumes).chain(projected).chain(pulls);
        all.chain([("ServiceAccount", account)]).filter_map(|(kind, name)| Some(Need::new(kind, name?)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use crate::object::Pod;

    #[test]
    fn each_way_to_name_an_object_is_known() {
        let pod: Pod = serde_json::from_value(json!({"spec": {
            "serviceAccountName": "cart", "imagePullSecrets": [{"name": "registry"}, 3],
            "initContainers": [{"name": "first", "envFrom": [{"secretRef": {"name": "all"}}, {"configMapRef": {"name": "defaults"}}]}],
            "containers": [{"name": "app", "env": [{"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "c"}}},
                {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}],
            "volumes": [{"name": "a", "configMap": {"name": "files"}}, {"name": "b", "secret": {"secretName": "tls"}},
                {"name": "c", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "d", "emptyDir": {}},
                {"name": "e", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}},
                    {"secret": {"name": "both"}}, {"configMap": {"name": ["x"]}}]}}]}}))
        .unwrap();
        let needs: BTreeSet<String> = pod.spec.needs().map(|need| need.to_string()).collect();
        let wanted = [
            "ConfigMap defaults",
            "ConfigMap files",
            "ConfigMap settings",
            "PersistentVolumeClaim data",
            "Secret all",
            "Secret both",
            "Secret db",
            "Secret registry",
            "Secret tls",
            "ServiceAccount cart",
        ];
        assert_eq!(needs, wanted.map(str::to_owned).into());
    }

    #[test]
    fn the_account_of_every_pod_is_none_that_it_names() {
        let pod: Pod = serde_json::from_value(json!({"spec": {"serviceAccountName": "default"}})).unwrap();
        assert_eq!(pod.spec.needs().count(), 0);
    }
}
