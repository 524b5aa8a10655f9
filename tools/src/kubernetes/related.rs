//! How an object hangs together with others.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use marple_core::ObjectRef;
use serde_json::Value;

use super::clock::Clock;
use super::describe::Page;
use super::family::{Family, is_workload};
use super::field::{entries, is_controlled_by, items, name, namespace, number, plain, text};
use super::references::{Target, Use, of_pod_spec, pod_spec};
use super::surroundings::surroundings;
use super::{Cluster, LookError, pods, selector};

/// The most objects of a kind that are read to see which of them refer to this one.
const READ: usize = 1_000;

/// The most objects that are listed under one heading, and references that are checked.
const LISTED: usize = 20;

/// Tells what owns the object, what it owns, what it needs and what uses it, and what of that is missing.
pub(crate) async fn related(cluster: &Cluster, object: &Value, clock: Clock) -> String {
    let mut page = Page::default();
    let kind = text(object, "/kind").unwrap_or_default();
    let (owners, family, needs, using, around) = tokio::join!(
        cluster.owners_of(object),
        dependents(cluster, object),
        needs(cluster, object),
        users(cluster, object),
        surroundings(cluster, object)
    );
    if let Some(owners) = page.seen("owned by", owners) {
        let owners: Vec<String> = owners.iter().map(|owner| format!("{} {}", owner.kind, owner.name)).collect();
        page.field(0, "owned by", if owners.is_empty() { "nothing".to_owned() } else { owners.join(" ← ") });
    }
    if let Some(family) = page.seen("owns", family) {
        let between: Vec<String> = family
            .between
            .iter()
            .map(|object| {
                let kind = text(object, "/kind").unwrap_or_default();
                let pods =
                    number(object, "/spec/replicas").map(|pods| format!(", {pods} pods wanted")).unwrap_or_default();
                format!("{kind} {}{pods}", name(object))
            })
            .collect();
        page.section("owns", &between, LISTED, None);
        let lines = pods::lines(&family.pods, clock);
        page.section("its pods, the worst first", &lines, LISTED, is_workload(kind).then_some("none"));
    }
    page.section("needs", &needs, LISTED * 2, None);
    for (heading, found) in using.into_iter().chain(around) {
        if let Some(lines) = page.seen(&heading, found) {
            page.section(&heading, &lines, LISTED, Some("none"));
        }
    }
    page.into_text()
}

/// What the object owns.
async fn dependents(cluster: &Cluster, object: &Value) -> Result<Family, LookError> {
    let kind = text(object, "/kind").unwrap_or_default();
    if is_workload(kind) {
        return cluster.family(object).await;
    }
    let (Some(uid), Some(space)) = (text(object, "/metadata/uid"), namespace(object)) else {
        return Ok(Family::default());
    };
    // What other kinds own is mostly made of these: an operator's custom resource stands above a workload.
    let kinds = ["apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "batch/Job", "v1/Pod"];
    if matches!(kind, "Pod" | "ConfigMap" | "Secret" | "ServiceAccount" | "Service" | "PersistentVolumeClaim" | "Event")
    {
        return Ok(Family::default());
    }
    let lists = join_all(kinds.map(|kind| cluster.list(kind, Some(space), None, None, READ))).await;
    let mut family = Family::default();
    for object in lists.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
        if is_controlled_by(&object, uid) {
            let pod = text(&object, "/kind") == Some("Pod");
            if pod { family.pods.push(object) } else { family.between.push(object) }
        }
    }
    Ok(family)
}

/// What the object needs to run, one line each; what is missing says so.
async fn needs(cluster: &Cluster, object: &Value) -> Vec<String> {
    let mut wanted: BTreeMap<Target, Use> = pod_spec(object).map(of_pod_spec).unwrap_or_default();
    let mut need = |kind: &'static str, name: Option<&str>, place: &str| {
        if let Some(name) = name {
            let using = wanted.entry(Target { kind, name: name.to_owned() }).or_default();
            using.required = true;
            using.places.insert(place.to_owned());
        }
    };
    match text(object, "/kind").unwrap_or_default() {
        "Pod" => need("Node", text(object, "/spec/nodeName"), "runs on"),
        "StatefulSet" => need("Service", text(object, "/spec/serviceName"), "headless service"),
        "PersistentVolumeClaim" => {
            need("PersistentVolume", text(object, "/spec/volumeName"), "bound to");
            need("StorageClass", text(object, "/spec/storageClassName"), "class");
        }
        "Ingress" => {
            need("IngressClass", text(object, "/spec/ingressClassName"), "class");
            for tls in items(object, "/spec/tls") {
                need("Secret", text(tls, "/secretName"), "certificate");
            }
            for (service, place) in backends(object) {
                need("Service", Some(service), &place);
            }
        }
        "ServiceAccount" => {
            for list in ["/secrets", "/imagePullSecrets"] {
                for secret in items(object, list) {
                    need("Secret", text(secret, "/name"), "named by it");
                }
            }
        }
        _ => {}
    }
    for claim in items(object, "/spec/volumeClaimTemplates") {
        need("StorageClass", text(claim, "/spec/storageClassName"), "class of its claims");
    }
    if let (Some(target), Some("HorizontalPodAutoscaler")) =
        (object.pointer("/spec/scaleTargetRef"), text(object, "/kind"))
    {
        let kind = match text(target, "/kind") {
            Some("StatefulSet") => "StatefulSet",
            Some("ReplicaSet") => "ReplicaSet",
            _ => "Deployment",
        };
        need(kind, text(target, "/name"), "scales");
    }
    let space = namespace(object);
    join_all(
        wanted
            .into_iter()
            .take(LISTED * 2)
            .map(|(target, using)| async move { need_line(cluster, space, &target, &using).await }),
    )
    .await
}

