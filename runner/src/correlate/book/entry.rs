//! One incident in the book.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use marple_core::{Incident, IncidentId, IncidentStatus, ObjectRef, Severity, SignalStatus};

use super::key::Key;
use super::reach::{Reach, reach};
use super::title::title;
use crate::correlate::{Change, Dependency, Held, HeldMember, Known, Related};

/// An incident, its members, and what of it is not yet kept.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) incident: Incident,
    pub(super) last_fired_at: Timestamp,
    /// When it was resolved, as correlation saw it: its signals tell their ends late.
    pub(super) closed_at: Option<Timestamp>,
    pub(super) members: BTreeMap<Key, HeldMember>,
    /// The names of its alerts in the order in which they came.
    pub(super) names: Vec<Arc<str>>,
    pub(super) dependencies: BTreeSet<Dependency>,
    /// What its objects depend on, near and far.
    pub(super) reach: Reach,
    firing: u32,
    unkept: Unkept,
}

/// What is not yet kept.
#[derive(Clone, Debug, Default)]
struct Unkept {
    changed: bool,
    visible: bool,
    added: BTreeSet<ObjectRef>,
    removed: BTreeSet<ObjectRef>,
}

impl Entry {
    /// A new incident without members.
    pub(super) fn open(id: IncidentId, starts_at: Timestamp, subject: Option<ObjectRef>, now: Timestamp) -> Self {
        let incident = Incident {
            id,
            status: IncidentStatus::Open,
            title: String::new(),
            severity: Severity::Info,
            subject,
            objects: BTreeSet::new(),
            signals: 0,
            firing: 0,
            starts_at,
            opened_at: now,
            updated_at: now,
            resolved_at: None,
            resolution: None,
            merged_into: None,
            revision: 0,
        };
        Self {
            incident,
            last_fired_at: now,
            closed_at: None,
            members: BTreeMap::new(),
            names: vec![],
            dependencies: BTreeSet::new(),
            reach: Reach::new(),
            firing: 0,
            unkept: Unkept { changed: true, visible: true, ..Unkept::default() },
        }
    }

    /// One that was kept.
    pub(super) fn held(held: Held) -> Self {
        let closed_at = (held.incident.status == IncidentStatus::Resolved).then_some(held.incident.updated_at);
        let mut members = held.members;
        members.sort_by(|a, b| (a.starts_at, &a.name).cmp(&(b.starts_at, &b.name)));
        let mut names: Vec<Arc<str>> = vec![];
        for member in &mut members {
            match names.iter().find(|name| **name == member.name) {
                Some(name) => member.name = Arc::clone(name),
                None => names.push(Arc::clone(&member.name)),
            }
        }
        let mut entry = Self {
            incident: held.incident,
            last_fired_at: held.last_fired_at,
            closed_at,
            firing: 0,
            members: members.into_iter().map(|member| (Key::of_member(&member), member)).collect(),
            names,
            dependencies: held.dependencies.into_iter().collect(),
            reach: Reach::new(),
            unkept: Unkept::default(),
        };
        entry.firing = entry.count_firing();
        entry.look_around();
        entry
    }

    pub(super) fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    pub(super) const fn firing(&self) -> u32 {
        self.firing
    }

    /// Puts a member in, or in the place of what it was.
    pub(super) fn put(&mut self, member: HeldMember) {
        let grown = member.severity > self.incident.severity && !self.members.is_empty();
        self.incident.severity = self.incident.severity.max(member.severity);
        self.incident.starts_at = self.incident.starts_at.min(member.starts_at);
        let mut seen = grown;
        if !self.names.contains(&member.name) {
            seen |= !self.names.is_empty();
            self.names.push(Arc::clone(&member.name));
        }
        if let Some(owner) = &member.related.owner
            && self.add_object(owner.clone())
        {
            // A storm brings objects by the thousand: people are told each time their number has doubled.
            seen |= self.incident.objects.len() > 1 && self.incident.objects.len().is_power_of_two();
        }
        let holds = member.status == SignalStatus::Firing;
        let held = self.members.insert(Key::of_member(&member), member);
        let held = held.is_some_and(|before| before.status == SignalStatus::Firing);
        self.firing = self.firing + u32::from(holds) - u32::from(held);
        self.touch(seen);
    }

