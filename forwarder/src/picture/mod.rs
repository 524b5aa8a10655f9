//! What is known of the cluster: from what the watches see, signals. Pure.
//!
//! No object is kept: of each there is a line of some 150 bytes (is it there, is it well, who owns it), and a track only of
//! what is wrong with it.

mod draft;
mod objects;
mod observation;
mod owners;
mod restarts;

use std::collections::BTreeSet;

use jiff::Timestamp;
use marple_core::Signal;

pub use observation::Observation;

use crate::condition::Context;
use crate::object::{Event, Kind, Object, ObjectKey};
use crate::tracker::{Draft, Tracker, Witness};
use crate::{ForwarderConfig, config::Scope};
use objects::Objects;
use restarts::RestartLog;

/// The label that names the cluster, as Prometheus's external labels do by custom.
const CLUSTER: &str = "cluster";

/// What is known of the cluster.
#[derive(Debug)]
pub struct Picture {
    /// The cluster's name: signals bear it, so that those of two clusters are told apart.
    cluster: String,
    config: ForwarderConfig,
    objects: Objects,
    restarts: RestartLog,
    waiting_classes: BTreeSet<Box<str>>,
    /// What the credentials don't allow to watch.
    unseen: BTreeSet<(Kind, Scope)>,
    tracker: Tracker,
}

impl Picture {
    /// Knows nothing yet of the cluster of this name.
    pub fn new(cluster: impl Into<String>, config: ForwarderConfig) -> Self {
        let restarts = RestartLog::new(config.conditions.crash_loop.window.duration());
        Self {
            cluster: cluster.into(),
            config,
            objects: Objects::default(),
            restarts,
            waiting_classes: BTreeSet::new(),
            unseen: BTreeSet::new(),
            tracker: Tracker::default(),
        }
    }

    /// Takes over what the runner holds as firing, as far as it is of this cluster and of namespaces that count here: the
    /// rest is another forwarder's, which alone can tell when it ends.
    pub fn adopt(&mut self, known: impl IntoIterator<Item = Signal>) {
        let (cluster, namespaces) = (&self.cluster, &self.config.namespaces);
        let own = known.into_iter().filter(|signal| {
            let namespace = signal.subject.as_ref().and_then(|subject| subject.namespace.as_deref());
            signal.labels.get(CLUSTER) == Some(cluster.as_str())
                && namespace.is_none_or(|namespace| namespaces.count(namespace))
        });
        self.tracker.adopt(own);
    }

    /// Takes in what a watch saw, and gives what is to be told of it.
    pub fn take(&mut self, observation: Observation, now: Timestamp) -> Vec<Signal> {
        match observation {
            Observation::Listing(kind, scope) => {
                self.objects.listing(kind, scope);
                Vec::new()
            }
            Observation::Seen(object, scope) => self.seen(object, &scope, now),
            Observation::Gone(key) => self.gone(&key, now),
            Observation::Listed(kind, scope) => self.listed(kind, &scope, now),
            Observation::Forbidden(kind, scope) => {
                self.unseen.insert((kind, scope));
                Vec::new()
            }
        }
    }

    /// What the passing of time alone brings.
    pub fn due(&mut self, now: Timestamp) -> Vec<Signal> {
        self.tracker.due(now)
    }

