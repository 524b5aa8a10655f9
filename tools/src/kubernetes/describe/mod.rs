//! Objects as on-call people know them: what it is, what state it is in since when, what it consists of, and what was
//! said about it.

mod autoscaler;
mod container;
mod namespace;
mod network;
mod node;
mod page;
mod pod;
mod policy;
mod rights;
mod service;
mod storage;
mod workload;

use futures::future::join_all;
use marple_core::ObjectRef;
use serde_json::Value;

pub(crate) use container::state;
pub(crate) use namespace::quota;
pub(crate) use page::Page;
pub(crate) use rights::{rule, subject};

use super::clock::Clock;
use super::family::is_workload;
use super::field::{self, entries, items, name, plain, text, time};
use super::references::pod_spec;
use super::{Cluster, LookError, events, pods, reference, selector};
use crate::view;

/// The most events that are told, and the most objects whose events are read.
const EVENTS: usize = 20;
const OBJECTS: usize = 8;

/// Steps that every pod takes.
const ROUTINE: [&str; 5] = ["Scheduled", "Pulled", "Created", "Started", "SuccessfulCreate"];

/// Labels whose values are told elsewhere, or tell nothing.
const LABELS_TOLD: [&str; 4] =
    ["pod-template-hash", "controller-uid", "batch.kubernetes.io/controller-uid", "job-name"];

/// From this many letters on, an event that says what a condition says is told by that.
const REPEATED: usize = 60;

/// Annotations that repeat what is told elsewhere.
const ANNOTATIONS_TOLD: [&str; 3] = ["kubectl.kubernetes.io/", "deployment.kubernetes.io/", "deprecated.daemonset"];

/// Describes an object that was read. What can't be seen is said in its place.
pub(crate) async fn describe(cluster: &Cluster, object: &Value, clock: Clock) -> String {
    let mut page = Page::default();
    // Another group may have a kind of the same name, as Knative has its Service.
    let kind = text(object, "/kind").filter(|_| is_built_in(object)).unwrap_or_default();
    match kind {
        "Pod" => {
            let (owners, told) = tokio::join!(cluster.owners_of(object), cluster.events_about(object));
            head(&mut page, object, owners, clock);
            pod::pod(&mut page, object, clock);
            tail(&mut page, object, told, clock);
        }
        "Service" => {
            let (behind, told) = tokio::join!(service::behind(cluster, object), cluster.events_about(object));
            head(&mut page, object, Ok(vec![]), clock);
            service::service(&mut page, object, behind, clock);
            tail(&mut page, object, told, clock);
        }
        "Node" => {
            let on = format!("spec.nodeName={}", name(object));
            let (pods, told) =
                tokio::join!(cluster.list("v1/Pod", None, None, Some(&on), 1_000), cluster.events_about(object));
            head(&mut page, object, Ok(vec![]), clock);
            node::node(&mut page, object);
            if let Some(pods) = page.seen("its pods", pods) {
                node::requests(&mut page, object, &pods);
            }
            tail(&mut page, object, told, clock);
        }
        "Namespace" => {
            let (contents, told) =
                tokio::join!(namespace::contents(cluster, name(object)), cluster.events_in(name(object)));
            head(&mut page, object, Ok(vec![]), clock);
            page.field(0, "phase", text(object, "/status/phase").unwrap_or_default());
            namespace::namespace(&mut page, contents, clock);
            let told = told.map(|told| without_routine(&mut page, told));
            tail(&mut page, object, told, clock);
        }
        kind if is_workload(kind) => {
            let (owners, family) = tokio::join!(cluster.owners_of(object), cluster.family(object));
            head(&mut page, object, owners, clock);
            workload::workload(&mut page, object, clock);
            let mut about: Vec<ObjectRef> = reference(object).into_iter().collect();
            if let Some(family) = page.seen("its pods", family) {
                workload::family(&mut page, &family, clock);
                about.extend(family.references());
            }
            let told = of_objects(cluster, &about).await.map(|told| without_routine(&mut page, told));
            tail(&mut page, object, told, clock);
        }
        "PersistentVolumeClaim" => {
            let (pods, class, told) = tokio::join!(
                cluster.list("v1/Pod", field::namespace(object), None, None, 1_000),
                storage::class_of(cluster, object),
                cluster.events_about(object)
            );
            head(&mut page, object, Ok(vec![]), clock);
            storage::claim(&mut page, object, class);
            if let Some(mut using) = page.seen("pods that use it", pods) {
                using.retain(|pod| storage::uses(pod, object));
                let lines = pods::lines(&using, clock);
                page.section("pods that use it", &lines, OBJECTS, Some("none"));
            }
            tail(&mut page, object, told, clock);
        }
        "Ingress" => {
            let (behind, told) = tokio::join!(network::behind(cluster, object), cluster.events_about(object));
            head(&mut page, object, Ok(vec![]), clock);
            network::ingress(&mut page, object, &behind);
            tail(&mut page, object, told, clock);
        }
        "NetworkPolicy" | "PodDisruptionBudget" => {
            let pointer = if kind == "NetworkPolicy" { "/spec/podSelector" } else { "/spec/selector" };
            let labels = object.pointer(pointer).and_then(selector::query);
            let selected = async {
                if object.pointer(pointer).is_none() {
                    return Ok(vec![]);
                }
                cluster.list("v1/Pod", field::namespace(object), labels.as_deref(), None, 1_000).await
            };
            let (selected, told) = tokio::join!(selected, cluster.events_about(object));
            head(&mut page, object, Ok(vec![]), clock);
            match kind {
                "NetworkPolicy" => network::policy(&mut page, object, selected),
                _ => policy::budget(&mut page, object, selected, clock),
            }
            tail(&mut page, object, told, clock);
        }
        _ => {
            let (owners, told) = tokio::join!(cluster.owners_of(object), cluster.events_about(object));
            head(&mut page, object, owners, clock);
            alone(&mut page, kind, object, clock);
            tail(&mut page, object, told, clock);
        }
    }
    page.into_text()
}

