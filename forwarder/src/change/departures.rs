//! What is going or has gone, and what is being delivered: so that of a deletion, of which the API server tells no author, it is
//! told what went with it. Only what the cluster shows is told, nothing is guessed. Pure.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};
use kube::api::DynamicObject;
use marple_core::ObjectRef;
use serde_json::Value;

use super::author::Writers;
use super::delivered::{argo, delivered_by, flux, helm};
use super::family::Family;

/// The most that is remembered of each: some 200 bytes an object, so less than a MiB.
const MOST: usize = 4096;

/// How long after a delivery has ended what goes is told to have gone with it.
const JUST: SignedDuration = SignedDuration::from_secs(10);

/// How long a delivery may go on: one that was broken off says so for ever.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// How long after an object has gone another of its name is told to be made again.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// How late a Job may be deleted whose time has run out: its controller looks again after its own queue.
const LATE: SignedDuration = SignedDuration::from_mins(5);

/// Times are in whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What is going or has gone, and what is being delivered.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// By uid.
    going: Recent<Box<str>, ObjectRef>,
    /// Namespaces, by name.
    namespaces: Recent<Box<str>, ()>,
    /// When an object of this name went.
    gone: Recent<ObjectRef, Timestamp>,
    /// By the name that [`delivered_by`] gives.
    deliveries: Recent<Box<str>, Delivery>,
}

/// What a tool that delivers is doing.
#[derive(Debug)]
struct Delivery {
    /// As `while Helm release shop/cart was going to revision 5`.
    what: String,
    /// When it began, or was seen last.
    began: Timestamp,
    /// When it had ended; nothing while it goes on.
    ended: Option<Timestamp>,
}

/// The newest entries of a map.
#[derive(Debug)]
struct Recent<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new() }
    }
}

impl<V> Recent<Box<str>, V> {
    fn take(&mut self, key: &str) {
        if self.entries.remove(key).is_some() {
            self.order.retain(|one| &**one != key);
        }
    }
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    fn put(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }
}

impl Departures {
    /// Notes an object that is seen.
    pub(super) fn seen(&mut self, family: &Family, object: &DynamicObject, now: Timestamp) {
        if object.metadata.deletion_timestamp.is_some() {
            self.goes(family, object);
        } else if family.name == "Namespace" {
            self.namespaces.take(object.metadata.name.as_deref().unwrap_or_default());
        }
        match delivery(family, object, now) {
            Some((name, Some(delivery))) => self.deliveries.put(name.into(), delivery),
            Some((name, None)) => {
                if let Some(delivery) = self.deliveries.entries.get_mut(name.as_str()) {
                    delivery.ended.get_or_insert(now);
                }
            }
            None => {}
        }
    }

    /// Notes an object that is gone.
    pub(super) fn gone(&mut self, family: &Family, object: &DynamicObject, now: Timestamp) {
        self.goes(family, object);
        if let Some(object) = reference(family, object) {
            self.gone.put(object, now);
        }
        // With what told of it a delivery is over.
        if let Some((name, Some(last))) = delivery(family, object, now)
            && let Some(delivery) = self.deliveries.entries.get_mut(name.as_str())
            && delivery.what == last.what
        {
            delivery.ended.get_or_insert(now);
        }
    }

    fn goes(&mut self, family: &Family, object: &DynamicObject) {
        if let (Some(uid), Some(reference)) = (object.metadata.uid.as_deref(), reference(family, object)) {
            if family.name == "Namespace" {
                self.namespaces.put(reference.name.as_str().into(), ());
            }
            self.going.put(uid.into(), reference);
        }
    }

    /// What went with an object that went then, as `with its namespace shop`; nothing where the cluster shows nothing.
    pub(super) fn how_gone(&self, object: &DynamicObject, at: Timestamp) -> Option<String> {
        let namespace = object.metadata.namespace.as_deref().filter(|name| self.namespaces.entries.contains_key(*name));
        let mut owners = object.metadata.owner_references.iter().flatten();
        let mut owner = || owners.find_map(|owner| self.going.entries.get(owner.uid.as_str()));
        let delivery = || {
            let delivery = self.deliveries.entries.get(delivered_by(&object.metadata)?.as_str())?;
            let (since, most) = delivery.ended.map_or((delivery.began, LONGEST), |ended| (ended, JUST));
            (at.duration_since(since).abs() <= most).then(|| delivery.what.clone())
        };
        namespace
            .map(|name| format!("with its namespace {name}"))
            .or_else(|| owner().map(|owner| format!("with its owner {owner}")))
            .or_else(|| time_ran_out(object, at))
            .or_else(delivery)
    }

