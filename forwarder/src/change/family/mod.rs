//! The kinds whose changes are told, and which fields of each. A kind is one row here; a family of kinds is one file.

mod admission;
mod configuration;
mod delivery;
mod identity;
mod limit;
mod network;
mod node;
mod rights;
mod scaling;
mod secret;
mod storage;
#[cfg(test)]
mod tests;
mod workload;

use kube::api::ApiResource;

use super::trim::Trim;

/// A kind whose changes are told.
#[derive(Debug)]
pub(crate) struct Family {
    /// Its name.
    pub(crate) kind: &'static str,
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    /// Whether its objects are in namespaces.
    pub(crate) namespaced: bool,
    /// Whether only metadata is read: the rest never leaves the API server.
    pub(crate) metadata_only: bool,
    /// Whether many clusters don't have it.
    pub(crate) optional: bool,
    /// Takes the fields that matter, or says that the object concerns nobody.
    pub(super) trim: fn(&mut Trim<'_>),
}

impl Family {
    const fn of(kind: &'static str, api: (&'static str, &'static str, &'static str), trim: fn(&mut Trim<'_>)) -> Self {
        let (group, version, plural) = api;
        Self { kind, group, version, plural, namespaced: true, metadata_only: false, optional: false, trim }
    }

    const fn of_cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    const fn metadata_only(self) -> Self {
        Self { metadata_only: true, ..self }
    }

    const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// How the API server is asked for it.
    pub(crate) fn resource(&self) -> ApiResource {
        let api_version = match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        };
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version,
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }

    /// Which rule lets it be watched.
    pub(crate) fn rule(&self) -> (&'static str, &'static str) {
        (self.group, self.plural)
    }

    /// The family of a kind.
    pub(crate) fn named(kind: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.kind == kind)
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const GATEWAY: &str = "gateway.networking.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// All of them.
pub(crate) static FAMILIES: &[Family] = &[
    Family::of("Deployment", ("apps", "v1", "deployments"), workload::trim),
    Family::of("StatefulSet", ("apps", "v1", "statefulsets"), workload::trim),
    Family::of("DaemonSet", ("apps", "v1", "daemonsets"), workload::trim),
    Family::of("CronJob", ("batch", "v1", "cronjobs"), workload::trim_cron_job),
    Family::of("Job", ("batch", "v1", "jobs"), workload::trim_job),
    Family::of("ConfigMap", ("", "v1", "configmaps"), configuration::trim),
    Family::of("Secret", ("", "v1", "secrets"), secret::trim).metadata_only(),
    Family::of("Service", ("", "v1", "services"), network::trim_service),
    Family::of("Ingress", (NETWORKING, "v1", "ingresses"), network::trim_ingress),
    Family::of("NetworkPolicy", (NETWORKING, "v1", "networkpolicies"), network::trim_specification),
    Family::of("Gateway", (GATEWAY, "v1", "gateways"), network::trim_specification).optional(),
    Family::of("HTTPRoute", (GATEWAY, "v1", "httproutes"), network::trim_specification).optional(),
    Family::of("Role", (RBAC, "v1", "roles"), rights::trim_role),
    Family::of("RoleBinding", (RBAC, "v1", "rolebindings"), rights::trim_binding),
    Family::of("ClusterRole", (RBAC, "v1", "clusterroles"), rights::trim_role).of_cluster(),
    Family::of("ClusterRoleBinding", (RBAC, "v1", "clusterrolebindings"), rights::trim_binding).of_cluster(),
    Family::of("ServiceAccount", ("", "v1", "serviceaccounts"), identity::trim_account),
    Family::of("Namespace", ("", "v1", "namespaces"), identity::trim_namespace).of_cluster(),
    Family::of("ResourceQuota", ("", "v1", "resourcequotas"), limit::trim_quota),
    Family::of("LimitRange", ("", "v1", "limitranges"), limit::trim_range),
    Family::of("PriorityClass", ("scheduling.k8s.io", "v1", "priorityclasses"), limit::trim_priority).of_cluster(),
    Family::of("HorizontalPodAutoscaler", ("autoscaling", "v2", "horizontalpodautoscalers"), scaling::trim),
    Family::of("PodDisruptionBudget", ("policy", "v1", "poddisruptionbudgets"), scaling::trim),
    Family::of("Node", ("", "v1", "nodes"), node::trim).of_cluster(),
    Family::of("PersistentVolumeClaim", ("", "v1", "persistentvolumeclaims"), storage::trim_claim),
    Family::of("PersistentVolume", ("", "v1", "persistentvolumes"), storage::trim_volume).of_cluster(),
    Family::of("StorageClass", ("storage.k8s.io", "v1", "storageclasses"), storage::trim_class).of_cluster(),
    Family::of("ValidatingWebhookConfiguration", (ADMISSION, "v1", "validatingwebhookconfigurations"), admission::trim)
        .of_cluster(),
    Family::of("MutatingWebhookConfiguration", (ADMISSION, "v1", "mutatingwebhookconfigurations"), admission::trim)
        .of_cluster(),
    Family::of("Application", ("argoproj.io", "v1alpha1", "applications"), delivery::trim_argo).optional(),
    Family::of("Kustomization", ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations"), delivery::trim_flux)
        .optional(),
    Family::of("HelmRelease", ("helm.toolkit.fluxcd.io", "v2", "helmreleases"), delivery::trim_flux).optional(),
];