/// As `ConfigMap cart-config (env from app): MISSING`.
async fn need_line(cluster: &Cluster, space: Option<&str>, target: &Target, using: &Use) -> String {
    let places = using.places.iter().cloned().collect::<Vec<_>>().join(", ");
    let head = format!("{} {} ({places})", target.kind, target.name);
    let optional = if using.required { "" } else { " (but optional)" };
    let read = match cluster.kind(target.kind).await {
        Ok(kind) => {
            let space = space.filter(|_| kind.namespaced).map(str::to_owned);
            let object = ObjectRef { kind: kind.kind.clone(), namespace: space, name: target.name.clone() };
            cluster.read(&kind, &object).await
        }
        Err(error) => Err(error),
    };
    match read {
        Err(LookError::NotFound { .. }) => format!("{head}: MISSING{optional}"),
        Err(error) => format!("{head}: could not be seen: {error}"),
        Ok(read) => {
            let there: BTreeSet<&str> =
                ["/data", "/binaryData"].iter().flat_map(|field| entries(&read, field)).map(|(key, _)| key).collect();
            let lacking: Vec<&str> = using.keys.iter().map(String::as_str).filter(|key| !there.contains(key)).collect();
            if !lacking.is_empty() {
                let keys = there.into_iter().collect::<Vec<_>>().join(", ");
                return format!("{head}: exists, key {} MISSING; it has {keys}", lacking.join(", "));
            }
            let state = match target.kind {
                "ConfigMap" | "Secret" => format!(", keys {}", there.into_iter().collect::<Vec<_>>().join(", ")),
                "PersistentVolumeClaim" | "PersistentVolume" => {
                    text(&read, "/status/phase").map(|phase| format!(", {phase}")).unwrap_or_default()
                }
                "Node" => node_state(&read),
                _ => String::new(),
            };
            format!("{head}: exists{state}")
        }
    }
}

fn node_state(node: &Value) -> String {
    let ready = items(node, "/status/conditions").find(|condition| text(condition, "/type") == Some("Ready"));
    match ready.and_then(|condition| text(condition, "/status")) {
        Some("True") => ", Ready".to_owned(),
        _ => ", NOT READY".to_owned(),
    }
}

/// The Services that an Ingress leads to, and for which path.
pub(super) fn backends(ingress: &Value) -> Vec<(&str, String)> {
    let default =
        text(ingress, "/spec/defaultBackend/service/name").map(|service| (service, "default backend".to_owned()));
    let rules = items(ingress, "/spec/rules").flat_map(|rule| {
        let host = text(rule, "/host").unwrap_or("*");
        items(rule, "/http/paths").filter_map(move |path| {
            let port =
                path.pointer("/backend/service/port").and_then(|port| port.get("number").or_else(|| port.get("name")));
            let port = port.map(|port| format!(" port {}", plain(port))).unwrap_or_default();
            Some((text(path, "/backend/service/name")?, format!("{host}{}{port}", text(path, "/path").unwrap_or("/"))))
        })
    });
    default.into_iter().chain(rules).collect()
}

/// What stands under a heading, or why that can't be seen.
pub(super) type Heading = (String, Result<Vec<String>, LookError>);

/// What uses, selects or guards the object.
async fn users(cluster: &Cluster, object: &Value) -> Vec<Heading> {
    let Some(space) = namespace(object) else { return vec![] };
    let kind = text(object, "/kind").unwrap_or_default();
    let labels = match kind {
        "Pod" => object.pointer("/metadata/labels"),
        _ => object
            .pointer("/spec/template/metadata/labels")
            .or_else(|| object.pointer("/spec/jobTemplate/spec/template/metadata/labels")),
    };
    match kind {
        "Service" => {
            let selecting = object.pointer("/spec/selector").and_then(selector::query);
            let (pods, ingresses) =
                tokio::join!(selected(cluster, space, selecting.as_deref()), leading_to(cluster, space, name(object)));
            vec![("selects pods".to_owned(), pods), ("Ingresses that lead to it".to_owned(), ingresses)]
        }
        "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "ServiceAccount" => {
            vec![("used by".to_owned(), users_of(cluster, space, kind, name(object)).await)]
        }
        _ if labels.is_some() => guards(cluster, object, space, kind, labels).await,
        _ => vec![],
    }
}

