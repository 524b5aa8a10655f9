//! Objects as on-call people know them: what it is, what state it is in since when, what it consists of, and what was
//! said about it.

mod container;
mod namespace;
mod node;
mod page;
mod pod;
mod service;
mod workload;

use futures::future::join_all;
use marple_core::ObjectRef;
use serde_json::Value;

pub(crate) use container::state;
pub(crate) use page::Page;

use super::clock::Clock;
use super::family::is_workload;
use super::field::{self, entries, items, name, pairs, plain, text, time};
use super::references::pod_spec;
use super::{Cluster, LookError, events, pods, reference};
use crate::view;

/// The most events that are told, and the most objects whose events are read.
const EVENTS: usize = 20;
const OBJECTS: usize = 8;

/// Steps that every pod takes.
const ROUTINE: [&str; 5] = ["Scheduled", "Pulled", "Created", "Started", "SuccessfulCreate"];

/// Annotations that repeat what is told elsewhere.
const ANNOTATIONS_TOLD: [&str; 3] = ["kubectl.kubernetes.io/", "deployment.kubernetes.io/", "deprecated.daemonset"];

/// Describes an object that was read. What can't be seen is said in its place.
pub(crate) async fn describe(cluster: &Cluster, object: &Value, clock: Clock) -> String {
    let mut page = Page::default();
    let kind = text(object, "/kind").unwrap_or_default();
    match kind {
        "Pod" => {
            let (owners, told) = tokio::join!(cluster.owners_of(object), of_itself(cluster, object));
            head(&mut page, object, owners, clock);
            pod::pod(&mut page, object, clock);
            tail(&mut page, object, told, clock);
        }
        "Service" => {
            let (behind, told) = tokio::join!(service::behind(cluster, object), of_itself(cluster, object));
            head(&mut page, object, Ok(vec![]), clock);
            service::service(&mut page, object, behind, clock);
            tail(&mut page, object, told, clock);
        }
        "Node" => {
            let on = format!("spec.nodeName={}", name(object));
            let (pods, told) =
                tokio::join!(cluster.list("v1/Pod", None, None, Some(&on), 1_000), of_itself(cluster, object));
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
            let (pods, told) = tokio::join!(
                cluster.list("v1/Pod", field::namespace(object), None, None, 1_000),
                of_itself(cluster, object)
            );
            head(&mut page, object, Ok(vec![]), clock);
            body(&mut page, object);
            if let Some(pods) = page.seen("pods that use it", pods) {
                let using = |pod: &&Value| {
                    items(pod, "/spec/volumes")
                        .any(|volume| text(volume, "/persistentVolumeClaim/claimName") == Some(name(object)))
                };
                let lines: Vec<String> = pods.iter().filter(using).map(|pod| pods::line(pod, clock)).collect();
                page.section("pods that use it", &lines, OBJECTS, Some("none"));
            }
            tail(&mut page, object, told, clock);
        }
        _ => {
            let (owners, told) = tokio::join!(cluster.owners_of(object), of_itself(cluster, object));
            head(&mut page, object, owners, clock);
            body(&mut page, object);
            tail(&mut page, object, told, clock);
        }
    }
    page.into_text()
}

/// The events about one object.
async fn of_itself(cluster: &Cluster, object: &Value) -> Result<Vec<Value>, LookError> {
    match reference(object) {
        Some(object) => cluster.events_of(&object).await,
        None => Ok(vec![]),
    }
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
    page.field(0, "labels", pairs(object, "/metadata/labels"));
    let annotations: Vec<String> = entries(object, "/metadata/annotations")
        .filter(|(name, value)| {
            !ANNOTATIONS_TOLD.iter().any(|told| name.starts_with(told)) && plain(value).len() <= 200
        })
        .map(|(name, value)| format!("{name}={}", plain(value)))
        .collect();
    page.field(0, "annotations", annotations.join(", "));
    let finalizers: Vec<String> = items(object, "/metadata/finalizers").map(plain).collect();
    page.field(0, "finalizers", finalizers.join(", "));
}

/// The object's own fields, of a kind that has no view of its own.
fn body(page: &mut Page, object: &Value) {
    let mut rest = view::trimmed(object);
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
    let conditions: Vec<String> =
        items(object, "/status/conditions").map(|condition| self::condition(condition, clock)).collect();
    page.section("conditions", &conditions, 20, None);
    if let Some(told) = page.seen("events", told) {
        let lines = events::lines(&events::told(&told), clock);
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

/// As `Ready=False since 3m ago, ContainersNotReady: containers with unready status: [app]`.
fn condition(condition: &Value, clock: Clock) -> String {
    let since = time(condition, "/lastTransitionTime").map(|at| format!(" since {}", clock.when(at)));
    let reason = text(condition, "/reason").map(|reason| format!(", {reason}"));
    let message = text(condition, "/message").map(|message| format!(": {message}"));
    format!(
        "{}={}{}{}{}",
        text(condition, "/type").unwrap_or_default(),
        text(condition, "/status").unwrap_or_default(),
        since.unwrap_or_default(),
        reason.unwrap_or_default(),
        message.unwrap_or_default()
    )
}
