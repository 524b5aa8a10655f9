#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod causes;
mod ends;
mod property;
mod shared_change;
mod together;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use marple_core::{
    Fingerprint, Incident, IncidentId, IncidentStatus, JoinReason, Labels, Member, ObjectRef, Severity, Signal,
    SignalSource, SignalStatus,
};
use proptest::prelude::*;

use super::Book;
use crate::correlate::{Change, CorrelateConfig, Dependency, Known, Related, Snapshot};
use crate::store::{Moment, SignalSeq};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn deployment(name: &str) -> ObjectRef {
    ObjectRef::namespaced("Deployment", "shop", name)
}

fn pod(name: &str) -> ObjectRef {
    ObjectRef::namespaced("Pod", "shop", name)
}

fn node(name: &str) -> ObjectRef {
    ObjectRef::cluster("Node", name)
}

fn owned(owner: ObjectRef) -> Related {
    Related { owner: Some(owner), node: None, known: Known::Owners }
}

fn on(owner: ObjectRef, name: &str) -> Related {
    Related { node: Some(node(name)), ..owned(owner) }
}

fn firing(name: &str, subject: &ObjectRef) -> Signal {
    let labels: Labels = [("alertname", name), ("kind", &subject.kind), ("name", &subject.name)].into_iter().collect();
    Signal {
        source: SignalSource::Alertmanager,
        fingerprint: Fingerprint::of(&labels),
        status: SignalStatus::Firing,
        name: name.to_owned(),
        severity: Severity::Warning,
        subject: Some(subject.clone()),
        labels,
        annotations: Labels::new(),
        starts_at: at(0),
        ends_at: None,
        generator_url: None,
    }
}

fn resolved(signal: &Signal, seconds: i64) -> Signal {
    Signal { status: SignalStatus::Resolved, ends_at: Some(at(seconds)), ..signal.clone() }
}

/// A book, and what a store would hold of it.
struct Kept {
    book: Book,
    incidents: BTreeMap<IncidentId, Incident>,
    members: BTreeMap<(Fingerprint, SignalSource), (IncidentId, Member)>,
    moments: Vec<(IncidentId, Moment)>,
    seq: i64,
}

impl Kept {
    fn new() -> Self {
        Self {
            book: Book::new(CorrelateConfig::default(), Snapshot::default()),
            incidents: BTreeMap::new(),
            members: BTreeMap::new(),
            moments: vec![],
            seq: 0,
        }
    }

    fn fold(&mut self, signal: &Signal, related: &Related, seconds: i64) {
        self.seq += 1;
        self.book.fold(SignalSeq(self.seq), signal, related, at(seconds));
        self.keep(seconds);
    }

    fn tick(&mut self, seconds: i64) {
        self.book.tick(at(seconds));
        self.keep(seconds);
    }

    fn keep(&mut self, seconds: i64) {
        let Some(batch) = self.book.drain(at(seconds)) else { return };
        for change in batch.changes {
            match change {
                Change::Incident { incident, visible, added, removed, .. } => {
                    let before = self.incidents.get(&incident.id);
                    let revision = before.map_or(1, |before| before.revision + u64::from(visible));
                    let mut objects = before.map(|before| before.objects.clone()).unwrap_or_default();
                    objects.retain(|object| !removed.contains(object));
                    objects.extend(added);
                    assert_eq!(objects, incident.objects, "the differences add up");
                    self.incidents.insert(incident.id, Incident { revision, ..*incident });
                }
                Change::Member { incident, member, .. } => {
                    let key = (member.fingerprint, member.source);
                    // As the store does it: a member keeps the reason for which it joined.
                    let reason = self.members.get(&key).filter(|(held, _)| *held == incident);
                    let reason = reason.map_or_else(|| member.reason.clone(), |(_, before)| before.reason.clone());
                    self.members.insert(key, (incident, Member { reason, ..*member }));
                }
                Change::Ended { incident, source, fingerprint, ends_at } => {
                    let (held, member) = self.members.get_mut(&(fingerprint, source)).unwrap();
                    assert_eq!(*held, incident);
                    member.status = SignalStatus::Resolved;
                    member.ends_at = Some(ends_at);
                }
                Change::Merged { from, into, reason } => {
                    for (held, member) in self.members.values_mut().filter(|(held, _)| *held == from) {
                        *held = into;
                        if member.reason == JoinReason::First {
                            member.reason = reason.clone();
                        }
                    }
                }
                Change::Moment { incident, moment, .. } => self.moments.push((incident, moment)),
                Change::Related { .. } | Change::Learned { .. } => {}
            }
        }
    }

    fn live(&self) -> Vec<&Incident> {
        self.incidents.values().filter(|one| one.status != IncidentStatus::Merged).collect()
    }

    fn only(&self) -> &Incident {
        let live = self.live();
        assert_eq!(live.len(), 1, "{live:#?}");
        live[0]
    }

    fn reason(&self, signal: &Signal) -> JoinReason {
        self.members[&(signal.fingerprint, signal.source)].1.reason.clone()
    }
}
