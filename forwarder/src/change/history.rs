//! How objects were, and what became of them. Pure.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use kube::api::DynamicObject;

use super::batch::{Batch, Entry, Kept, Listed, Reached};
use super::compare::{self, Seen, When};
use super::departures::Departures;
use super::family::Family;
use super::objects::{Line, Objects, Reach, place, place_of};
use super::read;
use super::state::{ALL_TEXTS, FORMAT, State, digest};
use crate::ForwarderConfig;
use crate::config::{Namespaces, Scope, Values};
use crate::watch::version::number;

/// What a watch sees.
#[derive(Debug)]
pub(crate) enum Glimpse {
    /// A listing begins: all that is there will be seen.
    Listing(Arc<Family>, Scope),
    /// An object as it is.
    Seen(Arc<Family>, Scope, Box<DynamicObject>),
    /// An object as it was when it was deleted.
    Gone(Arc<Family>, Scope, Box<DynamicObject>),
    /// The listing is complete: what was not seen in it is gone.
    Listed(Arc<Family>, Scope),
    /// All up to this resourceVersion was seen.
    At(Arc<Family>, Scope, String),
    /// The watch goes on from where an earlier one was: up to this resourceVersion it shows what had happened before.
    Behind(Arc<Family>, Scope, String),
}

/// How objects were. Of each there are the digests of its fields and their short texts, some KiB.
#[derive(Debug)]
pub(crate) struct History {
    cluster: String,
    namespaces: Namespaces,
    values: Values,
    /// Names what is taken of objects, and of which.
    form: String,
    kinds: HashMap<Cow<'static, str>, Objects>,
    pub(super) departures: Departures,
    /// The bytes of longer texts that are kept of all objects.
    texts: usize,
}

impl History {
    pub(crate) fn new(cluster: impl Into<String>, config: &ForwarderConfig) -> Self {
        let values = config.changes.config_maps;
        let form = digest(&format!("{FORMAT} {values:?} {:?}", config.namespaces));
        Self {
            cluster: cluster.into(),
            namespaces: config.namespaces.clone(),
            values,
            form: format!("{form:016x}"),
            kinds: HashMap::new(),
            departures: Departures::default(),
            texts: 0,
        }
    }

    /// Takes over what was kept of a kind.
    pub(crate) fn know(&mut self, family: &Family, kept: Kept) {
        let form = self.form(family);
        let namespaces = &self.namespaces;
        let counts = |state: &State| state.object.namespace.as_deref().is_none_or(|name| namespaces.count(name));
        let objects = self.kinds.entry(family.name.clone()).or_default();
        // Without a list, nothing could be compared with what is in an older form.
        if kept.states.iter().all(|state| state.is_comparable(family)) {
            for one in kept.reached.into_iter().filter(|one| one.form == form && !one.begins_anew()) {
                objects.reached.insert(Scope::of(&one.namespace), Reach { version: one.version, told: true });
            }
        }
        for state in kept.states.into_iter().filter(counts) {
            self.texts += state.texts();
            objects.lines.insert(place(&state.object), Line { state, listing: 0 });
        }
        objects.listed_at = kept.listed_at;
    }

    /// Names what is taken of objects of a kind, and of which.
    fn form(&self, family: &Family) -> String {
        match family.ignore() {
            [] => self.form.clone(),
            ignored => format!("{:016x}", digest(&format!("{} {ignored:?}", self.form))),
        }
    }

    /// What is made from this time on is new, though nothing was listed.
    pub(crate) fn begin(&mut self, family: &Family, at: Timestamp) {
        self.kinds.entry(family.name.clone()).or_default().listed_at = Some(at);
    }

    /// Whether an object is known.
    pub(crate) fn knows(&self, family: &Family, object: &DynamicObject) -> bool {
        self.kinds.get(&family.name).is_some_and(|objects| objects.lines.contains_key(&place_of(object)))
    }

    /// Up to which resourceVersion all was seen by an earlier watch: from there a watch goes on without a list.
    pub(crate) fn reached(&self, family: &Family, scope: &Scope) -> Option<String> {
        Some(self.kinds.get(&family.name)?.reached.get(scope)?.version.clone())
    }

