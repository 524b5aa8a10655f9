//! The kinds whose changes are told without being asked for. A kind is one row.

use super::{
    admission, configuration, custom, delivery, identity, limit, network, node, rights, scaling, secret, storage,
    workload,
};
use crate::change::trim::Trim;
use crate::object::raw::Reads;

/// A kind whose changes are told without being asked for.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) kind: &'static str,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    pub(super) namespaced: bool,
    pub(super) reads: Reads,
    /// Whether many clusters don't have it: in which version they do, they are asked.
    pub(super) optional: bool,
    pub(super) trim: fn(&mut Trim<'_>),
}

impl Known {
    const fn of(kind: &'static str, api: (&'static str, &'static str, &'static str), trim: fn(&mut Trim<'_>)) -> Self {
        let (group, version, plural) = api;
        Self { kind, group, version, plural, namespaced: true, reads: Reads::Whole, optional: false, trim }
    }

    const fn of_cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    const fn metadata_only(self) -> Self {
        Self { reads: Reads::Metadata, ..self }
    }

    const fn alone(self) -> Self {
        Self { reads: Reads::Alone, ..self }
    }

    const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const GATEWAY: &str = "gateway.networking.k8s.io";
const KEDA: &str = "keda.sh";
const ISTIO: &str = "networking.istio.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// All of them.
pub(crate) static KNOWN: &[Known] = &[
    Known::of("Deployment", ("apps", "v1", "deployments"), workload::trim),
    Known::of("StatefulSet", ("apps", "v1", "statefulsets"), workload::trim),
    Known::of("DaemonSet", ("apps", "v1", "daemonsets"), workload::trim),
    Known::of("CronJob", ("batch", "v1", "cronjobs"), workload::trim_cron_job),
    Known::of("Job", ("batch", "v1", "jobs"), workload::trim_job).alone(),
    Known::of("Pod", ("", "v1", "pods"), workload::trim_pod).alone(),
    Known::of("ReplicaSet", ("apps", "v1", "replicasets"), workload::trim).alone(),
    Known::of("ReplicationController", ("", "v1", "replicationcontrollers"), workload::trim).alone(),
    Known::of("ConfigMap", ("", "v1", "configmaps"), configuration::trim),
    Known::of("Secret", ("", "v1", "secrets"), secret::trim).metadata_only(),
    Known::of("Service", ("", "v1", "services"), network::trim_service),
    Known::of("Ingress", (NETWORKING, "v1", "ingresses"), network::trim_ingress),
    Known::of("NetworkPolicy", (NETWORKING, "v1", "networkpolicies"), network::trim_specification),
    Known::of("Role", (RBAC, "v1", "roles"), rights::trim_role),
    Known::of("RoleBinding", (RBAC, "v1", "rolebindings"), rights::trim_binding),
    Known::of("ClusterRole", (RBAC, "v1", "clusterroles"), rights::trim_role).of_cluster(),
    Known::of("ClusterRoleBinding", (RBAC, "v1", "clusterrolebindings"), rights::trim_binding).of_cluster(),
    Known::of("ServiceAccount", ("", "v1", "serviceaccounts"), identity::trim_account),
    Known::of("Namespace", ("", "v1", "namespaces"), identity::trim_namespace).of_cluster(),
    Known::of("ResourceQuota", ("", "v1", "resourcequotas"), limit::trim_quota),
    Known::of("LimitRange", ("", "v1", "limitranges"), limit::trim_range),
    Known::of("PriorityClass", ("scheduling.k8s.io", "v1", "priorityclasses"), limit::trim_priority).of_cluster(),
    Known::of("HorizontalPodAutoscaler", ("autoscaling", "v2", "horizontalpodautoscalers"), scaling::trim),
    Known::of("PodDisruptionBudget", ("policy", "v1", "poddisruptionbudgets"), scaling::trim),
    Known::of("Node", ("", "v1", "nodes"), node::trim).of_cluster(),
    Known::of("PersistentVolumeClaim", ("", "v1", "persistentvolumeclaims"), storage::trim_claim),
    Known::of("PersistentVolume", ("", "v1", "persistentvolumes"), storage::trim_volume).of_cluster(),
    Known::of("StorageClass", ("storage.k8s.io", "v1", "storageclasses"), storage::trim_class).of_cluster(),
    Known::of("ValidatingWebhookConfiguration", (ADMISSION, "v1", "validatingwebhookconfigurations"), admission::trim)
        .of_cluster(),
    Known::of("MutatingWebhookConfiguration", (ADMISSION, "v1", "mutatingwebhookconfigurations"), admission::trim)
        .of_cluster(),
    Known::of("Application", ("argoproj.io", "v1alpha1", "applications"), delivery::trim_argo).optional(),
    Known::of("Rollout", ("argoproj.io", "v1alpha1", "rollouts"), workload::trim).optional(),
    Known::of("Kustomization", ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations"), delivery::trim_flux).optional(),
    Known::of("HelmRelease", ("helm.toolkit.fluxcd.io", "v2", "helmreleases"), delivery::trim_flux).optional(),
    Known::of("Certificate", ("cert-manager.io", "v1", "certificates"), custom::trim).optional(),
    Known::of("ScaledObject", (KEDA, "v1alpha1", "scaledobjects"), custom::trim).optional(),
    Known::of("ScaledJob", (KEDA, "v1alpha1", "scaledjobs"), custom::trim).optional(),
    Known::of("Gateway", (GATEWAY, "v1", "gateways"), custom::trim).optional(),
    Known::of("HTTPRoute", (GATEWAY, "v1", "httproutes"), custom::trim).optional(),
    Known::of("GRPCRoute", (GATEWAY, "v1", "grpcroutes"), custom::trim).optional(),
    Known::of("TLSRoute", (GATEWAY, "v1", "tlsroutes"), custom::trim).optional(),
    Known::of("TCPRoute", (GATEWAY, "v1alpha2", "tcproutes"), custom::trim).optional(),
    Known::of("VirtualService", (ISTIO, "v1", "virtualservices"), custom::trim).optional(),
    Known::of("DestinationRule", (ISTIO, "v1", "destinationrules"), custom::trim).optional(),
];
