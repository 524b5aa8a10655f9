//! Ingresses, policies and endpoints.

use std::collections::BTreeMap;

use futures::future::join_all;
use marple_core::ObjectRef;
use serde_json::Value;

use super::Page;
use super::storage::list;
use crate::kubernetes::field::{flag, items, name, namespace, number, plain, text};
use crate::kubernetes::related::backends;
use crate::kubernetes::{Cluster, LookError, selector};
use crate::view::certificate_told;

/// The most Services and Secrets of an Ingress that are looked at.
const LOOKED_AT: usize = 20;

/// What an Ingress leads to: its Services by name, each in a few words, and its certificates.
pub(super) struct Behind {
    services: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
}

/// Reads what stands behind an Ingress.
pub(super) async fn behind(cluster: &Cluster, ingress: &Value) -> Behind {
    let space = namespace(ingress).unwrap_or_default();
    let services = backends(ingress).into_iter().map(|(service, _)| service.to_owned());
    let services: std::collections::BTreeSet<String> = services.take(LOOKED_AT).collect();
    let secrets = items(ingress, "/spec/tls").filter_map(|tls| text(tls, "/secretName"));
    let secrets: std::collections::BTreeSet<String> = secrets.take(LOOKED_AT).map(str::to_owned).collect();
    let services = join_all(services.into_iter().map(|service| async move {
        let state = service_state(cluster, space, &service).await;
        (service, state)
    }));
    let secrets = join_all(secrets.into_iter().map(|secret| async move {
        let found = cluster.get_named("v1/Secret", space, &secret).await;
        let state = state_of(found.map(|found| {
            let says = certificate_told(&found, "tls.crt").map(|says| format!(", {says}")).unwrap_or_default();
            format!("of type {}{says}", text(&found, "/type").unwrap_or("Opaque"))
        }));
        (secret, state)
    }));
    let (services, secrets) = tokio::join!(services, secrets);
    Behind { services: services.into_iter().collect(), secrets: secrets.into_iter().collect() }
}

fn state_of(read: Result<String, LookError>) -> String {
    match read {
        Ok(state) => state,
        Err(LookError::NotFound { .. }) => "MISSING".to_owned(),
        Err(error) => format!("could not be seen: {error}"),
    }
}

/// As `ports 80, 2 endpoints ready`.
async fn service_state(cluster: &Cluster, space: &str, service: &str) -> String {
    let slices_of = format!("kubernetes.io/service-name={service}");
    let (found, slices) = tokio::join!(
        cluster.get_named("v1/Service", space, service),
        cluster.list("discovery.k8s.io/EndpointSlice", Some(space), Some(&slices_of), None, 100)
    );
    let found = match found {
        Ok(found) => found,
        error => return state_of(error.map(|_| String::new())),
    };
    let ports: Vec<String> = items(&found, "/spec/ports")
        .map(|port| {
            let name = text(port, "/name").map(|name| format!("{name}=")).unwrap_or_default();
            format!("{name}{}", number(port, "/port").unwrap_or_default())
        })
        .collect();
    let ready = slices.map(|slices| {
        let all = slices.iter().flat_map(|slice| items(slice, "/endpoints"));
        all.filter(|endpoint| is_ready(endpoint)).count()
    });
    let ready = match ready {
        Ok(0) => "NO endpoint ready".to_owned(),
        Ok(1) => "1 endpoint ready".to_owned(),
        Ok(count) => format!("{count} endpoints ready"),
        Err(error) => format!("endpoints could not be seen: {error}"),
    };
    format!("ports {}, {ready}", ports.join(", "))
}

/// What an Ingress is.
pub(super) fn ingress(page: &mut Page, ingress: &Value, behind: &Behind) {
    let class = text(ingress, "/spec/ingressClassName");
    page.field(0, "class", class.unwrap_or("(none: the default class, where there is one)"));
    let addresses: Vec<String> = items(ingress, "/status/loadBalancer/ingress")
        .filter_map(|entry| text(entry, "/ip").or_else(|| text(entry, "/hostname")).map(str::to_owned))
        .collect();
    page.field(0, "address", if addresses.is_empty() { "(none yet)".to_owned() } else { addresses.join(", ") });
    let rules: Vec<String> = backends(ingress)
        .into_iter()
        .map(|(service, place)| {
            let state = behind.services.get(service).map(|state| format!(": {state}")).unwrap_or_default();
            format!("{place} → Service {service}{state}")
        })
        .collect();
    page.section("leads", &rules, 40, Some("nowhere"));
    let certificates: Vec<String> = items(ingress, "/spec/tls")
        .map(|tls| {
            let secret = text(tls, "/secretName").unwrap_or("(default)");
            let state = behind.secrets.get(secret).map(|state| format!(": {state}")).unwrap_or_default();
            format!("{} with Secret {secret}{state}", list(tls, "/hosts"))
        })
        .collect();
    page.section("certificates", &certificates, 20, None);
}