    /// Marks a member as ended. Whether it held.
    pub(super) fn end(&mut self, key: Key, ends_at: Timestamp) -> bool {
        let Some(member) = self.members.get_mut(&key).filter(|member| member.status == SignalStatus::Firing) else {
            return false;
        };
        member.status = SignalStatus::Resolved;
        member.ends_at = Some(ends_at);
        self.firing = self.firing.saturating_sub(1);
        self.touch(false);
        true
    }

    /// Adds a top-level object; whether it is new.
    fn add_object(&mut self, object: ObjectRef) -> bool {
        if !self.incident.objects.insert(object.clone()) {
            return false;
        }
        if !self.unkept.removed.remove(&object) {
            self.unkept.added.insert(object);
        }
        if !self.dependencies.is_empty() {
            self.look_around();
        }
        true
    }

    /// Sets what an object belongs to; what was new about it, if anything was.
    pub(super) fn relate(&mut self, object: &ObjectRef, related: &Related) -> Option<Related> {
        let mut learned: Option<Arc<Related>> = None;
        for member in self.members.values_mut().filter(|member| member.subject.as_deref() == Some(object)) {
            // Of what is gone, no more is known than before.
            let now_known = match related.known {
                Known::Gone => Related { known: Known::Gone, ..(*member.related).clone() },
                Known::Owners | Known::Labels => related.clone(),
            };
            if *member.related != now_known {
                member.related =
                    learned.take().filter(|known| **known == now_known).unwrap_or_else(|| now_known.into());
                learned = Some(Arc::clone(&member.related));
            }
        }
        if self.incident.subject.as_ref() == Some(object)
            && let Some(owner) = learned.as_ref().and_then(|related| related.owner.as_ref())
        {
            self.incident.subject = Some(owner.clone());
        }
        if learned.is_some() {
            self.recount_objects();
        }
        learned.map(|related| (*related).clone())
    }

    /// Sets the top-level objects to those of its members.
    fn recount_objects(&mut self) {
        let objects: BTreeSet<_> = self.members.values().filter_map(|member| member.related.owner.clone()).collect();
        for gone in self.incident.objects.difference(&objects) {
            if !self.unkept.added.remove(gone) {
                self.unkept.removed.insert(gone.clone());
            }
        }
        for new in objects.difference(&self.incident.objects) {
            if !self.unkept.removed.remove(new) {
                self.unkept.added.insert(new.clone());
            }
        }
        self.incident.objects = objects;
        self.look_around();
        self.touch(false);
    }

    /// Takes all of another incident in.
    pub(super) fn absorb(&mut self, other: Self) {
        self.last_fired_at = self.last_fired_at.max(other.last_fired_at);
        self.dependencies.extend(other.dependencies);
        let mut members: Vec<_> = other.members.into_values().collect();
        members.sort_by(|a, b| (a.starts_at, &a.name).cmp(&(b.starts_at, &b.name)));
        for member in members {
            self.put(member);
        }
        self.look_around();
        self.touch(true);
    }

    /// Takes dependencies in; those that are new.
    pub(super) fn learn(&mut self, dependencies: Vec<Dependency>) -> Vec<Dependency> {
        let new: Vec<_> =
            dependencies.into_iter().filter(|dependency| self.dependencies.insert(dependency.clone())).collect();
        if !new.is_empty() {
            self.look_around();
        }
        new
    }

    fn look_around(&mut self) {
        self.reach = reach(&self.incident.objects, &self.dependencies);
    }

    fn count_firing(&self) -> u32 {
        let firing = self.members.values().filter(|member| member.status == SignalStatus::Firing).count();
        u32::try_from(firing).unwrap_or(u32::MAX)
    }

    /// Notes that it has changed, and whether people should see it.
    pub(super) fn touch(&mut self, visible: bool) {
        self.unkept.changed = true;
        self.unkept.visible |= visible;
    }

    /// The change to be kept, if it has changed.
    pub(super) fn take_change(&mut self, now: Timestamp) -> Option<Change> {
        let unkept = std::mem::take(&mut self.unkept);
        if !unkept.changed {
            return None;
        }
        self.incident.signals = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        self.incident.firing = self.firing;
        self.incident.title = title(&self.incident, &self.names, self.members.values().next());
        self.incident.updated_at = now;
        Some(Change::Incident {
            incident: Box::new(self.incident.clone()),
            last_fired_at: self.last_fired_at,
            visible: unkept.visible,
            added: unkept.added.into_iter().collect(),
            removed: unkept.removed.into_iter().collect(),
        })
    }
}
