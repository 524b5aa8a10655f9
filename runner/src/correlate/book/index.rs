//! Finds incidents by what signals name.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use jiff::Timestamp;
use marple_core::{IncidentId, ObjectRef, SignalStatus};

use super::entry::Entry;
use super::key::Key;
use super::title::takes_pods_down;
use crate::correlate::HeldMember;

/// The latest incident of each alert, object, group and node.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub(super) alerts: HashMap<Key, IncidentId>,
    /// Subjects of members, and what these belong to.
    pub(super) objects: HashMap<Arc<ObjectRef>, IncidentId>,
    pub(super) groups: HashMap<String, IncidentId>,
    /// Nodes with an alert that takes pods down.
    pub(super) nodes: HashMap<ObjectRef, IncidentId>,
    /// What the objects of incidents depend on.
    pub(super) reached: HashMap<ObjectRef, IncidentId>,
    /// Ends that signals which hold have named.
    pub(super) ends: BTreeSet<(Timestamp, IncidentId, Key)>,
}

impl Index {
    /// Lets a member be found.
    pub(super) fn add(&mut self, id: IncidentId, member: &HeldMember) {
        let key = Key::of_member(member);
        self.alerts.insert(key, id);
        if let Some(subject) = member.subject.as_ref().filter(|subject| !subject.is("Namespace")) {
            self.objects.insert(Arc::clone(subject), id);
        }
        if let Some(owner) = member.related.owner.as_ref().filter(|owner| !owner.is("Namespace")) {
            match self.objects.get_mut(owner) {
                Some(known) => *known = id,
                None => _ = self.objects.insert(Arc::new(owner.clone()), id),
            }
        }
        if let Some(group) = &member.group {
            self.groups.insert(group.clone(), id);
        }
        if let Some(node) = member.subject.as_deref().filter(|subject| takes_pods_down(&member.name, Some(*subject))) {
            self.nodes.insert(node.clone(), id);
        }
        if let (SignalStatus::Firing, Some(end)) = (member.status, member.ends_at) {
            self.ends.insert((end, id, key));
        }
    }

    /// Lets all of an incident be found.
    pub(super) fn add_all(&mut self, entry: &Entry) {
        for member in entry.members.values() {
            self.add(entry.incident.id, member);
        }
        self.add_reach(entry);
    }

    /// Lets an incident be found by what its objects depend on.
    pub(super) fn add_reach(&mut self, entry: &Entry) {
        for object in entry.reach.keys() {
            self.reached.insert(object.clone(), entry.incident.id);
        }
    }

    /// Forgets all of an incident that no later one has taken over.
    pub(super) fn remove_all(&mut self, entry: &Entry) {
        let id = entry.incident.id;
        for (key, member) in &entry.members {
            remove(&mut self.alerts, key, id);
            for object in [member.subject.as_deref(), member.related.owner.as_ref()].into_iter().flatten() {
                remove(&mut self.objects, object, id);
                remove(&mut self.nodes, object, id);
            }
            if let Some(group) = &member.group {
                remove(&mut self.groups, group, id);
            }
            if let Some(end) = member.ends_at {
                self.ends.remove(&(end, id, *key));
            }
        }
        for object in entry.reach.keys() {
            remove(&mut self.reached, object, id);
        }
    }
}

fn remove<K, Q>(map: &mut HashMap<K, IncidentId>, key: &Q, id: IncidentId)
where
    K: Borrow<Q> + Hash + Eq,
    Q: Hash + Eq + ?Sized,
{
    if map.get(key) == Some(&id) {
        map.remove(key);
    }
}
