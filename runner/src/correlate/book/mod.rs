//! The incidents that signals may still join, and the rules by which they do. Pure: time comes in as a value.
//!
//! A signal goes to the first of: the incident of the same alert; of the same object or top owner; of a node that went
//! down under it; of what depends on its object; of the same alert about no particular object. Else it opens one. Incidents
//! of what needs the same object become one where that was changed shortly before both began.

mod entry;
mod index;
mod key;
mod merge;
mod reach;
mod shared;
#[cfg(test)]
mod tests;
mod title;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use marple_core::{IncidentId, IncidentStatus, JoinReason, Member, ObjectRef, Signal, SignalStatus};

use self::entry::Entry;
use self::index::Index;
use self::key::Key;
use self::shared::Shared;
use self::title::takes_pods_down;
use super::{Batch, Change, CorrelateConfig, HeldMember, Known, Related, Snapshot, group};
use crate::store::{Moment, SignalSeq};

/// How long the end of an alert that was never seen to hold is remembered, so that its beginning, should it come late,
/// opens nothing.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// How many merges are remembered, for what is learned of the younger incident after them.
const MERGED: usize = 1_000;

/// How many such ends are remembered.
const ENDED: usize = 10_000;

/// The incidents that signals may still join.
#[derive(Clone, Debug)]
pub struct Book {
    config: CorrelateConfig,
    batch: u64,
    cursor: SignalSeq,
    /// The cursor of the last batch.
    drained: SignalSeq,
    entries: BTreeMap<IncidentId, Entry>,
    index: Index,
    /// What objects of members belong to: those of one workload on one node have it in common.
    related: Shared<Related>,
    /// Alerts of which only the end was seen: their start, and when the end came.
    ended: HashMap<Key, (Timestamp, Timestamp)>,
    /// What incidents became part of; the latest merges.
    merged: BTreeMap<IncidentId, IncidentId>,
    /// Incidents that have changed since the last batch.
    touched: BTreeSet<IncidentId>,
    /// Incidents that left the book since then, as they were.
    closed: Vec<Change>,
    changes: Vec<Change>,
}

/// Where a signal that holds goes.
enum Place {
    Open,
    Join(IncidentId, JoinReason),
    Reopen(IncidentId, JoinReason),
}

impl Book {
    /// A book of what was kept.
    pub fn new(config: CorrelateConfig, snapshot: Snapshot) -> Self {
        let mut related = Shared::default();
        let mut entries = BTreeMap::new();
        for mut held in snapshot.incidents {
            for member in &mut held.members {
                member.related = related.of(&member.related);
            }
            entries.insert(held.incident.id, Entry::held(held));
        }
        let mut index = Index::default();
        for entry in entries.values() {
            index.add_all(entry);
        }
        Self {
            config,
            batch: snapshot.batch,
            cursor: snapshot.cursor,
            drained: snapshot.cursor,
            entries,
            index,
            related,
            ended: HashMap::new(),
            merged: BTreeMap::new(),
            touched: BTreeSet::new(),
            closed: vec![],
            changes: vec![],
        }
    }

    /// How many incidents it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Subjects of members that hold and for which the cluster could not be asked, at most `limit`.
    pub fn unresolved(&self, limit: usize) -> Vec<ObjectRef> {
        let members = self.entries.values().filter(|entry| entry.is_open()).flat_map(|entry| entry.members.values());
        let unresolved: BTreeSet<&ObjectRef> = members
            .filter(|member| member.status == SignalStatus::Firing && member.related.known == Known::Labels)
            .filter_map(|member| member.subject.as_deref())
            .take(limit)
            .collect();
        unresolved.into_iter().cloned().collect()
    }

    /// When [`Self::tick`] has something to do next.
    pub fn next_tick(&self) -> Option<Timestamp> {
        self.index.ends.first().map(|(end, ..)| *end)
    }

    /// Takes account of one signal.
    pub fn fold(&mut self, seq: SignalSeq, signal: &Signal, related: &Related, now: Timestamp) {
        self.cursor = self.cursor.max(seq);
        if self.config.ignore.contains(&signal.name) {
            return;
        }
        match signal.status {
            SignalStatus::Firing => self.begin(signal, related, now),
            SignalStatus::Resolved => self.end(signal, now),
        }
    }

