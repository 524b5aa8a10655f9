//! What is known of the cluster: from what the watches see, signals. Pure.
//!
//! No object is kept: of each that others belong to or that events tell of there is a line of some 150 bytes (is it there,
//! is it well, who owns it), of all others only while something is wrong with them, and a track only of that.

mod draft;
mod objects;
mod observation;
mod owners;
mod releases;
mod restarts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use marple_core::Signal;
use metrics::counter;

pub use observation::Observation;

use crate::condition::Context;
use crate::config::{CustomResource, ForwarderConfig, Scope};
use crate::known::Telling;
use crate::metric;
use crate::object::{CronJob, Event, Kind, Object, ObjectKey, Owner, RevisionSecret, controller};
use crate::tracker::{ConditionKey, Draft, Tracker, Witness};
use objects::Objects;
use releases::Releases;
use restarts::RestartLog;

/// The label that names the cluster, as Prometheus's external labels do by custom.
const CLUSTER: &str = "cluster";

/// How long it is waited for what the credentials don't allow to watch, or the cluster doesn't serve, before what was told
/// of it earlier is taken to be over: as long as an API server keeps events, unless it is told otherwise.
const UNSEEN_FOR: SignedDuration = SignedDuration::from_hours(1);

/// What is known of the cluster.
#[derive(Debug)]
pub struct Picture {
    /// The cluster's name: signals bear it, so that those of two clusters are told apart.
    cluster: String,
    config: ForwarderConfig,
    objects: Objects,
    restarts: RestartLog,
    waiting_classes: BTreeSet<Box<str>>,
    releases: Releases,
    /// When a Job of each CronJob last succeeded.
    succeeded: HashMap<ObjectKey, Timestamp>,
    /// What the credentials don't allow to watch, and since when.
    unseen: BTreeMap<(Kind, Scope), Timestamp>,
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
            releases: Releases::default(),
            succeeded: HashMap::new(),
            unseen: BTreeMap::new(),
            tracker: Tracker::default(),
        }
    }

    /// What the runner holds is asked for, and will be told by [`Picture::adopt`].
    pub fn awaits(&mut self) {
        self.tracker.awaits();
    }

    /// Takes over what the runner holds as firing, as far as it is of this cluster and of namespaces that count here: the
    /// rest is another forwarder's, which alone can tell when it ends. `told` says when each was told, for the rate limits.
    /// Gives what was told here before that was known, and goes on as it was told then.
    pub fn adopt(
        &mut self,
        known: impl IntoIterator<Item = Signal>,
        told: impl IntoIterator<Item = Telling>,
    ) -> Vec<Signal> {
        let (cluster, namespaces) = (&self.cluster, &self.config.namespaces);
        let own = known.into_iter().filter(|signal| {
            let namespace = signal.subject.as_ref().and_then(|subject| subject.namespace.as_deref());
            signal.labels.get(CLUSTER) == Some(cluster.as_str())
                && namespace.is_none_or(|namespace| namespaces.count(namespace))
        });
        self.tracker.adopt(own, told)
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
            Observation::Listed(kind, scope) => self.listed(&kind, &scope, now),
            Observation::Forbidden(kind, scope) => {
                self.unseen.entry((kind, scope)).or_insert(now);
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

    /// Resolves what the runner holds as firing and isn't so, as far as all were heard who could tell: what was listed, and
    /// what can't be watched and so never will be.
    pub fn settle(&mut self, now: Timestamp) -> Vec<Signal> {
        let (objects, config, unseen) = (&self.objects, &self.config, &self.unseen);
        let knowable = |signal: &Signal| {
            let Some(subject) = &signal.subject else { return true };
            let namespace = subject.namespace.as_deref().unwrap_or_default();
            let heard = |kind: &Kind| is_heard(objects, unseen, (kind, namespace), now);
            let listed = watched(config, &subject.kind).iter().all(heard);
            let events = heard(&Kind::Event);
            let there = |kind: Kind| !kind.is_noted() || objects.has(&ObjectKey::new(kind, namespace, &subject.name));
            let told_by_events =
                config.conditions.told_by_events(&signal.name) && Kind::named(&subject.kind).is_none_or(there);
            // Of pods that can't be watched events tell all that is told.
            let pods_unseen = subject.kind == Kind::Pod.as_str()
                && unseen.keys().any(|(kind, scope)| *kind == Kind::Pod && scope.covers(namespace));
            listed && (events || !(told_by_events || pods_unseen))
        };
        self.tracker.settle(knowable, now)
    }

    /// The same of one object that was seen, or is gone, where nothing is listed.
    pub(crate) fn settle_of(&mut self, object: &ObjectKey, gone: bool, now: Timestamp) -> Vec<Signal> {
        let conditions = &self.config.conditions;
        let knowable = |signal: &Signal| {
            let is = signal.subject.as_ref().is_some_and(|subject| {
                Kind::named(&subject.kind).as_ref() == Some(&object.kind)
                    && subject.namespace.as_deref().unwrap_or_default() == &*object.namespace
                    && *subject.name == *object.name
            });
            is && (gone || !conditions.told_by_events(&signal.name))
        };
        let mut signals = self.tracker.settle_unspoken(knowable, now);
        // No other witness can be waited for: each tells only when it has news.
        signals.append(&mut self.tracker.settle_spoken(|_| true, now));
        signals
    }

    /// What is told and has not ended, in the order of the conditions, from after this one on.
    pub(crate) fn firing_after(&self, after: Option<&ConditionKey>) -> impl Iterator<Item = (&ConditionKey, &Signal)> {
        self.tracker.firing_after(after)
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
        if key.name.is_empty() {
            counter!(metric::MALFORMED).increment(1);
            tracing::debug!(kind = %key.kind, "an object has no name: it is passed over");
            return Vec::new();
        }
        let namespace = key.counts_to();
        if !namespace.is_empty() && !self.config.namespaces.count(namespace) {
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
            Object::RevisionSecret(secret) => self.revision(&key, secret, scope, now),
            object => self.object(key, &object, scope, now),
        }
    }

    fn object(&mut self, key: ObjectKey, object: &Object, scope: &Scope, now: Timestamp) -> Vec<Signal> {
        let mut signals = Vec::new();
        if self.objects.replaced(&key, object) {
            signals.append(&mut self.gone(&key, now));
        }
        if let Object::Pod(pod) = object {
            self.restarts.note(&key, pod, now);
        }
        if let Object::CronJob(cron_job) = object {
            signals.append(&mut self.succeeded(&key, cron_job, now));
        }
        let drafts = self.drafts(&key, object, now);
        if key.kind.is_noted() || !drafts.is_empty() {
            if let Some(since) = self.objects.see(&key, object, scope, now) {
                signals.append(&mut self.tracker.recovered(&key, since, now));
            }
        } else {
            self.objects.forget(&key);
        }
        signals.append(&mut self.tracker.observe(&Witness::Object(key), drafts, now));
        signals
    }

    /// Notes when a Job of this CronJob last succeeded: what earlier ones told has ended.
    fn succeeded(&mut self, key: &ObjectKey, cron_job: &CronJob, now: Timestamp) -> Vec<Signal> {
        let Some(at) = cron_job.status.last_successful_time else { return Vec::new() };
        if self.succeeded.insert(key.clone(), at) == Some(at) {
            return Vec::new();
        }
        let owner = Owner { kind: key.kind.as_str().into(), name: key.name.clone() };
        let jobs = self.tracker.subjects(&Kind::Job, &key.namespace);
        let own = jobs.iter().filter(|job| self.objects.owner(job) == Some(&owner));
        own.flat_map(|job| self.tracker.recovered(job, at, now)).collect()
    }

    /// Notes a revision of a Helm release, and looks at the release. Until all are listed an old one may seem the newest.
    fn revision(&mut self, key: &ObjectKey, secret: Box<RevisionSecret>, scope: &Scope, now: Timestamp) -> Vec<Signal> {
        let revision = Some(secret.revision()).filter(|revision| &*revision.status != "superseded");
        if revision.is_some() {
            self.objects.see(key, &Object::RevisionSecret(secret), scope, now);
        } else {
            self.objects.forget(key);
        }
        match self.releases.note(key, revision) {
            Some(release) if self.objects.listed_in(&Kind::Secret, scope) => self.release(&release, scope, now),
            _ => Vec::new(),
        }
    }

    fn release(&mut self, key: &ObjectKey, scope: &Scope, now: Timestamp) -> Vec<Signal> {
        match self.releases.release(key) {
            Some(release) => self.object(key.clone(), &Object::Release(Box::new(release)), scope, now),
            None => self.gone(key, now),
        }
    }

    fn event(&mut self, key: ObjectKey, event: Box<Event>, now: Timestamp) -> Vec<Signal> {
        let Some(subject) = event.subject() else { return Vec::new() };
        let watched = subject.kind.is_noted() && !self.unseen(&subject.kind, &subject.namespace);
        if !self.objects.concerns(&subject, &event, watched) {
            return Vec::new();
        }
        let drafts = self.drafts(&key, &Object::Event(event), now);
        self.tracker.observe(&Witness::Event(key), drafts, now)
    }

    fn drafts(&self, key: &ObjectKey, object: &Object, now: Timestamp) -> Vec<Draft> {
        let context = Context {
            key,
            restarts: self.restarts.of(key),
            owner_succeeded: self.owner_succeeded(key, object),
            waiting_classes: &self.waiting_classes,
            pods_unseen: self.unseen(&Kind::Pod, &key.namespace),
        };
        let sightings = self.config.conditions.see(object, &context);
        sightings
            .into_iter()
            .map(|sighting| draft::draft(sighting, object, key, &self.objects, &self.cluster, now))
            .collect()
    }

    fn owner_succeeded(&self, key: &ObjectKey, object: &Object) -> Option<Timestamp> {
        let Object::Job(job) = object else { return None };
        let owner = controller(&job.metadata).filter(|owner| &*owner.kind == "CronJob")?;
        self.succeeded.get(&ObjectKey::new(Kind::CronJob, &key.namespace, &owner.name)).copied()
    }

    /// Whether objects of this kind can't be watched in this namespace.
    fn unseen(&self, kind: &Kind, namespace: &str) -> bool {
        self.unseen.keys().any(|(unseen, scope)| unseen == kind && scope.covers(namespace))
    }

    fn gone(&mut self, key: &ObjectKey, now: Timestamp) -> Vec<Signal> {
        match key.kind {
            // Events end by their age: they are deleted an hour after what they tell of.
            Kind::Event => Vec::new(),
            Kind::StorageClass => {
                self.waiting_classes.remove(&key.name);
                Vec::new()
            }
            Kind::Secret => {
                self.objects.forget(key);
                match self.releases.note(key, None) {
                    Some(release) => self.release(&release, &Scope::Cluster, now),
                    None => Vec::new(),
                }
            }
            _ => {
                self.objects.forget(key);
                self.restarts.forget(key);
                self.succeeded.remove(key);
                self.tracker.forget(key, now)
            }
        }
    }

    fn listed(&mut self, kind: &Kind, scope: &Scope, now: Timestamp) -> Vec<Signal> {
        self.unseen.remove(&(kind.clone(), scope.clone()));
        let vanished = self.objects.finish_listing(kind, scope);
        let mut signals: Vec<Signal> = vanished.iter().flat_map(|key| self.gone(key, now)).collect();
        if *kind == Kind::Secret {
            let releases = self.releases.within(scope);
            signals.extend(releases.iter().flat_map(|key| self.release(key, scope, now)));
        }
        signals
    }
}

/// Whether all was heard that this kind could tell of a namespace, or of what has none.
fn is_heard(
    objects: &Objects,
    unseen: &BTreeMap<(Kind, Scope), Timestamp>,
    (kind, namespace): (&Kind, &str),
    now: Timestamp,
) -> bool {
    let concerned = |scope: &Scope| namespace.is_empty() || scope.covers(namespace);
    let refused = |scope: &Scope| unseen.get(&(kind.clone(), scope.clone()));
    let given_up = |since: &Timestamp| now.duration_since(*since) >= UNSEEN_FOR;
    let listings = objects.listings(kind).filter(|(scope, _)| concerned(scope));
    let heard = listings.map(|(scope, complete)| refused(scope).map_or(complete, given_up));
    let never = unseen.iter().filter(|((unseen, scope), _)| unseen == kind && concerned(scope));
    let mut heard = heard.chain(never.map(|(_, since)| given_up(since))).peekable();
    heard.peek().is_some() && heard.all(|heard| heard)
}

/// The kinds that tell of objects of this kind's name. Several groups may have one of the same name.
fn watched(config: &ForwarderConfig, name: &str) -> Vec<Kind> {
    let helm = name == Kind::HelmRelease.as_str() && config.conditions.helm_release.enabled;
    let custom = config.custom.iter().filter(|resource| resource.kind == name).map(CustomResource::kind);
    Kind::named(name).into_iter().chain(helm.then_some(Kind::Secret)).chain(custom).collect()
}

#[cfg(test)]
mod tests;
