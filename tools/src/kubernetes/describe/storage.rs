//! Volumes, claims, and the classes and drivers that make them.

use serde_json::Value;

use super::Page;
use crate::kubernetes::field::{entries, flag, items, namespace, number, pairs, plain, text};
use crate::kubernetes::{Cluster, LookError};
use crate::view;

/// What a claim is and what state it is in.
pub(super) fn claim(page: &mut Page, claim: &Value, class: Option<Result<Value, LookError>>) {
    let part = |pointer: &str| text(claim, pointer).unwrap_or_default();
    page.field(0, "phase", part("/status/phase"));
    page.field(0, "volume", part("/spec/volumeName"));
    page.field(0, "requested", part("/spec/resources/requests/storage"));
    page.field(0, "capacity", part("/status/capacity/storage"));
    page.field(0, "access modes", list(claim, "/spec/accessModes"));
    page.field(
        0,
        "volume mode",
        Some(part("/spec/volumeMode")).filter(|mode| *mode != "Filesystem").unwrap_or_default(),
    );
    page.field(0, "selector", claim.pointer("/spec/selector").map(Value::to_string).unwrap_or_default());
    for source in ["dataSource", "dataSourceRef"] {
        let pointer = format!("/spec/{source}");
        if let Some(name) = text(claim, &format!("{pointer}/name")) {
            page.field(0, source, format!("{} {name}", text(claim, &format!("{pointer}/kind")).unwrap_or_default()));
        }
    }
    page.field(0, "resize", pairs(claim, "/status/allocatedResourceStatuses"));
    let name = text(claim, "/spec/storageClassName");
    match (name, class) {
        (None, _) => page.line(0, "class: none is named, and there was no default one when it was made"),
        (Some(name), None) => page.field(0, "class", name),
        (Some(name), Some(Ok(class))) => page.field(0, "class", format!("{name} ({})", how(&class))),
        (Some(name), Some(Err(LookError::NotFound { .. }))) if text(claim, "/spec/volumeName").is_some() => {
            page.field(0, "class", format!("{name} (there is none, and a claim that has its volume needs none)"));
        }
        (Some(name), Some(Err(LookError::NotFound { .. }))) => page.field(0, "class", format!("{name}: MISSING")),
        (Some(name), Some(Err(error))) => page.field(0, "class", format!("{name} (could not be seen: {error})")),
    }
}

/// The class that a claim names.
pub(super) async fn class_of(cluster: &Cluster, claim: &Value) -> Option<Result<Value, LookError>> {
    let name = text(claim, "/spec/storageClassName")?;
    let kind = match cluster.kind("storage.k8s.io/StorageClass").await {
        Ok(kind) => kind,
        Err(error) => return Some(Err(error)),
    };
    Some(cluster.read(&kind, &marple_core::ObjectRef::cluster("StorageClass", name)).await)
}

/// As `made by ebs.csi.aws.com, bound when a pod uses it`.
fn how(class: &Value) -> String {
    let binding = match text(class, "/volumeBindingMode") {
        Some("WaitForFirstConsumer") => "bound when a pod that uses it is placed",
        _ => "bound at once",
    };
    format!("made by {}, {binding}", text(class, "/provisioner").unwrap_or_default())
}