    /// Takes account of the time: ends that signals have named, and incidents that nothing reopens any more.
    pub fn tick(&mut self, now: Timestamp) {
        while let Some((end, id, key)) = self.index.ends.first().copied().filter(|(end, ..)| *end <= now) {
            self.index.ends.remove(&(end, id, key));
            if self.entries.get_mut(&id).is_some_and(|entry| entry.end(key, end)) {
                self.touched.insert(id);
                let (source, fingerprint) = (key.source, key.fingerprint);
                self.changes.push(Change::Ended { incident: id, source, fingerprint, ends_at: end });
                self.close_if_over(id, now);
            }
        }
        let reopen = self.config.reopen.duration();
        let over: Vec<IncidentId> = self
            .entries
            .iter()
            .filter(|(id, entry)| {
                !self.touched.contains(id) && entry.closed_at.is_some_and(|closed| !within(closed, reopen, now))
            })
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.forget(id);
        }
        self.ended.retain(|_, (_, seen)| now.duration_since(*seen) <= LATE);
    }

    /// The changes since the last batch, if there are any or the cursor has moved.
    pub fn drain(&mut self, now: Timestamp) -> Option<Batch> {
        let mut changes = std::mem::take(&mut self.closed);
        for id in std::mem::take(&mut self.touched) {
            changes.extend(self.entries.get_mut(&id).and_then(|entry| entry.take_change(now)));
        }
        changes.append(&mut self.changes);
        if changes.is_empty() && self.cursor == self.drained {
            return None;
        }
        self.drained = self.cursor;
        self.batch += 1;
        Some(Batch { number: self.batch, at: now, cursor: self.cursor, changes })
    }

    fn begin(&mut self, signal: &Signal, related: &Related, now: Timestamp) {
        let key = Key::of(signal);
        if self.ended.get(&key).is_some_and(|(start, _)| *start >= signal.starts_at) {
            return;
        }
        match self.place(key, signal, related, now) {
            Place::Open => {
                let id = IncidentId::new();
                let subject = related.owner.clone().or_else(|| signal.subject.clone());
                self.entries.insert(id, Entry::open(id, signal.starts_at, subject, now));
                self.moment(id, now, Moment::Opened { name: signal.name.clone() });
                self.put(id, signal, related, &JoinReason::First, now);
            }
            Place::Join(id, reason) => self.put(id, signal, related, &reason, now),
            Place::Reopen(id, reason) => {
                self.moment(id, now, Moment::Reopened { name: signal.name.clone() });
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.closed_at = None;
                    entry.incident.status = IncidentStatus::Open;
                    entry.incident.resolved_at = None;
                    entry.touch(true);
                }
                self.put(id, signal, related, &reason, now);
            }
        }
        if takes_pods_down(&signal.name, signal.subject.as_ref()) {
            self.absorb_from_node(signal, now);
        }
    }

    fn place(&mut self, key: Key, signal: &Signal, related: &Related, now: Timestamp) -> Place {
        // What it already is part of, whatever has been learned since.
        if let Some(id) = self.index.alerts.get(&key).copied() {
            match self.entries.get(&id).map(|entry| entry.closed_at) {
                Some(None) => return Place::Join(id, JoinReason::SameAlert),
                Some(Some(closed)) if within(closed, self.config.reopen.duration(), now) => {
                    return Place::Reopen(id, JoinReason::SameAlert);
                }
                _ => self.forget(id),
            }
        }
        let objects = [(&signal.subject, true), (&related.owner, false)];
        for (object, itself) in objects.into_iter().filter_map(|(object, itself)| Some((object.as_ref()?, itself))) {
            let Some(id) = self.index.objects.get(object).copied() else { continue };
            let reason = if itself || signal.subject.as_ref() == Some(object) {
                JoinReason::SameObject
            } else {
                JoinReason::SameOwner { owner: object.clone() }
            };
            if self.is_joinable(id, now) {
                return Place::Join(id, reason);
            }
            if self.can_be_reopened_by(id, signal, object, now) {
                return Place::Reopen(id, reason);
            }
        }
        if let Some(node) = &related.node
            && let Some(id) = self.index.nodes.get(node).copied()
            && self.is_joinable(id, now)
        {
            return Place::Join(id, JoinReason::SameNode { node: node.clone() });
        }
        for object in [&related.owner, &signal.subject].into_iter().flatten() {
            if let Some(id) = self.index.reached.get(object).copied()
                && self.is_joinable(id, now)
                && let Some(reason) = self.entries.get(&id).and_then(|entry| entry.reach.get(object))
            {
                return Place::Join(id, reason.clone());
            }
        }
        if let Some(group) = group(&signal.name, signal.subject.as_ref(), &signal.labels)
            && let Some(id) = self.index.groups.get(&group).copied()
        {
            if self.is_joinable(id, now) {
                return Place::Join(id, JoinReason::SameAlert);
            }
            let closed = self.entries.get(&id).and_then(|entry| entry.closed_at);
            if closed.is_some_and(|closed| within(closed, self.config.reopen.duration(), now)) {
                return Place::Reopen(id, JoinReason::SameAlert);
            }
        }
        Place::Open
    }

    /// Whether other alerts may join it: it is open, and something in it began to hold inside the window.
    fn is_joinable(&self, id: IncidentId, now: Timestamp) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.is_open() && within(entry.last_fired_at, self.config.window.duration(), now))
    }

    /// Whether this is the same alert on the same workload though its pod was replaced since, and soon enough.
    fn can_be_reopened_by(&self, id: IncidentId, signal: &Signal, object: &ObjectRef, now: Timestamp) -> bool {
        let Some(entry) = self.entries.get(&id) else { return false };
        entry.closed_at.is_some_and(|closed| within(closed, self.config.reopen.duration(), now))
            && entry.members.values().any(|member| {
                *member.name == signal.name
                    && (member.related.owner.as_ref() == Some(object) || member.subject.as_deref() == Some(object))
            })
    }

    /// Puts a signal that holds in an incident, or in the place of what it was there.
    fn put(&mut self, id: IncidentId, signal: &Signal, related: &Related, reason: &JoinReason, now: Timestamp) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let key = Key::of(signal);
        let before = entry.members.get(&key);
        if before.is_some_and(|before| before.status == SignalStatus::Firing && same(before, signal, related)) {
            return;
        }
        let began =
            before.is_none_or(|before| before.status == SignalStatus::Resolved || before.starts_at < signal.starts_at);
        let joined = before.is_none();
        if let Some(end) = before.and_then(|before| before.ends_at) {
            self.index.ends.remove(&(end, id, key));
        }
        // What was known of its owner is not given up for what labels say.
        let related = match before {
            Some(before) if related.known != Known::Owners => Arc::clone(&before.related),
            _ => self.related.of(related),
        };
        let name = entry.names.iter().find(|name| ***name == signal.name).cloned();
        let new_name = name.is_none() && !entry.names.is_empty();
        let member = HeldMember {
            source: signal.source,
            fingerprint: signal.fingerprint,
            name: name.unwrap_or_else(|| signal.name.as_str().into()),
            status: SignalStatus::Firing,
            severity: signal.severity,
            subject: signal.subject.clone().map(Arc::new),
            related: Arc::clone(&related),
            group: group(&signal.name, signal.subject.as_ref(), &signal.labels),
            starts_at: signal.starts_at,
            ends_at: signal.ends_at,
        };
        let worse = signal.severity > entry.incident.severity && !entry.members.is_empty();
        if began {
            entry.last_fired_at = now;
        }
        if let JoinReason::SameNode { node } = reason {
            entry.incident.subject = Some(node.clone());
        }
        self.index.add(id, &member);
        let objects = entry.incident.objects.len();
        entry.put(member);
        if entry.incident.objects.len() > objects {
            self.index.add_reach(entry);
        }
        self.touched.insert(id);
        let member = Box::new(Member::of(signal, reason.clone()));
        self.changes.push(Change::Member { incident: id, member, related, at: now });
        if joined && new_name {
            let object = signal.subject.clone();
            let moment = Moment::Joined { name: signal.name.clone(), object, reason: reason.to_string() };
            self.moment(id, now, moment);
        }
        if worse {
            self.moment(id, now, Moment::Worsened { severity: signal.severity });
        }
    }

    fn end(&mut self, signal: &Signal, now: Timestamp) {
        let key = Key::of(signal);
        let known = self.index.alerts.get(&key).copied();
        let Some((id, entry)) = known.and_then(|id| self.entries.get_mut(&id).map(|entry| (id, entry))) else {
            if self.ended.len() < ENDED {
                self.ended.insert(key, (signal.starts_at, now));
            }
            return;
        };
        let Some(member) = entry.members.get(&key) else { return };
        // The end of an earlier episode, told late.
        if member.starts_at > signal.starts_at {
            return;
        }
        let named = member.ends_at;
        let ends_at = signal.ends_at.unwrap_or(now).min(now);
        if !entry.end(key, ends_at) {
            return;
        }
        if let Some(end) = named {
            self.index.ends.remove(&(end, id, key));
        }
        self.touched.insert(id);
        let (source, fingerprint) = (key.source, key.fingerprint);
        self.changes.push(Change::Ended { incident: id, source, fingerprint, ends_at });
        self.close_if_over(id, now);
    }

    /// Resolves an incident of which nothing holds any more.
    fn close_if_over(&mut self, id: IncidentId, now: Timestamp) {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.is_open() && entry.firing() == 0) else {
            return;
        };
        let last = entry.members.values().filter_map(|member| member.ends_at).max();
        entry.closed_at = Some(now);
        entry.incident.status = IncidentStatus::Resolved;
        entry.incident.resolved_at = Some(last.unwrap_or(now));
        entry.touch(true);
        self.touched.insert(id);
        self.moment(id, now, Moment::Resolved);
    }

    /// Takes an incident out of the book, with what is not yet kept of it.
    fn forget(&mut self, id: IncidentId) {
        let Some(mut entry) = self.entries.remove(&id) else { return };
        self.index.remove_all(&entry);
        if self.touched.remove(&id) {
            let at = entry.closed_at.unwrap_or(entry.incident.updated_at);
            self.closed.extend(entry.take_change(at));
        }
    }

    fn moment(&mut self, incident: IncidentId, at: Timestamp, moment: Moment) {
        self.changes.push(Change::Moment { incident, at, moment });
    }
}

/// Whether a signal says nothing that its member doesn't.
fn same(member: &HeldMember, signal: &Signal, related: &Related) -> bool {
    member.starts_at == signal.starts_at
        && member.severity == signal.severity
        && member.ends_at == signal.ends_at
        && (*member.related == *related || related.known != Known::Owners)
}

/// Whether `now` is at most `span` after `at`.
fn within(at: Timestamp, span: std::time::Duration, now: Timestamp) -> bool {
    SignedDuration::try_from(span).is_ok_and(|span| now.duration_since(at) <= span)
}
