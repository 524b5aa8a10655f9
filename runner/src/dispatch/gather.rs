//! Folds what came in at once into incidents as serving does, without a store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use marple_core::{Fingerprint, Incident, IncidentId, IncidentStatus, Member, ObjectRef, Signal, SignalSource};
use marple_tools::{EvidenceError, MemoryEvidence};
use tokio_util::sync::CancellationToken;

use super::{Once, Subjects, Topic};
use crate::correlate::{Batch, Book, Change, ClusterOwners, CorrelateConfig, Owners as _, Related, Snapshot};
use crate::store::SignalSeq;

/// The incidents of a book as its changes tell them.
#[derive(Default)]
struct Gathered {
    incidents: BTreeMap<IncidentId, Incident>,
    members: BTreeMap<IncidentId, BTreeMap<(SignalSource, Fingerprint), Member>>,
}

impl Once {
    /// Folds signals in their order, captures each incident that they come to, and merges those of which one depends on
    /// the other. Gives the incident with the most signals, of several the oldest; nothing where no signal opens one.
    pub async fn gather(
        &self,
        signals: &[Signal],
        config: &CorrelateConfig,
        now: Timestamp,
        cancel: &CancellationToken,
    ) -> Result<Option<Topic>, EvidenceError> {
        let related = self.related(signals).await;
        let mut book = Book::new(config.clone(), Snapshot::default());
        let mut gathered = Gathered::default();
        for (seq, signal) in (1..).zip(signals) {
            let told = signal.subject.as_ref().and_then(|subject| related.get(subject));
            book.fold(SignalSeq(seq), signal, &Related::of(signal, told), now);
        }
        gathered.take(book.drain(now));
        let mut learned = BTreeSet::new();
        while let Some(id) = gathered.first_without(&learned) {
            learned.insert(id);
            let Some((incident, members)) = gathered.with_members(id) else { continue };
            let evidence = MemoryEvidence::default();
            let subjects = Subjects::of(&incident, &members);
            let capture = self.lookout.capture(&subjects, &evidence, now, cancel).await?;
            book.learn(id, capture.dependencies, now);
            gathered.take(book.drain(now));
        }
        // Of equal ones the last is taken, and the oldest has the least id.
        let largest = gathered.standing().rev().max_by_key(|incident| incident.signals).map(|incident| incident.id);
        let largest = largest.and_then(|id| gathered.with_members(id));
        Ok(largest.map(|(incident, members)| Topic::Incident { incident: Box::new(incident), members }))
    }

    async fn related(&self, signals: &[Signal]) -> HashMap<ObjectRef, Related> {
        let Some(cluster) = &self.lookout.cluster else { return HashMap::new() };
        let subjects: BTreeSet<&ObjectRef> = signals.iter().filter_map(|signal| signal.subject.as_ref()).collect();
        let subjects: Vec<ObjectRef> = subjects.into_iter().cloned().collect();
        let related = ClusterOwners::new(cluster.clone()).related(&subjects).await;
        subjects.into_iter().zip(related).filter_map(|(object, related)| Some((object, related?))).collect()
    }
}

impl Gathered {
    /// Incidents that are not part of another, the oldest first.
    fn standing(&self) -> impl DoubleEndedIterator<Item = &Incident> {
        self.incidents.values().filter(|incident| incident.status != IncidentStatus::Merged)
    }

    fn first_without(&self, known: &BTreeSet<IncidentId>) -> Option<IncidentId> {
        self.standing().map(|incident| incident.id).find(|id| !known.contains(id))
    }

    fn with_members(&self, id: IncidentId) -> Option<(Incident, Vec<Member>)> {
        let members = self.members.get(&id).into_iter().flat_map(BTreeMap::values).cloned().collect();
        Some((self.incidents.get(&id)?.clone(), members))
    }

    fn take(&mut self, batch: Option<Batch>) {
        for change in batch.into_iter().flat_map(|batch| batch.changes) {
            match change {
                Change::Incident { incident, .. } => {
                    self.incidents.insert(incident.id, *incident);
                }
                Change::Member { incident, member, .. } => {
                    let members = self.members.entry(incident).or_default();
                    members.insert((member.source, member.fingerprint), *member);
                }
                Change::Ended { incident, source, fingerprint, ends_at } => {
                    let member =
                        self.members.get_mut(&incident).and_then(|members| members.get_mut(&(source, fingerprint)));
                    if let Some(member) = member {
                        member.ends_at = Some(ends_at);
                    }
                }
                Change::Merged { from, into, reason } => {
                    for (key, member) in self.members.remove(&from).unwrap_or_default() {
                        let member = Member { reason: reason.clone(), ..member };
                        self.members.entry(into).or_default().entry(key).or_insert(member);
                    }
                }
                // What is learned and told matters to a store.
                Change::Related { .. } | Change::Learned { .. } | Change::Moment { .. } => {}
            }
        }
    }
}