    /// What is to be told of the making of an object of this name.
    pub(super) fn how_made(&self, object: &ObjectRef, made: Timestamp) -> Option<String> {
        let since = made.duration_since(*self.gone.entries.get(object)?);
        // The API server's clock may be behind ours.
        (since.abs() <= AGAIN).then(|| format!("made again {} s after it had gone", since.as_secs().max(0)))
    }
}

fn reference(family: &Family, object: &DynamicObject) -> Option<ObjectRef> {
    let (namespace, name) = (object.metadata.namespace.clone(), object.metadata.name.clone()?);
    Some(ObjectRef { kind: family.name.to_string(), namespace, name })
}

/// Of a Job that is deleted some time after it has ended, where that time had run out.
fn time_ran_out(object: &DynamicObject, at: Timestamp) -> Option<String> {
    let seconds = object.data.pointer("/spec/ttlSecondsAfterFinished")?.as_i64()?;
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let is = |condition: &&Value, key: &str, wanted: &[&str]| {
        condition.get(key).and_then(Value::as_str).is_some_and(|text| wanted.contains(&text))
    };
    let mut ended = conditions
        .filter(|condition| is(condition, "type", &["Complete", "Failed"]) && is(condition, "status", &["True"]))
        .filter_map(|condition| time(condition.get("lastTransitionTime")?));
    let due = ended.next()?.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    let late = at.duration_since(due);
    (late >= -SECOND && late <= LATE).then(|| format!("as its ttlSecondsAfterFinished ({seconds}) had run out"))
}

/// What this object tells of a delivery, where it is one of a tool that delivers others, and the name by which these know it;
/// of one that is at rest and doesn't tell when it was not, the name alone.
fn delivery(family: &Family, object: &DynamicObject, now: Timestamp) -> Option<(String, Option<Delivery>)> {
    let metadata = &object.metadata;
    let (namespace, name) = (metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref()?);
    let (deliverer, delivery) = match &*family.name {
        "Secret" => return revision(object, now),
        "Application" => (argo(name), sync(&argo(name), object)),
        kind @ ("Kustomization" | "HelmRelease") => {
            let deliverer = flux(kind, namespace, name);
            let what = || format!("while {deliverer} was being reconciled");
            let delivery = is_reconciling(object).then(|| Delivery { what: what(), began: now, ended: None });
            (deliverer, delivery)
        }
        _ => return None,
    };
    let going = metadata.deletion_timestamp.as_ref().map(|asked| {
        let what = format!("while {deliverer} was being deleted");
        Delivery { what, began: asked.0, ended: None }
    });
    Some((deliverer, going.or(delivery)))
}

/// What an application of Argo CD tells of its last sync.
fn sync(deliverer: &str, application: &DynamicObject) -> Option<Delivery> {
    let operation = application.data.pointer("/status/operationState")?;
    let text = |pointer: &str| operation.pointer(pointer).and_then(Value::as_str);
    let time = |pointer: &str| text(pointer).and_then(|at| at.parse::<Timestamp>().ok());
    let revision = text("/syncResult/revision").map_or_else(String::new, |to| format!(" to revision {to}"));
    let (began, ended) = (time("/startedAt")?, time("/finishedAt"));
    if text("/phase") == Some("Running") {
        return Some(Delivery { what: format!("while {deliverer} was being synced{revision}"), began, ended: None });
    }
    let what = format!("about when {deliverer} was synced{revision}");
    ended.map(|ended| Delivery { what, began, ended: Some(ended) })
}

fn is_reconciling(object: &DynamicObject) -> bool {
    let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        let text = |key: &str| condition.get(key).and_then(Value::as_str);
        text("type") == Some("Reconciling") && text("status") == Some("True")
    })
}

/// What a Secret tells in which Helm keeps a revision.
fn revision(object: &DynamicObject, now: Timestamp) -> Option<(String, Option<Delivery>)> {
    let label = |name: &str| object.metadata.labels.as_ref()?.get(name).map(String::as_str);
    let (name, number, status) = (label("name")?, label("version")?, label("status")?);
    if label("owner") != Some("helm") || status == "superseded" {
        return None;
    }
    let release = helm(object.metadata.namespace.as_deref()?, name);
    let began = Writers::of(&object.metadata).last().unwrap_or(now);
    let (what, ended) = match status {
        "uninstalling" | "uninstalled" => (format!("while {release} was being uninstalled"), None),
        status if status.starts_with("pending") => {
            (format!("while {release} was going to revision {number} ({status})"), None)
        }
        status => (format!("about when {release} went to revision {number} ({status})"), Some(began)),
    };
    Some((release, Some(Delivery { what, began, ended })))
}

#[cfg(test)]
mod tests;
