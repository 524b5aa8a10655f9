//! Which objects there are.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use jiff::Timestamp;

use crate::config::Scope;
use crate::object::{Event, Kind, Object, ObjectKey, Owner, Status, controller, find};

/// Which objects there are, with the little that is kept of each.
#[derive(Debug, Default)]
pub(super) struct Objects {
    lines: HashMap<ObjectKey, Line>,
    listings: BTreeMap<(Kind, Scope), Listing>,
}

/// What is kept of an object.
#[derive(Debug)]
struct Line {
    /// Hash of its uid: an object of the same name with another uid is another object.
    uid: u64,
    /// The listing in which it was seen last.
    listing: u32,
    /// Since when it is well; only of kinds of which events tell.
    healthy: Option<Timestamp>,
    /// Who owns it.
    owner: Option<Box<Owner>>,
}

#[derive(Debug, Default)]
struct Listing {
    number: u32,
    complete: bool,
}

impl Objects {
    /// A listing of this kind begins.
    pub(super) fn listing(&mut self, kind: Kind, scope: Scope) {
        self.listings.entry((kind, scope)).or_default().number += 1;
    }

    /// A listing is complete: those that were not seen in it.
    pub(super) fn finish_listing(&mut self, kind: &Kind, scope: &Scope) -> Vec<ObjectKey> {
        let listing = self.listings.entry((kind.clone(), scope.clone())).or_default();
        listing.complete = true;
        let number = listing.number;
        let vanished = self
            .lines
            .iter()
            .filter(|(key, line)| key.kind == *kind && line.listing != number && scope.covers(&key.namespace));
        vanished.map(|(key, _)| key.clone()).collect()
    }

    /// Where listings of this kind have begun, and whether they are complete.
    pub(super) fn listings(&self, kind: &Kind) -> impl Iterator<Item = (&Scope, bool)> {
        let of_kind = self.listings.iter().filter(move |((listed, _), _)| listed == kind);
        of_kind.map(|((_, scope), listing)| (scope, listing.complete))
    }

    /// Whether this kind was listed in full there.
    pub(super) fn listed_in(&self, kind: &Kind, scope: &Scope) -> bool {
        self.listings.get(&(kind.clone(), scope.clone())).is_some_and(|listing| listing.complete)
    }

    /// Whether this is another object than the one of the same name that was seen before.
    pub(super) fn replaced(&self, key: &ObjectKey, object: &Object) -> bool {
        let uid = hash(object.metadata().uid.as_deref());
        self.lines.get(key).is_some_and(|line| line.uid != uid)
    }

    /// Notes an object, and gives since when it is well.
    pub(super) fn see(&mut self, key: &ObjectKey, object: &Object, scope: &Scope, now: Timestamp) -> Option<Timestamp> {
        if let Object::ReplicaSet(set) = object
            && set.spec.replicas == Some(0)
            && set.status.replicas == 0
            && controller(&set.metadata).is_some()
        {
            // An old revision owns nothing; a cluster holds up to ten of them a Deployment.
            self.lines.remove(key);
            return None;
        }
        let listing = self.listings.get(&(key.kind.clone(), scope.clone())).map_or(0, |listing| listing.number);
        let before = self.lines.get(key).and_then(|line| line.healthy);
        let healthy = healthy(object, before, now);
        let owner = controller(object.metadata()).map(Box::new);
        let line = Line { uid: hash(object.metadata().uid.as_deref()), listing, healthy, owner };
        self.lines.insert(key.clone(), line);
        healthy
    }

    /// Whether what an event tells still concerns an object: it is there, the same, and not well since.
    pub(super) fn concerns(&self, subject: &ObjectKey, event: &Event, watched: bool) -> bool {
        match self.lines.get(subject) {
            None => !watched,
            Some(line) => {
                let same =
                    event.involved_object.uid.is_none() || line.uid == hash(event.involved_object.uid.as_deref());
                let recovered = line.healthy.is_some_and(|since| event.last().is_some_and(|last| last <= since));
                same && !recovered
            }
        }
    }

    pub(super) fn owner(&self, key: &ObjectKey) -> Option<&Owner> {
        self.lines.get(key)?.owner.as_deref()
    }

    pub(super) fn has(&self, key: &ObjectKey) -> bool {
        self.lines.contains_key(key)
    }

    pub(super) fn forget(&mut self, key: &ObjectKey) {
        self.lines.remove(key);
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }
}

/// Since when an object is well, for kinds of which events tell what they themselves don't.
fn healthy(object: &Object, before: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let since_now = |well: bool| well.then(|| before.unwrap_or(now));
    match object {
        Object::Pod(pod) => pod.ready_since(),
        Object::StatefulSet(set) => since_now(set.status.replicas >= set.spec.replicas.unwrap_or(1)),
        Object::DaemonSet(set) => since_now(set.status.current_number_scheduled >= set.status.desired_number_scheduled),
        Object::Job(job) => since_now(
            job.status.active.saturating_add(job.status.succeeded) > 0
                && find(&job.status.conditions, "Failed", Status::True).is_none(),
        ),
        Object::CronJob(cron_job) if cron_job.spec.suspend => since_now(true),
        Object::CronJob(cron_job) => cron_job.status.last_schedule_time,
        _ => None,
    }
}

/// A hash that is the same throughout the process.
fn hash(uid: Option<&str>) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(uid.unwrap_or_default())
}
