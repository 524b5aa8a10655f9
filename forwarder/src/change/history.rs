//! How objects were, and what became of them. Pure.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use kube::api::DynamicObject;
use marple_core::ObjectRef;

use super::batch::{Batch, Entry, Kept, Listed};
use super::compare::{self, Seen, When};
use super::family::Family;
use super::read;
use super::state::{ALL_TEXTS, State};
use crate::ForwarderConfig;
use crate::config::{Namespaces, Scope, Values};

/// Times of creation are in whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What a watch sees.
#[derive(Debug)]
pub(crate) enum Glimpse {
    /// A listing begins: all that is there will be seen.
    Listing(&'static Family, Scope),
    /// An object as it is.
    Seen(&'static Family, Scope, Box<DynamicObject>),
    /// An object as it was when it was deleted.
    Gone(&'static Family, Box<DynamicObject>),
    /// The listing is complete: what was not seen in it is gone.
    Listed(&'static Family, Scope),
}

/// How objects were. Of each there are the digests of its fields and their short texts, some KiB.
#[derive(Debug)]
pub(crate) struct History {
    cluster: String,
    namespaces: Namespaces,
    values: Values,
    kinds: HashMap<&'static str, Objects>,
    /// The bytes of longer texts that are kept of all objects.
    texts: usize,
}

/// The objects of a kind.
#[derive(Debug, Default)]
struct Objects {
    lines: HashMap<Place, Line>,
    listings: BTreeMap<Scope, Listing>,
    /// When it was last listed in full, in this process or one before.
    listed_at: Option<Timestamp>,
}

type Place = (Box<str>, Box<str>);

#[derive(Debug)]
struct Line {
    state: State,
    /// The listing in which it was seen last.
    listing: u32,
}

#[derive(Debug, Default)]
struct Listing {
    number: u32,
    under_way: bool,
}

impl History {
    pub(crate) fn new(cluster: impl Into<String>, config: &ForwarderConfig) -> Self {
        Self {
            cluster: cluster.into(),
            namespaces: config.namespaces.clone(),
            values: config.changes.config_maps,
            kinds: HashMap::new(),
            texts: 0,
        }
    }

    /// Takes over what was kept of a kind.
    pub(crate) fn know(&mut self, family: &'static Family, kept: Kept) {
        let namespaces = &self.namespaces;
        let counts = |state: &State| state.object.namespace.as_deref().is_none_or(|name| namespaces.count(name));
        let objects = self.kinds.entry(family.kind).or_default();
        for state in kept.states.into_iter().filter(counts) {
            self.texts += state.texts();
            objects.lines.insert(place(&state.object), Line { state, listing: 0 });
        }
        objects.listed_at = kept.listed_at;
    }

    /// Takes in what a watch saw, and gives what is to be kept of it.
    pub(crate) fn take(&mut self, glimpse: Glimpse, now: Timestamp) -> Batch {
        let mut batch = Batch::of(&self.cluster);
        match glimpse {
            Glimpse::Listing(family, scope) => {
                let listing = self.kinds.entry(family.kind).or_default().listings.entry(scope).or_default();
                listing.number += 1;
                listing.under_way = true;
            }
            Glimpse::Seen(family, scope, object) => batch.entries.extend(self.seen(family, &scope, &object, now)),
            Glimpse::Gone(family, object) => batch.entries.extend(self.gone(family, &object, now)),
            Glimpse::Listed(family, scope) => {
                batch.entries = self.listed(family, &scope, now);
                batch.listed.push(Listed { kind: family.kind.to_owned(), at: now });
            }
        }
        batch
    }

    /// How many objects are known.
    pub(crate) fn len(&self) -> usize {
        self.kinds.values().map(|objects| objects.lines.len()).sum()
    }

    fn seen(&mut self, family: &Family, scope: &Scope, object: &DynamicObject, now: Timestamp) -> Option<Entry> {
        if object.metadata.namespace.as_deref().is_some_and(|namespace| !self.namespaces.count(namespace)) {
            return None;
        }
        let objects = self.kinds.entry(family.kind).or_default();
        let place = place_of(object);
        let own = objects.lines.get(&place).map_or(0, |line| line.state.texts());
        let others = self.texts.saturating_sub(own);
        let Some(state) = read::state(family, object, self.values, ALL_TEXTS.saturating_sub(others)) else {
            // It concerned somebody before, and doesn't any more: that it is gone would not be true.
            self.texts = others;
            let line = objects.lines.remove(&place)?;
            return Some(Entry { object: line.state.object, changes: Vec::new(), state: None });
        };
        self.texts = others + state.texts();
        let listing = objects.listings.get(scope);
        let (number, late) = listing.map_or((0, false), |listing| (listing.number, listing.under_way));
        let when = When { cluster: &self.cluster, late, now };
        let seen = Seen { state: &state, object };
        let news = match objects.lines.get(&place).map(|line| &line.state).filter(|before| before.is_comparable()) {
            Some(before) if before.fields == state.fields && before.uid == state.uid => None,
            // What is kept shows its texts without their secrets, and is compared by digests.
            Some(before) => Some(compare::altered(before, &seen, when)),
            None if objects.is_new(object, late) => Some(vec![compare::created(&seen, when)]),
            None => Some(Vec::new()),
        };
        let known = objects.lines.get(&place).is_some_and(|line| line.state.is_comparable());
        let entry = news.filter(|changes| !known || !changes.is_empty()).map(|changes| Entry {
            object: state.object.clone(),
            changes,
            state: Some(state.clone()),
        });
        objects.lines.insert(place, Line { state, listing: number });
        entry
    }

    fn gone(&mut self, family: &Family, object: &DynamicObject, now: Timestamp) -> Option<Entry> {
        let line = self.kinds.get_mut(family.kind)?.lines.remove(&place_of(object))?;
        self.texts = self.texts.saturating_sub(line.state.texts());
        let when = When { cluster: &self.cluster, late: false, now };
        Some(gone(line.state, Some(object), when))
    }

    fn listed(&mut self, family: &Family, scope: &Scope, now: Timestamp) -> Vec<Entry> {
        let Some(objects) = self.kinds.get_mut(family.kind) else { return Vec::new() };
        objects.listed_at = Some(now);
        let Some(listing) = objects.listings.get_mut(scope) else { return Vec::new() };
        listing.under_way = false;
        let number = listing.number;
        let vanished =
            objects.lines.extract_if(|(namespace, _), line| line.listing != number && scope.covers(namespace));
        let when = When { cluster: &self.cluster, late: true, now };
        let mut entries = Vec::new();
        for (_, line) in vanished {
            self.texts = self.texts.saturating_sub(line.state.texts());
            entries.push(gone(line.state, None, when));
        }
        entries.sort_by(|one, other| one.object.cmp(&other.object));
        entries
    }
}

impl Objects {
    /// Whether an object that was not known came since, and is not only seen for the first time.
    fn is_new(&self, object: &DynamicObject, listing: bool) -> bool {
        let made = object.metadata.creation_timestamp.as_ref().map(|time| time.0);
        !listing
            || self
                .listed_at
                .zip(made)
                .is_some_and(|(listed, made)| made.saturating_add(SECOND).is_ok_and(|made| made > listed))
    }
}

fn gone(state: State, last: Option<&DynamicObject>, when: When<'_>) -> Entry {
    let changes = compare::deleted(&state, last, when).filter(|_| state.is_comparable());
    Entry { changes: changes.into_iter().collect(), object: state.object, state: None }
}

fn place(object: &ObjectRef) -> Place {
    (object.namespace.as_deref().unwrap_or_default().into(), object.name.as_str().into())
}

fn place_of(object: &DynamicObject) -> Place {
    let text = |text: &Option<String>| Box::from(text.as_deref().unwrap_or_default());
    (text(&object.metadata.namespace), text(&object.metadata.name))
}

#[cfg(test)]
mod tests;