async fn selected(cluster: &Cluster, space: &str, labels: Option<&str>) -> Result<Vec<String>, LookError> {
    let Some(labels) = labels else { return Ok(vec![]) };
    let mut found = cluster.list("v1/Pod", Some(space), Some(labels), None, READ).await?;
    pods::worst_first(&mut found);
    Ok(found.iter().map(|pod| format!("{} {}", name(pod), pods::Summary::of(pod).status)).collect())
}

async fn leading_to(cluster: &Cluster, space: &str, service: &str) -> Result<Vec<String>, LookError> {
    let ingresses = cluster.list("networking.k8s.io/Ingress", Some(space), None, None, READ).await?;
    let lines = ingresses.iter().flat_map(|ingress| {
        backends(ingress)
            .into_iter()
            .filter(|(to, _)| *to == service)
            .map(|(_, place)| format!("{} ({place})", name(ingress)))
    });
    Ok(lines.collect())
}

/// Workloads, and pods that no workload controls, whose pod spec names the object.
async fn users_of(cluster: &Cluster, space: &str, kind: &str, wanted: &str) -> Result<Vec<String>, LookError> {
    let kinds = ["apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "batch/CronJob", "batch/Job", "v1/Pod"];
    let lists = join_all(kinds.map(|kind| cluster.list(kind, Some(space), None, None, READ))).await;
    let mut lines = Vec::new();
    for user in lists.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
        // A claim of a StatefulSet is named by its pods alone.
        let controlled = items(&user, "/metadata/ownerReferences").next().is_some();
        if controlled && kind != "PersistentVolumeClaim" {
            continue;
        }
        let named = pod_spec(&user).map(of_pod_spec).unwrap_or_default();
        for using in
            named.iter().filter(|(target, _)| target.kind == kind && target.name == wanted).map(|(_, using)| using)
        {
            let places = using.places.iter().cloned().collect::<Vec<_>>().join(", ");
            let keys = using.keys.iter().cloned().collect::<Vec<_>>().join(", ");
            let keys = if keys.is_empty() { String::new() } else { format!(", keys {keys}") };
            lines.push(format!("{} {} ({places}{keys})", text(&user, "/kind").unwrap_or_default(), name(&user)));
        }
    }
    Ok(lines)
}

/// Services, budgets, policies and autoscalers of a workload's pods.
async fn guards(cluster: &Cluster, object: &Value, space: &str, kind: &str, labels: Option<&Value>) -> Vec<Heading> {
    let (services, budgets, policies, autoscalers) = tokio::join!(
        cluster.list("v1/Service", Some(space), None, None, READ),
        cluster.list("policy/PodDisruptionBudget", Some(space), None, None, READ),
        cluster.list("networking.k8s.io/NetworkPolicy", Some(space), None, None, READ),
        cluster.list("autoscaling/HorizontalPodAutoscaler", Some(space), None, None, READ),
    );
    let fits = |object: &&Value, pointer: &str| {
        object.pointer(pointer).is_some_and(|selector| selector::matches(selector, labels))
    };
    let services = services.map(|all| {
        let selecting = all
            .iter()
            .filter(|service| entries(service, "/spec/selector").next().is_some() && fits(service, "/spec/selector"));
        selecting
            .map(|service| {
                let ports: Vec<String> = items(service, "/spec/ports")
                    .filter_map(|port| number(port, "/port"))
                    .map(|port| port.to_string())
                    .collect();
                format!("{} (ports {})", name(service), ports.join(", "))
            })
            .collect()
    });
    let names = |all: Vec<Value>, pointer: &str| {
        all.iter().filter(|object| fits(object, pointer)).map(|object| name(object).to_owned()).collect::<Vec<_>>()
    };
    let budgets = budgets.map(|all| names(all, "/spec/selector"));
    let policies = policies.map(|all| names(all, "/spec/podSelector"));
    let autoscalers = autoscalers.map(|all| {
        let scaling = all.iter().filter(|scaler| {
            text(scaler, "/spec/scaleTargetRef/kind") == Some(kind)
                && text(scaler, "/spec/scaleTargetRef/name") == Some(name(object))
        });
        scaling
            .map(|scaler| {
                let bound = |field: &str| number(scaler, field).map(|number| number.to_string()).unwrap_or_default();
                format!(
                    "{} ({} to {} pods, now {})",
                    name(scaler),
                    bound("/spec/minReplicas"),
                    bound("/spec/maxReplicas"),
                    bound("/status/currentReplicas")
                )
            })
            .collect::<Vec<String>>()
    });
    let mut headings = vec![("Services that select its pods".to_owned(), services)];
    // These are told only where there are any, or where they can't be seen.
    for (heading, found) in [
        ("PodDisruptionBudgets", budgets),
        ("NetworkPolicies that select its pods", policies),
        ("HorizontalPodAutoscalers", autoscalers),
    ] {
        if !matches!(&found, Ok(lines) if lines.is_empty()) {
            headings.push((heading.to_owned(), found));
        }
    }
    headings
}