/// The events about several objects, of which the first ones matter most.
pub(crate) async fn of_objects(cluster: &Cluster, objects: &[ObjectRef]) -> Result<Vec<Value>, LookError> {
    let asked = objects.iter().take(OBJECTS).map(|object| cluster.events_of(object));
    let read: Result<Vec<Vec<Value>>, LookError> = join_all(asked).await.into_iter().collect();
    Ok(read?.into_iter().flatten().collect())
}

/// The events of a workload without the steps that every pod takes, which are counted instead.
fn without_routine(page: &mut Page, told: Vec<Value>) -> Vec<Value> {
    let (routine, told): (Vec<_>, Vec<_>) = told.into_iter().partition(|event| {
        text(event, "/type") == Some("Normal") && text(event, "/reason").is_some_and(|reason| ROUTINE.contains(&reason))
    });
    if !routine.is_empty() {
        page.line(0, format!("events of {} are left out: {} of them", ROUTINE.join(", "), routine.len()));
    }
    told
}

/// What every object has.
fn head(page: &mut Page, object: &Value, owners: Result<Vec<ObjectRef>, LookError>, clock: Clock) {
    if let Some(object) = reference(object) {
        page.line(0, object.to_string());
    }
    page.line(0, clock.legend().unwrap_or_default());
    page.field(0, "created", time(object, "/metadata/creationTimestamp").map(|at| clock.when(at)).unwrap_or_default());
    if let Some(owners) = page.seen("controlled by", owners) {
        let owners: Vec<String> = owners.iter().map(|owner| format!("{} {}", owner.kind, owner.name)).collect();
        page.field(0, "controlled by", owners.join(" ← "));
    }
    page.field(0, "labels", labels(object));
    let annotations: Vec<String> = entries(object, "/metadata/annotations")
        .filter(|(name, value)| {
            !ANNOTATIONS_TOLD.iter().any(|told| name.starts_with(told)) && plain(value).len() <= 200
        })
        .map(|(name, value)| format!("{name}={}", plain(value)))
        .collect();
    page.field(0, "annotations", annotations.join(", "));
    // Of a pod it is the end of its grace, which it tells itself.
    let ends = text(object, "/kind") == Some("Pod");
    if let Some(at) = time(object, "/metadata/deletionTimestamp").filter(|_| !ends) {
        page.field(0, "being deleted since", clock.when(at));
    }
    let finalizers: Vec<String> = items(object, "/metadata/finalizers").map(plain).collect();
    page.field(0, "finalizers", finalizers.join(", "));
}

/// The labels without those that repeat a name or an identifier.
fn labels(object: &Value) -> String {
    let told = |name: &str| !LABELS_TOLD.contains(&name) && !name.starts_with("beta.kubernetes.io/");
    let labels = entries(object, "/metadata/labels").filter(|(name, _)| told(name));
    labels.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(", ")
}

/// An object that tells all of itself.
fn alone(page: &mut Page, kind: &str, object: &Value, clock: Clock) {
    match kind {
        "HorizontalPodAutoscaler" => autoscaler::autoscaler(page, object, clock),
        "PersistentVolume" => storage::volume(page, object),
        "StorageClass" | "VolumeAttributesClass" => {
            network::default_class(page, object);
            storage::class(page, object);
        }
        "CSINode" => storage::node(page, object),
        "ResourceQuota" => policy::resource_quota(page, object),
        "LimitRange" => policy::limit_range(page, object),
        "PriorityClass" => policy::priority(page, object),
        "ConfigMap" | "Secret" => policy::data(page, object),
        "CertificateSigningRequest" => policy::certificate(page, object),
        "Role" | "ClusterRole" => rights::role(page, object),
        "RoleBinding" | "ClusterRoleBinding" => rights::binding(page, object),
        "ServiceAccount" => rights::account(page, object),
        "Endpoints" => network::endpoints(page, object),
        "EndpointSlice" => {
            page.field(0, "address type", text(object, "/addressType").unwrap_or_default());
            service::endpoints(page, std::slice::from_ref(object));
        }
        "IngressClass" | "ServiceCIDR" | "IPAddress" => {
            network::default_class(page, object);
            network::class(page, object);
        }
        _ => body(page, object),
    }
}