    /// Takes in what a watch saw, and gives what is to be kept of it.
    pub(crate) fn take(&mut self, glimpse: Glimpse, now: Timestamp) -> Batch {
        let mut batch = Batch::of(&self.cluster);
        match glimpse {
            Glimpse::Listing(family, scope) => {
                let objects = self.kinds.entry(family.name.clone()).or_default();
                // A process that ends within the list must list again.
                objects.reached.remove(&scope);
                let listing = objects.listings.entry(scope.clone()).or_default();
                listing.number += 1;
                listing.under_way = true;
                listing.began = Some(now);
                listing.gone.clear();
                batch.reached.push(self.reached_by(&family, &scope, String::new()));
            }
            Glimpse::Seen(family, scope, object) => {
                batch.entries.extend(self.seen(&family, &scope, &object, now));
                self.came_to(&family, &scope, object.metadata.resource_version, &mut batch);
            }
            Glimpse::Gone(family, scope, object) => {
                batch.entries.extend(self.gone(&family, &scope, &object, now));
                self.came_to(&family, &scope, object.metadata.resource_version, &mut batch);
            }
            Glimpse::Listed(family, scope) => {
                batch.entries = self.listed(&family, &scope, now);
                batch.listed.push(Listed { kind: family.name.to_string(), at: now });
            }
            Glimpse::At(family, scope, version) => {
                self.came_to(&family, &scope, Some(version), &mut batch);
                self.tell_reached(&family, &scope, &mut batch);
            }
            Glimpse::Behind(family, scope, version) => {
                let objects = self.kinds.entry(family.name.clone()).or_default();
                objects.listings.entry(scope).or_default().behind = number(&version).unwrap_or_default();
            }
        }
        batch
    }

    /// Notes how far a watch has come. It is told with what was seen, and by itself only where the API server marks it:
    /// most of what is seen is no change.
    fn came_to(&mut self, family: &Family, scope: &Scope, version: Option<String>, batch: &mut Batch) {
        let objects = self.kinds.entry(family.name.clone()).or_default();
        let (Some(version), false) = (version, objects.lists(scope)) else { return };
        objects.pass(scope, &version);
        let reach = objects.reached.entry(scope.clone()).or_default();
        if reach.version != version {
            *reach = Reach { version, told: false };
        }
        if !batch.entries.is_empty() {
            self.tell_reached(family, scope, batch);
        }
    }

    fn tell_reached(&mut self, family: &Family, scope: &Scope, batch: &mut Batch) {
        let reach = self.kinds.get_mut(&family.name).and_then(|objects| objects.reached.get_mut(scope));
        let Some(reach) = reach.filter(|reach| !reach.told) else { return };
        reach.told = true;
        let version = reach.version.clone();
        batch.reached.push(self.reached_by(family, scope, version));
    }

    fn reached_by(&self, family: &Family, scope: &Scope, version: String) -> Reached {
        let (kind, namespace) = (family.name.to_string(), scope.namespace().to_owned());
        Reached { kind, namespace, form: self.form(family), version }
    }

    /// How many objects are known.
    pub(crate) fn len(&self) -> usize {
        self.kinds.values().map(|objects| objects.lines.len()).sum()
    }

