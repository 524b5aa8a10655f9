//! Which Kubernetes object an alert is about, told from its labels.

use crate::{Labels, ObjectRef};

/// Labels by which a rule's author names an object, the most telling first: a workload before what it owns.
const WORKLOADS: [(&str, &str); 11] = [
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("cronjob", "CronJob"),
    ("job_name", "Job"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("poddisruptionbudget", "PodDisruptionBudget"),
    ("resourcequota", "ResourceQuota"),
    ("ingress", "Ingress"),
    ("replicaset", "ReplicaSet"),
];

/// The object's own labels behind a scrape without `honor_labels`, where `pod` and `service` name the exporter.
const EXPORTED: [(&str, &str); 2] = [("exported_pod", "Pod"), ("exported_service", "Service")];

/// Labels that the scrape adds to an application's own metrics.
const SCRAPED: [(&str, &str); 3] = [("pod", "Pod"), ("pod_name", "Pod"), ("service", "Service")];

/// The object that these labels name, or nothing where they name none.
///
/// Values that hold `kube-state-metrics` are skipped: they name the exporter that was scraped, not the object. A
/// `node` is taken before a `pod` where the alert's name or labels show that it is about the node; `instance` is an
/// address and left to who can look it up. An alert that names only a namespace is about the namespace.
pub fn subject(name: &str, labels: &Labels) -> Option<ObjectRef> {
    let value = |label: &str| labels.get(label).filter(|value| !value.contains("kube-state-metrics"));
    let namespace = value("exported_namespace").or_else(|| value("namespace"));
    let node = value("node").or_else(|| value("exported_node"));
    let about_node =
        ["Node", "Kubelet", "Host"].iter().any(|prefix| name.strip_prefix("Kube").unwrap_or(name).starts_with(prefix));
    if let (true, Some(node)) = (about_node, node) {
        return Some(ObjectRef::cluster("Node", node));
    }
    if let Some(volume) = value("persistentvolume") {
        return Some(ObjectRef::cluster("PersistentVolume", volume));
    }
    if let Some(namespace) = namespace {
        let find = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .find_map(|(label, kind)| value(label).map(|name| ObjectRef::namespaced(*kind, namespace, name)))
        };
        return find(&WORKLOADS)
            .or_else(|| find(&EXPORTED))
            .or_else(|| find(&SCRAPED))
            .or_else(|| node.map(|node| ObjectRef::cluster("Node", node)))
            .or_else(|| Some(ObjectRef::cluster("Namespace", namespace)));
    }
    node.map(|node| ObjectRef::cluster("Node", node))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, labels: &[(&str, &str)]) -> Option<String> {
        subject(name, &labels.iter().copied().collect()).map(|object| object.to_string())
    }

    #[test]
    fn a_workload_goes_before_its_pod() {
        let labels = [("namespace", "shop"), ("pod", "cart-1"), ("deployment", "cart")];
        assert_eq!(of("X", &labels).as_deref(), Some("Deployment shop/cart"));
    }

    #[test]
    fn the_exporter_is_never_the_subject() {
        let labels = [
            ("namespace", "shop"),
            ("pod", "kube-state-metrics-0"),
            ("service", "kube-state-metrics"),
            ("exported_pod", "cart-1"),
        ];
        assert_eq!(of("X", &labels).as_deref(), Some("Pod shop/cart-1"));
    }

    #[test]
    fn an_alert_of_a_node_is_about_the_node_though_a_pod_is_named() {
        let labels = [("namespace", "monitoring"), ("pod", "node-exporter-x"), ("node", "worker-1")];
        assert_eq!(of("KubeNodeNotReady", &labels).as_deref(), Some("Node worker-1"));
        assert_eq!(of("NodeFilesystemAlmostOutOfSpace", &labels).as_deref(), Some("Node worker-1"));
        assert_eq!(of("KubePodCrashLooping", &labels).as_deref(), Some("Pod monitoring/node-exporter-x"));
    }

    #[test]
    fn a_namespace_alone_is_the_subject_and_nothing_is_nothing() {
        assert_eq!(of("KubeQuotaExceeded", &[("namespace", "shop")]).as_deref(), Some("Namespace shop"));
        assert_eq!(of("Watchdog", &[]), None);
    }
}
