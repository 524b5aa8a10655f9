//! The objects of a kind, as they are known, and how far its watches have come.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use kube::api::DynamicObject;
use marple_core::ObjectRef;

use super::state::State;
use crate::config::Scope;
use crate::watch::version::number;

/// Times of creation are in whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The objects of a kind.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) lines: HashMap<Place, Line>,
    pub(super) listings: BTreeMap<Scope, Listing>,
    /// Up to which resourceVersion all was seen, and whether that was told.
    pub(super) reached: BTreeMap<Scope, Reach>,
    /// When it was last listed in full, in this process or one before.
    pub(super) listed_at: Option<Timestamp>,
}

pub(super) type Place = (Box<str>, Box<str>);

#[derive(Debug)]
pub(super) struct Line {
    pub(super) state: State,
    /// The listing in which it was seen last.
    pub(super) listing: u32,
}

#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) number: u32,
    pub(super) under_way: bool,
    /// When it began.
    pub(super) began: Option<Timestamp>,
    /// Up to this resourceVersion what is seen had happened before the watch began.
    pub(super) behind: u64,
    /// What it found to be gone, by uid, until the watch, which begins before the list, has come past that.
    pub(super) gone: HashMap<Place, Box<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Reach {
    pub(super) version: String,
    pub(super) told: bool,
}

impl Objects {
    pub(super) fn lists(&self, scope: &Scope) -> bool {
        self.listings.get(scope).is_some_and(|listing| listing.under_way)
    }

    /// Whether a watch shows an object as it was before what is known of it: a watch begins before the list, so as to
    /// miss nothing. What a list shows is how it is, also where the cluster was set back.
    pub(super) fn is_behind(&self, scope: &Scope, place: &Place, object: &DynamicObject) -> bool {
        let found_gone = self.listings.get(scope).and_then(|listing| listing.gone.get(place));
        let goes_again = found_gone.is_some_and(|uid| object.metadata.uid.as_deref() == Some(uid));
        !self.lists(scope) && (goes_again || self.is_older(place, object))
    }

    pub(super) fn is_older(&self, place: &Place, object: &DynamicObject) -> bool {
        let known = self.lines.get(place).and_then(|line| number(&line.state.version));
        let shown = object.metadata.resource_version.as_deref().and_then(number);
        known.zip(shown).is_some_and(|(known, shown)| shown < known)
    }

    /// Notes that a watch has come to a version: past the list before it, nothing of that is shown again.
    pub(super) fn pass(&mut self, scope: &Scope, version: &str) {
        if let Some(listing) = self.listings.get_mut(scope)
            && number(version).is_some_and(|version| version > listing.behind)
        {
            listing.gone = HashMap::new();
        }
    }

    /// Of a revision of something, the one before it among those that are known. A list doesn't bring them in their order,
    /// and what was made anew counts from one again.
    pub(super) fn revision_before(&self, state: &State) -> Option<&State> {
        let told_of = state.told_of.as_ref()?;
        let revision = |state: &State| state.field("revision")?.parse::<u64>().ok();
        let own = revision(state)?;
        let others = self.lines.values().map(|line| &line.state);
        let others = others.filter(|other| other.told_of.as_ref() == Some(told_of) && other.format == state.format);
        let before = others.filter_map(|other| Some((revision(other)?, other))).filter(|(revision, _)| *revision < own);
        before.max_by_key(|(revision, _)| *revision).map(|(_, other)| other)
    }

    /// Whether what is seen had happened before the watch began.
    pub(super) fn is_late(&self, scope: &Scope, object: &DynamicObject) -> bool {
        let behind = self.listings.get(scope).map_or(0, |listing| listing.behind);
        object.metadata.resource_version.as_deref().and_then(number).is_some_and(|version| version <= behind)
    }

    /// Whether an object that was not known came since, and is not only seen for the first time: in a list, or by a watch
    /// that shows again what was altered while one was read.
    pub(super) fn is_new(&self, object: &DynamicObject, scope: &Scope) -> bool {
        let since = match self.listings.get(scope) {
            Some(listing) if listing.under_way => self.listed_at,
            Some(Listing { began: Some(began), .. }) if self.is_late(scope, object) => Some(*began),
            _ => return true,
        };
        let made = object.metadata.creation_timestamp.as_ref().map(|time| time.0);
        since.zip(made).is_some_and(|(since, made)| made.saturating_add(SECOND).is_ok_and(|made| made > since))
    }
}

pub(super) fn place(object: &ObjectRef) -> Place {
    (object.namespace.as_deref().unwrap_or_default().into(), object.name.as_str().into())
}

pub(super) fn place_of(object: &DynamicObject) -> Place {
    let text = |text: &Option<String>| Box::from(text.as_deref().unwrap_or_default());
    (text(&object.metadata.namespace), text(&object.metadata.name))
}