/// Whether the object is of one of Kubernetes' own groups.
fn is_built_in(object: &Value) -> bool {
    let group = text(object, "/apiVersion").and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    matches!(group, "" | "apps" | "batch" | "autoscaling" | "policy" | "extensions") || group.ends_with(".k8s.io")
}

/// The object's own fields, of a kind that has no view of its own.
fn body(page: &mut Page, object: &Value) {
    let mut rest = view::trimmed(object);
    // The schema of a definition is for machines, and long.
    for version in rest.pointer_mut("/spec/versions").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(version) = version {
            version.remove("schema");
        }
    }
    if let Value::Object(fields) = &mut rest {
        for told in ["apiVersion", "kind", "metadata"] {
            fields.remove(told);
        }
        if let Some(Value::Object(status)) = fields.get_mut("status") {
            status.remove("conditions");
            if status.is_empty() {
                fields.remove("status");
            }
        }
    }
    if rest.as_object().is_some_and(|fields| !fields.is_empty()) {
        // Its lines keep their own indentation.
        for line in view::yaml(&rest).lines() {
            page.line(0, line);
        }
    }
}

/// Conditions and events.
fn tail(page: &mut Page, object: &Value, told: Result<Vec<Value>, LookError>, clock: Clock) {
    page.section("conditions", &conditions(items(object, "/status/conditions"), clock), 20, None);
    if let Some(told) = page.seen("events", told) {
        let mut told = events::told(&told);
        for event in &mut told {
            let says = |condition: &&Value| {
                text(condition, "/message").is_some_and(|message| message.contains(&event.message))
            };
            if event.message.len() > REPEATED
                && let Some(condition) = items(object, "/status/conditions").find(says)
            {
                event.message = format!("as {} says", text(condition, "/type").unwrap_or_default());
            }
        }
        let lines = events::lines(&told, clock);
        let skipped = lines.len().saturating_sub(EVENTS);
        let title = if skipped > 0 {
            format!("events, the last {EVENTS} of {}", lines.len())
        } else {
            "events, the latest last".to_owned()
        };
        let none = if pod_spec(object).is_some() { "none (they are kept for an hour by default)" } else { "none" };
        page.section(&title, lines.get(skipped..).unwrap_or_default(), EVENTS, Some(none));
    }
}

/// One line for each condition; those that differ in nothing but their type are one.
fn conditions<'a>(all: impl Iterator<Item = &'a Value>, clock: Clock) -> Vec<String> {
    let told: Vec<(&str, String)> =
        all.map(|one| (text(one, "/type").unwrap_or_default(), condition(one, clock))).collect();
    let groups = view::alike(&told, |(_, state)| state.clone()).into_iter();
    groups
        .map(|group| {
            let types: Vec<&str> = group.iter().map(|(kind, _)| *kind).collect();
            let state = group.first().map(|(_, state)| state.as_str()).unwrap_or_default();
            format!("{}{state}", types.join(", "))
        })
        .collect()
}

/// Whether a condition is as it should be, so that its words say no more than that.
fn is_sound(kind: &str, status: &str) -> bool {
    match status {
        "True" => [
            "Ready",
            "ContainersReady",
            "Initialized",
            "PodScheduled",
            "PodReadyToStartContainers",
            "Available",
            "AbleToScale",
            "ScalingActive",
        ]
        .contains(&kind),
        "False" => kind.ends_with("Pressure") || matches!(kind, "NetworkUnavailable" | "ScalingLimited"),
        _ => false,
    }
}

/// What follows a condition's type, as `=False since 3m ago, ContainersNotReady: containers with unready status: [app]`.
fn condition(condition: &Value, clock: Clock) -> String {
    let status = text(condition, "/status").unwrap_or_default();
    let since = time(condition, "/lastTransitionTime").map(|at| format!(" since {}", clock.when(at)));
    let since = since.unwrap_or_default();
    if is_sound(text(condition, "/type").unwrap_or_default(), status) {
        return format!("={status}{since}");
    }
    let reason = text(condition, "/reason").map(|reason| format!(", {reason}")).unwrap_or_default();
    let message = text(condition, "/message").map(|message| format!(": {message}"));
    let message = message.filter(|_| reason != ", NewReplicaSetAvailable").unwrap_or_default();
    format!("={status}{since}{reason}{message}")
}
