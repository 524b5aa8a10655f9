//! What an object hangs together with.

use kube::core::ObjectMeta;
use marple_core::links::Owner;
use marple_core::{Labels, Links, Need, Selector};

use crate::object::{Kind, Object, PodSelector, PodTemplate, helm_release_of};

/// Whether the links of objects of a kind are told.
pub(super) const fn is_linked(kind: &Kind) -> bool {
    match kind {
        Kind::Pod
        | Kind::Deployment
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::ReplicaSet
        | Kind::Job
        | Kind::CronJob
        | Kind::Node
        | Kind::Service
        | Kind::PersistentVolume
        | Kind::PersistentVolumeClaim
        | Kind::HorizontalPodAutoscaler
        | Kind::PodDisruptionBudget
        | Kind::NetworkPolicy => true,
        Kind::Namespace
        | Kind::StorageClass
        | Kind::APIService
        | Kind::Secret
        | Kind::Event
        | Kind::HelmRelease
        | Kind::Custom(_) => false,
    }
}

/// What an object hangs together with; nothing of one that hangs on nothing that matters, as a ReplicaSet of an old
/// revision: a cluster holds up to ten of them a Deployment.
pub(super) fn links(object: &Object) -> Option<Links> {
    let base = || of_metadata(object.metadata());
    let links = match object {
        Object::Pod(pod) => Links {
            node: pod.spec.node_name.clone(),
            needs: pod.spec.needs().collect(),
            labels: pod.metadata.labels.iter().flatten().collect(),
            ..base()
        },
        Object::Deployment(object) => templated(base(), &object.spec.template),
        Object::DaemonSet(object) => templated(base(), &object.spec.template),
        Object::StatefulSet(object) => {
            let mut links = templated(base(), &object.spec.template);
            links.needs.extend(object.spec.service_name.iter().map(|name| Need::new("Service", name)));
            links
        }
        Object::CronJob(object) => templated(base(), &object.spec.job_template.spec.template),
        // Its pods name the same.
        Object::Job(object) if base().owner.is_some() => of_metadata(&object.metadata),
        Object::Job(object) => templated(base(), &object.spec.template),
        Object::ReplicaSet(set) => {
            let links = base();
            let old = links.owner.is_some() && set.spec.replicas == Some(0) && set.status.replicas == 0;
            return (!old).then(|| links.bounded());
        }
        Object::Service(service) => Links { selector: of_labels(&service.spec.selector), ..base() },
        Object::Budget(budget) => {
            Links { selector: budget.spec.selector.as_ref().and_then(PodSelector::selector), ..base() }
        }
        Object::Policy(policy) => Links { selector: policy.spec.pod_selector.selector(), ..base() },
        Object::Autoscaler(scaler) => {
            let target = &scaler.spec.scale_target_ref;
            let target = (!target.name.is_empty()).then(|| Need::new(&target.kind, &target.name));
            Links { scales: target, ..base() }
        }
        Object::Claim(claim) => {
            let volume = claim.spec.volume_name.iter().map(|name| Need::new("PersistentVolume", name));
            let class = claim.spec.storage_class_name.iter().map(|name| Need::new("StorageClass", name));
            Links { needs: volume.chain(class).collect(), ..base() }
        }
        Object::Node(_) | Object::Volume(_) => base(),
        Object::Namespace(_)
        | Object::StorageClass(_)
        | Object::ApiService(_)
        | Object::RevisionSecret(_)
        | Object::Release(_)
        | Object::Custom(..)
        | Object::Event(_) => return None,
    };
    Some(links.bounded())
}

fn of_metadata(metadata: &ObjectMeta) -> Links {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    let owner = owners.iter().find(|owner| owner.controller == Some(true));
    Links {
        uid: metadata.uid.clone().unwrap_or_default(),
        owner: owner.map(|owner| Owner {
            api_version: owner.api_version.clone(),
            kind: owner.kind.clone(),
            name: owner.name.clone(),
        }),
        release: helm_release_of(metadata),
        ..Links::default()
    }
}

fn templated(links: Links, template: &PodTemplate) -> Links {
    Links { needs: template.spec.needs().collect(), labels: template.metadata.labels.clone(), ..links }
}