/// What a volume is and what state it is in.
pub(super) fn volume(page: &mut Page, volume: &Value) {
    let part = |pointer: &str| text(volume, pointer).unwrap_or_default();
    page.field(0, "phase", part("/status/phase"));
    page.field(0, "reason", part("/status/reason"));
    page.field(0, "message", part("/status/message"));
    let claim = (text(volume, "/spec/claimRef/namespace"), text(volume, "/spec/claimRef/name"));
    page.field(0, "claim", claim.0.zip(claim.1).map(|(space, name)| format!("{space}/{name}")).unwrap_or_default());
    page.field(0, "class", part("/spec/storageClassName"));
    page.field(0, "capacity", part("/spec/capacity/storage"));
    page.field(0, "access modes", list(volume, "/spec/accessModes"));
    page.field(0, "reclaim policy", part("/spec/persistentVolumeReclaimPolicy"));
    page.field(0, "mount options", list(volume, "/spec/mountOptions"));
    let terms: Vec<String> = items(volume, "/spec/nodeAffinity/required/nodeSelectorTerms")
        .map(|term| items(term, "/matchExpressions").map(expression).collect::<Vec<_>>().join(" and "))
        .collect();
    page.field(0, "only on nodes with", terms.join(", or "));
    let known = [
        "capacity",
        "claimRef",
        "accessModes",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "mountOptions",
        "nodeAffinity",
        "volumeMode",
        "volumeAttributesClassName",
    ];
    for (kind, source) in entries(volume, "/spec").filter(|(kind, _)| !known.contains(kind)) {
        page.line(0, format!("source, {kind}:"));
        for line in view::yaml(source).lines() {
            page.line(1, line);
        }
    }
}

/// As `topology.kubernetes.io/zone in eu-1a`.
pub(super) fn expression(term: &Value) -> String {
    let operator = match text(term, "/operator").unwrap_or_default() {
        "In" => "in".to_owned(),
        "NotIn" => "not in".to_owned(),
        other => other.to_lowercase(),
    };
    format!("{} {operator} {}", text(term, "/key").unwrap_or_default(), list(term, "/values")).trim_end().to_owned()
}

/// What a class of volumes, or of their attributes, is.
pub(super) fn class(page: &mut Page, class: &Value) {
    for (title, pointer) in [("provisioner", "/provisioner"), ("driver", "/driverName")] {
        page.field(0, title, text(class, pointer).unwrap_or_default());
    }
    page.field(0, "parameters", pairs(class, "/parameters"));
    if class.get("provisioner").is_some() {
        page.field(0, "binding", text(class, "/volumeBindingMode").unwrap_or("Immediate"));
        page.field(0, "reclaim policy", text(class, "/reclaimPolicy").unwrap_or("Delete"));
        page.field(0, "claims may grow", if flag(class, "/allowVolumeExpansion") { "yes" } else { "no" });
        page.field(0, "mount options", list(class, "/mountOptions"));
        let terms: Vec<String> = items(class, "/allowedTopologies")
            .flat_map(|term| items(term, "/matchLabelExpressions"))
            .map(|term| format!("{} in {}", text(term, "/key").unwrap_or_default(), list(term, "/values")))
            .collect();
        page.field(0, "only in", terms.join(", or "));
    }
}

/// The drivers of volumes on a node.
pub(super) fn node(page: &mut Page, node: &Value) {
    let drivers: Vec<String> = items(node, "/spec/drivers")
        .map(|driver| {
            let most = number(driver, "/allocatable/count").map(|count| format!(", at most {count} volumes"));
            let keys = list(driver, "/topologyKeys");
            let keys = if keys.is_empty() { keys } else { format!(", placed by {keys}") };
            let of = |pointer: &str| text(driver, pointer).unwrap_or_default();
            format!("{} as {}{}{keys}", of("/name"), of("/nodeID"), most.unwrap_or_default())
        })
        .collect();
    page.section("drivers", &drivers, 20, Some("none: no volume of a CSI driver can be used on this node"));
}

/// Pods that use a claim.
pub(super) fn uses(pod: &Value, claim: &Value) -> bool {
    let name = super::name(claim);
    namespace(pod) == namespace(claim)
        && items(pod, "/spec/volumes").any(|volume| {
            text(volume, "/persistentVolumeClaim/claimName") == Some(name)
                // An ephemeral volume's claim is named after pod and volume.
                || volume.get("ephemeral").is_some()
                    && text(volume, "/name").is_some_and(|volume| format!("{}-{volume}", super::name(pod)) == name)
        })
}

pub(super) fn list(object: &Value, pointer: &str) -> String {
    items(object, pointer).map(plain).collect::<Vec<_>>().join(", ")
}
