//! A pod.

use serde_json::Value;

use super::Page;
use super::container::{container, volume};
use crate::kubernetes::clock::Clock;
use crate::kubernetes::field::{items, pairs, text, time};
use crate::kubernetes::pods::Summary;

/// What a pod is and what state it is in.
pub(crate) fn pod(page: &mut Page, pod: &Value, clock: Clock) {
    page.field(0, "status", Summary::of(pod).told(clock));
    let message = text(pod, "/status/message").unwrap_or_default();
    page.field(0, "message", message);
    if let Some(at) = time(pod, "/metadata/deletionTimestamp") {
        page.field(0, "being deleted, its grace ends", clock.when(at));
    }
    let node = match (text(pod, "/spec/nodeName"), text(pod, "/status/hostIP")) {
        (Some(node), Some(address)) => format!("{node} ({address})"),
        (Some(node), None) => node.to_owned(),
        (None, _) => "(not scheduled)".to_owned(),
    };
    page.field(0, "node", node);
    page.field(0, "pod IP", text(pod, "/status/podIP").unwrap_or_default());
    page.field(0, "service account", text(pod, "/spec/serviceAccountName").unwrap_or_default());
    page.field(0, "QoS class", text(pod, "/status/qosClass").unwrap_or_default());
    let priority = text(pod, "/spec/priorityClassName").unwrap_or_default();
    page.field(0, "priority class", priority);
    if let Some(policy) = text(pod, "/spec/restartPolicy").filter(|policy| *policy != "Always") {
        page.field(0, "restart policy", policy);
    }
    page.field(0, "security", pairs(pod, "/spec/securityContext"));
    placement(page, pod);
    for (title, specs, statuses) in [
        ("init containers", "/spec/initContainers", "/status/initContainerStatuses"),
        ("containers", "/spec/containers", "/status/containerStatuses"),
        ("ephemeral containers", "/spec/ephemeralContainers", "/status/ephemeralContainerStatuses"),
    ] {
        for (index, spec) in items(pod, specs).enumerate() {
            if index == 0 {
                page.line(0, format!("{title}:"));
            }
            let status = items(pod, statuses).find(|status| status.get("name") == spec.get("name"));
            container(page, 1, spec, status, clock);
        }
    }
    let volumes: Vec<String> = items(pod, "/spec/volumes").filter_map(volume).collect();
    page.section("volumes", &volumes, 30, None);
}

/// What limits where a pod, or those of a template, may run.
pub(super) fn placement(page: &mut Page, pod: &Value) {
    page.field(0, "node selector", pairs(pod, "/spec/nodeSelector"));
    if let Some(affinity) = pod.pointer("/spec/affinity") {
        page.field(0, "affinity", affinity.to_string());
    }
    // The two that every pod is given say nothing.
    let given = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    let tolerations: Vec<String> = items(pod, "/spec/tolerations")
        .filter(|toleration| !text(toleration, "/key").is_some_and(|key| given.contains(&key)))
        .map(|toleration| {
            let value = text(toleration, "/value").map(|value| format!("={value}")).unwrap_or_default();
            let effect = text(toleration, "/effect").map(|effect| format!(":{effect}")).unwrap_or_default();
            format!("{}{value}{effect}", text(toleration, "/key").unwrap_or("(all taints)"))
        })
        .collect();
    page.field(0, "tolerations", tolerations.join(", "));
}
