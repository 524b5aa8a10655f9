//! A Service: its ports, its endpoints and the pods that it selects.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Page;
use super::network::is_ready;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::field::{entries, flag, items, name, namespace, number, pairs, plain, text};
use crate::kubernetes::{Cluster, LookError, pods, selector};
use crate::view;

/// The most addresses and pods that are listed.
const LISTED: usize = 15;

/// What stands behind a Service.
pub(crate) struct Behind {
    slices: Result<Vec<Value>, LookError>,
    pods: Option<Result<Vec<Value>, LookError>>,
    /// The namespace's pods, where the selector fits none of them.
    others: Vec<Value>,
}

/// Reads what stands behind a Service.
pub(crate) async fn behind(cluster: &Cluster, service: &Value) -> Behind {
    let slices_of = format!("kubernetes.io/service-name={}", name(service));
    let selected = service.pointer("/spec/selector").and_then(selector::query);
    let slices = cluster.list("discovery.k8s.io/EndpointSlice", namespace(service), Some(&slices_of), None, 100);
    let selected_pods = async {
        match &selected {
            Some(labels) => Some(cluster.list("v1/Pod", namespace(service), Some(labels), None, 500).await),
            None => None,
        }
    };
    let (slices, mut pods) = tokio::join!(slices, selected_pods);
    if let Some(Ok(pods)) = &mut pods {
        pods::worst_first(pods);
    }
    let none = matches!(&pods, Some(Ok(pods)) if pods.is_empty());
    // Best effort: they only help to see what the selector should have been.
    let others = if none {
        cluster.list("v1/Pod", namespace(service), None, None, 500).await.unwrap_or_default()
    } else {
        vec![]
    };
    Behind { slices, pods, others }
}

/// What a Service is and what state it is in.
pub(crate) fn service(page: &mut Page, service: &Value, behind: Behind, clock: Clock) {
    page.field(0, "type", text(service, "/spec/type").unwrap_or_default());
    page.field(0, "cluster IP", text(service, "/spec/clusterIP").unwrap_or_default());
    page.field(0, "external name", text(service, "/spec/externalName").unwrap_or_default());
    let selector = pairs(service, "/spec/selector");
    page.field(0, "selector", if selector.is_empty() { "(none: its endpoints are kept by hand)" } else { &selector });
    let ports: Vec<String> = items(service, "/spec/ports").map(port).collect();
    page.field(0, "ports", ports.join(", "));
    for policy in ["externalTrafficPolicy", "internalTrafficPolicy"] {
        if let Some(value) = text(service, &format!("/spec/{policy}")).filter(|value| *value != "Cluster") {
            page.field(0, policy, value);
        }
    }
    let ingress: Vec<String> = items(service, "/status/loadBalancer/ingress")
        .filter_map(|entry| text(entry, "/ip").or_else(|| text(entry, "/hostname")).map(str::to_owned))
        .collect();
    page.field(0, "load balancer", ingress.join(", "));
    if let Some(slices) = page.seen("endpoints", behind.slices) {
        endpoints(page, &slices);
    }
    if let Some(pods) = behind.pods.and_then(|pods| page.seen("pods that it selects", pods)) {
        let title = format!("pods that it selects, the worst first ({})", pods.len());
        page.section(
            &title,
            &pods::lines(&pods, clock),
            LISTED,
            Some("none: no pod in the namespace has these labels"),
        );
        let ports: Vec<String> = pods.iter().map(container_ports).collect();
        page.field(0, "their container ports", view::counted(ports.iter().map(String::as_str), 4));
        unmatched_names(page, service, &pods);
        page.section(
            "labels of the namespace's pods, of the names in the selector",
            &labels_like(service, &behind.others),
            LISTED,
            None,
        );
    }
}

/// The labels that pods have under the names that the selector uses, as `app=cart (2 pods)`.
fn labels_like(service: &Value, pods: &[Value]) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (wanted, _) in entries(service, "/spec/selector") {
        for pod in pods {
            let label = entries(pod, "/metadata/labels").find(|(name, _)| *name == wanted);
            if let Some((name, value)) = label {
                *counts.entry(format!("{name}={}", plain(value))).or_default() += 1;
            }
        }
    }
    counts
        .into_iter()
        .map(|(label, count)| format!("{label} ({count} {})", if count == 1 { "pod" } else { "pods" }))
        .collect()
}

/// As `http 80→8080/TCP`.
fn port(port: &Value) -> String {
    let name = text(port, "/name").map(|name| format!("{name} ")).unwrap_or_default();
    let target = port.get("targetPort").map(plain).unwrap_or_default();
    let node = number(port, "/nodePort").map(|node| format!(" (node port {node})")).unwrap_or_default();
    format!(
        "{name}{}→{target}/{}{node}",
        number(port, "/port").unwrap_or_default(),
        text(port, "/protocol").unwrap_or("TCP")
    )
}

pub(super) fn endpoints(page: &mut Page, slices: &[Value]) {
    let mut ready = Vec::new();
    let mut unready = Vec::new();
    for slice in slices {
        let ports: Vec<String> =
            items(slice, "/ports").filter_map(|port| number(port, "/port")).map(|port| port.to_string()).collect();
        for endpoint in items(slice, "/endpoints") {
            let address = items(endpoint, "/addresses").next().and_then(Value::as_str).unwrap_or_default();
            let target = text(endpoint, "/targetRef/name")
                .map(|name| format!("  {} {name}", text(endpoint, "/targetRef/kind").unwrap_or("Pod")));
            let line = format!("{address}:{}{}", ports.join(","), target.unwrap_or_default());
            if is_ready(endpoint) {
                ready.push(line);
            } else {
                let ending = if flag(endpoint, "/conditions/terminating") { " (terminating)" } else { "" };
                unready.push(line + ending);
            }
        }
    }
    page.section(&format!("ready endpoints ({})", ready.len()), &ready, LISTED, Some("none"));
    page.section(&format!("endpoints that are not ready ({})", unready.len()), &unready, LISTED, None);
}

fn container_ports(pod: &Value) -> String {
    let ports: Vec<String> = items(pod, "/spec/containers")
        .flat_map(|container| items(container, "/ports"))
        .map(|port| {
            let name = text(port, "/name").map(|name| format!("{name}=")).unwrap_or_default();
            format!("{name}{}", number(port, "/containerPort").unwrap_or_default())
        })
        .collect();
    if ports.is_empty() { "(none declared)".to_owned() } else { ports.join(", ") }
}

/// A target port that is a name must be one of a container's; a number need not be declared.
fn unmatched_names(page: &mut Page, service: &Value, pods: &[Value]) {
    let declared = |wanted: &str| {
        pods.iter()
            .flat_map(|pod| items(pod, "/spec/containers"))
            .flat_map(|container| items(container, "/ports"))
            .any(|port| text(port, "/name") == Some(wanted))
    };
    for port in items(service, "/spec/ports") {
        if let Some(target) = text(port, "/targetPort").filter(|target| !pods.is_empty() && !declared(target)) {
            page.line(
                0,
                format!("no container of these pods has a port named {target}, which is a target port of the Service"),
            );
        }
    }
}