/// Which pods a policy selects, and what it lets through.
pub(super) fn policy(page: &mut Page, policy: &Value, selected: Result<Vec<Value>, LookError>) {
    let labels = policy.pointer("/spec/podSelector").and_then(selector::query);
    page.field(0, "selects", labels.as_deref().unwrap_or("all pods of the namespace"));
    if let Some(selected) = page.seen("pods", selected) {
        let names: Vec<&str> = selected.iter().take(10).map(name).collect();
        let more = if selected.len() > names.len() { ", …" } else { "" };
        page.field(0, "which are now", format!("{} pods: {}{more}", selected.len(), names.join(", ")));
    }
    let named: Vec<&str> = items(policy, "/spec/policyTypes").filter_map(Value::as_str).collect();
    let egress = policy.pointer("/spec/egress").is_some();
    // By the API's definition: without types it is about what comes in, and about what goes out where rules say so.
    for (title, kind, rules, peers) in
        [("lets in", "Ingress", "/spec/ingress", "/from"), ("lets out", "Egress", "/spec/egress", "/to")]
    {
        let about = if named.is_empty() { kind == "Ingress" || egress } else { named.contains(&kind) };
        if about {
            let lines: Vec<String> = items(policy, rules).map(|rule| self::rule(rule, peers)).collect();
            page.section(title, &lines, 40, Some("nothing"));
        }
    }
}

/// As `pods app=web in namespaces team=a, or 10.0.0.0/8; on TCP 80`.
fn rule(rule: &Value, peers: &str) -> String {
    let labels = |peer: &Value, field: &str| {
        peer.pointer(field).map(|labels| selector::query(labels).unwrap_or_else(|| "any".to_owned()))
    };
    let peers: Vec<String> = items(rule, peers)
        .map(|peer| {
            if let Some(block) = text(peer, "/ipBlock/cidr") {
                let but = list(peer, "/ipBlock/except");
                return if but.is_empty() { block.to_owned() } else { format!("{block} but {but}") };
            }
            match (labels(peer, "/podSelector"), labels(peer, "/namespaceSelector")) {
                (Some(pods), Some(spaces)) => format!("pods {pods} in namespaces {spaces}"),
                (Some(pods), None) => format!("pods {pods}"),
                (None, Some(spaces)) => format!("all pods in namespaces {spaces}"),
                (None, None) => "nobody".to_owned(),
            }
        })
        .collect();
    let ports: Vec<String> = items(rule, "/ports")
        .map(|port| {
            let end = number(port, "/endPort").map(|end| format!("-{end}")).unwrap_or_default();
            let number = port.get("port").map_or_else(|| "any".to_owned(), plain);
            format!("{} {number}{end}", text(port, "/protocol").unwrap_or("TCP"))
        })
        .collect();
    let peers = if peers.is_empty() { "all".to_owned() } else { peers.join(", or ") };
    let ports = if ports.is_empty() { "all ports".to_owned() } else { ports.join(", ") };
    format!("{peers}; on {ports}")
}

/// Absent means ready, by the API's definition.
pub(super) fn is_ready(endpoint: &Value) -> bool {
    endpoint.pointer("/conditions/ready").is_none_or(|ready| ready.as_bool().unwrap_or(true))
}

/// The addresses of an `Endpoints` object.
pub(super) fn endpoints(page: &mut Page, object: &Value) {
    let (mut ready, mut unready) = (Vec::new(), Vec::new());
    for subset in items(object, "/subsets") {
        let ports: Vec<String> =
            items(subset, "/ports").filter_map(|port| number(port, "/port")).map(|port| port.to_string()).collect();
        for (pointer, into) in [("/addresses", &mut ready), ("/notReadyAddresses", &mut unready)] {
            into.extend(items(subset, pointer).map(|address| {
                let target = text(address, "/targetRef/name")
                    .map(|name| format!("  {} {name}", text(address, "/targetRef/kind").unwrap_or("Pod")));
                format!(
                    "{}:{}{}",
                    text(address, "/ip").unwrap_or_default(),
                    ports.join(","),
                    target.unwrap_or_default()
                )
            }));
        }
    }
    page.section(&format!("ready ({})", ready.len()), &ready, 60, Some("none"));
    page.section(&format!("not ready ({})", unready.len()), &unready, 60, None);
}

/// What classes of Ingresses, ranges and addresses of Services say.
pub(super) fn class(page: &mut Page, object: &Value) {
    page.field(0, "controller", text(object, "/spec/controller").unwrap_or_default());
    page.field(0, "ranges", list(object, "/spec/cidrs"));
    for (title, pointer) in [("parameters", "/spec/parameters"), ("belongs to", "/spec/parentRef")] {
        if let Some(of) = object.pointer(pointer) {
            let part = |field: &str| text(of, field).unwrap_or_default();
            let kind = [part("/kind"), part("/resource")].into_iter().find(|kind| !kind.is_empty()).unwrap_or_default();
            let space = text(of, "/namespace").map(|space| format!("{space}/")).unwrap_or_default();
            page.field(0, title, format!("{kind} {space}{}", part("/name")));
        }
    }
}

/// Whether a class is the one that is taken where none is named.
pub(super) fn default_class(page: &mut Page, object: &Value) {
    let defaults = crate::kubernetes::field::entries(object, "/metadata/annotations")
        .any(|(key, value)| key.ends_with("/is-default-class") && plain(value) == "true");
    if defaults || flag(object, "/spec/isDefault") {
        page.line(0, "it is the default class");
    }
}

impl Cluster {
    /// An object of a namespace by its name, without a word on what may have been meant.
    async fn get_named(&self, kind: &str, space: &str, name: &str) -> Result<Value, LookError> {
        let kind = self.kind(kind).await?;
        self.read(&kind, &ObjectRef::namespaced(kind.kind.clone(), space, name)).await
    }
}