/// A Service without a selector leads to what somebody else says.
fn of_labels(labels: &Labels) -> Option<Selector> {
    (!labels.is_empty()).then(|| Selector { labels: labels.clone(), ..Selector::default() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;
    use crate::watch::object_of;

    fn told(kind: &str, object: &Value) -> Option<Value> {
        let links = links(&object_of(kind, object.clone()).unwrap().unwrap());
        links.map(|links| serde_json::to_value(links).unwrap())
    }

    #[test]
    fn a_pod_tells_its_owner_its_node_what_it_needs_and_its_labels() {
        let pod = json!({"metadata": {"name": "cart-1-a", "namespace": "shop", "uid": "u", "labels": {"app": "cart"},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Other", "name": "o", "uid": "o"},
                    {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "cart-1", "uid": "r", "controller": true}]},
            "spec": {"nodeName": "worker", "containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "settings"}}]}]}});
        let wanted = json!({"uid": "u", "owner": {"api_version": "apps/v1", "kind": "ReplicaSet", "name": "cart-1"},
            "node": "worker", "needs": [{"kind": "ConfigMap", "name": "settings"}], "labels": {"app": "cart"}});
        assert_eq!(told("Pod", &pod), Some(wanted));
    }

    #[test]
    fn a_workload_tells_what_its_pods_need_and_which_release_made_it() {
        let spec = json!({"containers": [{"name": "app", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db"}}}]}]});
        let template = json!({"metadata": {"labels": {"app": "cart"}}, "spec": spec});
        let metadata =
            json!({"name": "cart", "namespace": "shop", "annotations": {"meta.helm.sh/release-name": "shop"}});
        let wanted = json!({"needs": [{"kind": "Secret", "name": "db"}], "labels": {"app": "cart"},
            "release": {"kind": "HelmRelease", "namespace": "shop", "name": "shop"}});
        for kind in ["Deployment", "StatefulSet", "DaemonSet", "Job"] {
            let object = json!({"metadata": metadata, "spec": {"template": template}});
            assert_eq!(told(kind, &object).as_ref(), Some(&wanted), "{kind}");
        }
        let spec = json!({"jobTemplate": {"spec": {"template": template}}});
        assert_eq!(told("CronJob", &json!({"metadata": metadata, "spec": spec})), Some(wanted));
    }

    #[test]
    fn what_selects_and_what_scales_tells_what() {
        let of = |spec: Value| json!({"metadata": {"name": "a", "namespace": "shop"}, "spec": spec});
        let labels = json!({"app": "cart"});
        let plain = Some(json!({"selector": {"labels": labels}}));
        assert_eq!(told("Service", &of(json!({"selector": labels}))), plain);
        assert_eq!(told("Service", &of(json!({"type": "ExternalName"}))), Some(json!({})));
        assert_eq!(told("PodDisruptionBudget", &of(json!({"selector": {"matchLabels": labels}}))), plain);
        assert_eq!(told("NetworkPolicy", &of(json!({"podSelector": {}}))), Some(json!({"selector": {}})));
        let odd = json!({"podSelector": {"matchExpressions": [{"key": "a", "operator": "Perhaps"}]}});
        assert_eq!(told("NetworkPolicy", &of(odd)), Some(json!({})), "what it selects is not known");
        let scales = json!({"scaleTargetRef": {"kind": "Deployment", "name": "cart"}});
        let wanted = Some(json!({"scales": {"kind": "Deployment", "name": "cart"}}));
        assert_eq!(told("HorizontalPodAutoscaler", &of(scales)), wanted);
    }

    #[test]
    fn a_replica_set_of_an_old_revision_is_not_told() {
        let owner =
            json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart", "uid": "d", "controller": true}]);
        let set = |replicas: u32, owner: &Value| {
            let metadata = json!({"name": "cart-1", "namespace": "shop", "ownerReferences": owner});
            told("ReplicaSet", &json!({"metadata": metadata, "spec": {"replicas": replicas}})).is_some()
        };
        assert!(set(1, &owner) && !set(0, &owner) && set(0, &json!([])));
    }

    #[test]
    fn a_hundred_owners_are_one() {
        let owners: Vec<Value> = (0..100)
            .map(|number| json!({"apiVersion": "v1", "kind": "Widget", "name": format!("w{number}"), "uid": "u", "controller": true}))
            .collect();
        let pod = json!({"metadata": {"name": "a", "namespace": "shop", "ownerReferences": owners}});
        let wanted = json!({"owner": {"api_version": "v1", "kind": "Widget", "name": "w0"}});
        assert_eq!(told("Pod", &pod), Some(wanted));
    }
}
