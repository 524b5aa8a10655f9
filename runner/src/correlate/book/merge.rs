//! What becomes known late joins incidents that were opened apart.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use marple_core::{IncidentId, IncidentStatus, JoinReason, ObjectRef, Signal, SignalStatus};

use super::{Book, MERGED};
use crate::correlate::{Change, Dependency, Related, SharedChange};
use crate::store::Moment;

/// How much sooner than a node's alert those of its pods may have begun: the rules of kubernetes-mixin hold a node's
/// alert back for 15 minutes.
const LEAD: SignedDuration = SignedDuration::from_mins(20);

impl Book {
    /// Takes account of what an object belongs to.
    pub fn relate(&mut self, object: &ObjectRef, related: &Related, now: Timestamp) {
        let Some(id) = self.index.objects.get(object).copied() else { return };
        let Some(mut entry) = self.entries.remove(&id) else { return };
        self.index.remove_all(&entry);
        let learned = entry.relate(object, related);
        let other = learned.as_ref().and_then(|related| self.met(related));
        self.index.add_all(&entry);
        self.entries.insert(id, entry);
        let Some(related) = learned else { return };
        self.touched.insert(id);
        self.changes.push(Change::Related { incident: id, object: object.clone(), related });
        if let Some((other, reason)) = other
            && self.is_joinable(id, now)
            && self.is_joinable(other, now)
        {
            self.merge(id, other, reason, now);
        }
    }

    /// The incident of an owner, or of a node that went down.
    fn met(&self, related: &Related) -> Option<(IncidentId, JoinReason)> {
        let owner = related.owner.as_ref().and_then(|owner| {
            let id = self.index.objects.get(owner).copied()?;
            Some((id, JoinReason::SameOwner { owner: owner.clone() }))
        });
        owner.or_else(|| {
            let node = related.node.as_ref()?;
            Some((self.index.nodes.get(node).copied()?, JoinReason::SameNode { node: node.clone() }))
        })
    }

    /// Takes account of what an object depends on, where it is in an incident.
    pub fn learn_of(&mut self, object: &ObjectRef, dependencies: Vec<Dependency>, now: Timestamp) {
        if let Some(id) = self.index.objects.get(object).copied() {
            self.learn(id, dependencies, now);
        }
    }

    /// Takes account of what the objects of an incident depend on. Nothing where it is no longer in the book.
    pub fn learn(&mut self, id: IncidentId, dependencies: Vec<Dependency>, now: Timestamp) {
        let id = self.survivor(id);
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let new = entry.learn(dependencies);
        if new.is_empty() {
            return;
        }
        self.index.add_reach(entry);
        self.changes.push(Change::Learned { incident: id, dependencies: new });
        let mut at = id;
        while self.is_joinable(at, now) {
            let Some(entry) = self.entries.get(&at) else { return };
            let mut met: Vec<(IncidentId, &JoinReason)> = entry
                .reach
                .iter()
                .filter_map(|(object, reason)| Some((*self.index.objects.get(object)?, reason)))
                .filter(|(other, _)| *other != at && self.is_joinable(*other, now))
                .collect();
            met.sort_by_key(|(other, reason)| (*other, reason.to_string()));
            let Some((other, reason)) = met.first().map(|(other, reason)| (*other, (*reason).clone())) else { return };
            at = self.merge(at, other, reason, now);
        }
    }

    /// Takes account of a change of what several need: of those that began shortly after it one incident.
    pub fn learn_change(&mut self, change: &SharedChange, now: Timestamp) {
        let began = |id: &IncidentId| self.entries.get(id).map(|entry| entry.incident.starts_at);
        let met: BTreeSet<IncidentId> = change
            .needed_by
            .iter()
            .filter_map(|object| self.index.objects.get(object).copied())
            .filter(|id| self.is_joinable(*id, now) && began(id).is_some_and(|began| change.precedes(began)))
            .collect();
        let SharedChange { object, at, what, .. } = change;
        let mut met = met.into_iter();
        let Some(mut id) = met.next() else { return };
        for other in met {
            let reason = JoinReason::SameChange { object: object.clone(), at: *at, what: what.clone() };
            id = self.merge(id, other, reason, now);
        }
    }

    /// The incident itself, or what it became part of.
    fn survivor(&self, id: IncidentId) -> IncidentId {
        let mut id = id;
        while let Some(into) = self.merged.get(&id) {
            id = *into;
        }
        id
    }

    /// Joins the open incidents of pods that a node took down with the node's.
    pub(super) fn absorb_from_node(&mut self, signal: &Signal, now: Timestamp) {
        let Some(node) = &signal.subject else { return };
        let Some(mut id) = self.index.nodes.get(node).copied() else { return };
        let earliest = signal.starts_at.checked_sub(LEAD).unwrap_or(signal.starts_at);
        let of_node: Vec<IncidentId> = self
            .entries
            .iter()
            .filter(|(other, entry)| {
                let mut holding =
                    entry.members.values().filter(|member| member.status == SignalStatus::Firing).peekable();
                **other != id
                    && entry.incident.starts_at >= earliest
                    && holding.peek().is_some()
                    && holding.all(|member| member.related.node.as_ref() == Some(node))
            })
            .map(|(other, _)| *other)
            .collect();
        for other in of_node {
            if self.is_joinable(other, now) && self.is_joinable(id, now) {
                id = self.merge(id, other, JoinReason::SameNode { node: node.clone() }, now);
            }
        }
    }

    /// Makes the younger of two incidents part of the older; gives the older.
    fn merge(&mut self, one: IncidentId, other: IncidentId, reason: JoinReason, now: Timestamp) -> IncidentId {
        let opened = |id: IncidentId| (self.entries.get(&id).map(|entry| entry.incident.opened_at), id);
        let (into, from) = if opened(one) <= opened(other) { (one, other) } else { (other, one) };
        let Some(mut younger) = self.entries.remove(&from) else { return into };
        self.index.remove_all(&younger);
        let Some(older) = self.entries.get_mut(&into) else {
            // Can't be: both were looked up. The younger stays as it was.
            self.index.add_all(&younger);
            self.entries.insert(from, younger);
            return from;
        };
        let mut told = younger.clone();
        told.incident.status = IncidentStatus::Merged;
        told.incident.merged_into = Some(into);
        told.touch(true);
        self.touched.remove(&from);
        self.closed.extend(told.take_change(now));
        if let JoinReason::SameNode { node } = &reason {
            older.incident.subject = Some(node.clone());
        }
        younger.closed_at = None;
        older.absorb(younger);
        self.index.add_all(older);
        self.touched.insert(into);
        self.merged.insert(from, into);
        while self.merged.len() > MERGED {
            self.merged.pop_first();
        }
        let words = reason.to_string();
        self.moment(into, now, Moment::Absorbed { incident: from, reason: words.clone() });
        self.moment(from, now, Moment::Merged { into, reason: words });
        self.changes.push(Change::Merged { from, into, reason });
        into
    }
}