    /// When [`Picture::due`] has something to do next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.tracker.next_due()
    }

    /// Resolves what the runner holds as firing and isn't so, as far as what was listed can tell.
    pub fn settle(&mut self, now: Timestamp) -> Vec<Signal> {
        let (objects, conditions) = (&self.objects, &self.config.conditions);
        let events = objects.listed(Kind::Event);
        let knowable = |signal: &Signal| {
            let Some(subject) = &signal.subject else { return true };
            let Some(kind) = Kind::named(&subject.kind) else { return true };
            let key = ObjectKey::new(kind, subject.namespace.as_deref().unwrap_or_default(), &subject.name);
            let told_by_events = conditions.told_by_events(&signal.name) && objects.has(&key);
            objects.listed(kind) && (events || !told_by_events)
        };
        self.tracker.settle(knowable, now)
    }

    /// What is told and has not ended.
    pub fn firing(&self) -> impl Iterator<Item = &Signal> {
        self.tracker.firing()
    }

    /// How many objects are known.
    pub fn objects(&self) -> usize {
        self.objects.len()
    }

    /// How many conditions are waited for or told.
    pub fn conditions(&self) -> usize {
        self.tracker.len()
    }

    fn seen(&mut self, object: Object, scope: &Scope, now: Timestamp) -> Vec<Signal> {
        let key = object.key();
        if !key.namespace.is_empty() && !self.config.namespaces.count(&key.namespace) {
            return Vec::new();
        }
        match object {
            Object::Event(event) => self.event(key, event, now),
            Object::StorageClass(class) => {
                if class.waits_for_consumer() {
                    self.waiting_classes.insert(key.name);
                } else {
                    self.waiting_classes.remove(&key.name);
                }
                Vec::new()
            }
            object => self.object(key, &object, scope, now),
        }
    }

    fn object(&mut self, key: ObjectKey, object: &Object, scope: &Scope, now: Timestamp) -> Vec<Signal> {
        let mut signals = Vec::new();
        if self.objects.replaced(&key, object) {
            signals.append(&mut self.gone(&key, now));
        }
        let healthy = self.objects.see(&key, object, scope, now);
        if let Object::Pod(pod) = object {
            self.restarts.note(&key, pod, now);
        }
        if let Some(since) = healthy {
            signals.append(&mut self.tracker.recovered(&key, since, now));
        }
        let drafts = self.drafts(&key, object);
        signals.append(&mut self.tracker.observe(&Witness::Object(key), drafts, now));
        signals
    }

    fn event(&mut self, key: ObjectKey, event: Box<Event>, now: Timestamp) -> Vec<Signal> {
        let Some(subject) = event.subject() else { return Vec::new() };
        if !self.objects.concerns(&subject, &event, !self.unseen(subject.kind, &subject.namespace)) {
            return Vec::new();
        }
        let drafts = self.drafts(&key, &Object::Event(event));
        self.tracker.observe(&Witness::Event(key), drafts, now)
    }

    fn drafts(&self, key: &ObjectKey, object: &Object) -> Vec<Draft> {
        let context = Context {
            key,
            restarts: self.restarts.of(key),
            waiting_classes: &self.waiting_classes,
            pods_unseen: self.unseen(Kind::Pod, &key.namespace),
        };
        let sightings = self.config.conditions.see(object, &context);
        sightings
            .into_iter()
            .map(|sighting| draft::draft(sighting, object, key, &self.objects, &self.cluster))
            .collect()
    }

    /// Whether objects of this kind can't be watched in this namespace.
    fn unseen(&self, kind: Kind, namespace: &str) -> bool {
        self.unseen.iter().any(|(unseen, scope)| *unseen == kind && scope.covers(namespace))
    }

    fn gone(&mut self, key: &ObjectKey, now: Timestamp) -> Vec<Signal> {
        match key.kind {
            // Events end by their age: they are deleted an hour after what they tell of.
            Kind::Event => Vec::new(),
            Kind::StorageClass => {
                self.waiting_classes.remove(&key.name);
                Vec::new()
            }
            _ => {
                self.objects.forget(key);
                self.restarts.forget(key);
                self.tracker.forget(key, now)
            }
        }
    }

    fn listed(&mut self, kind: Kind, scope: &Scope, now: Timestamp) -> Vec<Signal> {
        self.unseen.remove(&(kind, scope.clone()));
        let vanished = self.objects.finish_listing(kind, scope);
        vanished.iter().flat_map(|key| self.gone(key, now)).collect()
    }
}

#[cfg(test)]
mod tests;