    fn seen(&mut self, family: &Family, scope: &Scope, object: &DynamicObject, now: Timestamp) -> Option<Entry> {
        if object.metadata.namespace.as_deref().is_some_and(|namespace| !self.namespaces.count(namespace)) {
            return None;
        }
        let objects = self.kinds.entry(family.name.clone()).or_default();
        let place = place_of(object);
        if objects.is_behind(scope, &place, object) {
            return None;
        }
        self.departures.seen(family, object, now);
        let own = objects.lines.get(&place).map_or(0, |line| line.state.texts());
        let others = self.texts.saturating_sub(own);
        let Some(state) = read::state(family, object, self.values, ALL_TEXTS.saturating_sub(others)) else {
            // It concerned somebody before, and doesn't any more: that it is gone would not be true.
            self.texts = others;
            let line = objects.lines.remove(&place)?;
            return Some(Entry { object: line.state.object, changes: Vec::new(), state: None });
        };
        self.texts = others + state.texts();
        let lists = objects.lists(scope);
        let number = objects.listings.get(scope).map_or(0, |listing| listing.number);
        let late = lists || objects.is_late(scope, object);
        // Where the cluster was set back, the versions of what stayed the same go back too.
        let back = lists && objects.is_older(&place, object);
        let when = When { cluster: &self.cluster, late, now };
        let seen = Seen { state: &state, object };
        let news = match objects.lines.get(&place).map(|line| &line.state).filter(|before| before.is_comparable(family))
        {
            Some(before) if before.fields == state.fields && before.uid == state.uid => back.then(Vec::new),
            // What is kept shows its texts without their secrets, and is compared by digests.
            Some(before) => Some(compare::altered(before, &seen, when)),
            None if objects.is_new(object, scope) => {
                let how = |made: Timestamp| self.departures.how_made(&state.object, made);
                Some(vec![compare::created(&seen, objects.revision_before(&state), how, when)])
            }
            None => Some(Vec::new()),
        };
        let known = objects.lines.get(&place).is_some_and(|line| line.state.is_comparable(family));
        let entry = news.filter(|changes| !known || back || !changes.is_empty()).map(|changes| Entry {
            object: state.object.clone(),
            changes,
            state: Some(state.clone()),
        });
        objects.lines.insert(place, Line { state, listing: number });
        entry
    }

    fn gone(&mut self, family: &Family, scope: &Scope, object: &DynamicObject, now: Timestamp) -> Option<Entry> {
        let objects = self.kinds.get_mut(&family.name)?;
        let place = place_of(object);
        if objects.is_behind(scope, &place, object) {
            return None;
        }
        self.departures.gone(family, object, now);
        let late = objects.is_late(scope, object);
        let line = objects.lines.remove(&place)?;
        self.texts = self.texts.saturating_sub(line.state.texts());
        let when = When { cluster: &self.cluster, late, now };
        let how = |at: Timestamp| self.departures.how_gone(object, at);
        Some(gone(family, line.state, Some(object), how, when))
    }

    fn listed(&mut self, family: &Family, scope: &Scope, now: Timestamp) -> Vec<Entry> {
        let there = self.namespaces_there();
        let Some(objects) = self.kinds.get_mut(&family.name) else { return Vec::new() };
        objects.listed_at = Some(now);
        let Some(listing) = objects.listings.get_mut(scope) else { return Vec::new() };
        listing.under_way = false;
        let number = listing.number;
        let vanished =
            objects.lines.extract_if(|(namespace, _), line| line.listing != number && scope.covers(namespace));
        let when = When { cluster: &self.cluster, late: true, now };
        let mut entries = Vec::new();
        for (place, line) in vanished {
            listing.gone.insert(place, line.state.uid.clone());
            self.texts = self.texts.saturating_sub(line.state.texts());
            let namespace = line.state.object.namespace.clone();
            let with = namespace.filter(|name| there.as_ref().is_some_and(|there| !there.contains(name.as_str())));
            let how = |_| with.as_ref().map(|name| format!("with its namespace {name}"));
            entries.push(gone(family, line.state, None, how, when));
        }
        entries.sort_by(|one, other| one.object.cmp(&other.object));
        entries
    }
}

impl History {
    /// The namespaces that there are, once they were listed by this process.
    fn namespaces_there(&self) -> Option<HashSet<Box<str>>> {
        let namespaces = self.kinds.get("Namespace").filter(|objects| {
            let mut listings = objects.listings.values().peekable();
            listings.peek().is_some() && listings.all(|listing| listing.number > 0 && !listing.under_way)
        })?;
        Some(namespaces.lines.keys().map(|(_, name)| name.clone()).collect())
    }
}

fn gone(
    family: &Family,
    state: State,
    last: Option<&DynamicObject>,
    how: impl Fn(Timestamp) -> Option<String>,
    when: When<'_>,
) -> Entry {
    let changes = compare::deleted(&state, last, how, when).filter(|_| state.is_comparable(family));
    Entry { changes: changes.into_iter().collect(), object: state.object, state: None }
}

#[cfg(test)]
mod tests;
