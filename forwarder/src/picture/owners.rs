//! Who owns an object at the top, by ownerReferences.

use super::objects::Objects;
use crate::object::{Kind, ObjectKey, Owner};

/// Chains are three long at most in Kubernetes itself; a ring in someone's ownerReferences must end too.
const LONGEST: usize = 8;

/// The top of the chain that begins with this owner.
pub(super) fn top(first: Owner, namespace: &str, objects: &Objects) -> Owner {
    let mut top = first;
    for _ in 0..LONGEST {
        let Some(kind) = Kind::named(&top.kind) else { break };
        let Some(next) = objects.owner(&ObjectKey::new(kind, namespace, &top.name)) else { break };
        top = next.clone();
    }
    top
}

/// The label that kube-state-metrics and its rules give to a workload of this kind.
pub(super) fn label(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Deployment" => "deployment",
        "StatefulSet" => "statefulset",
        "DaemonSet" => "daemonset",
        "ReplicaSet" => "replicaset",
        "CronJob" => "cronjob",
        "Job" => "job_name",
        "PersistentVolumeClaim" => "persistentvolumeclaim",
        "PersistentVolume" => "persistentvolume",
        "HorizontalPodAutoscaler" => "horizontalpodautoscaler",
        "Service" => "service",
        "Namespace" => "namespace",
        "HelmRelease" => "helm_release",
        "Pod" => "pod",
        "Node" => "node",
        _ => return None,
    })
}
