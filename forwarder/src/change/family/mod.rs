//! The kinds whose changes are told, and which fields of each: those that every cluster has, those that many have, and those
//! that the configuration names.

mod admission;
mod configuration;
mod custom;
mod delivery;
mod identity;
mod known;
mod limit;
mod network;
mod node;
mod rights;
mod scaling;
mod secret;
mod storage;
#[cfg(test)]
mod tests;
mod workload;

use std::borrow::Cow;
use std::sync::Arc;

use kube::api::ApiResource;

pub(crate) use known::{KNOWN, Known};

use super::state::{FORMAT, digest};
use super::trim::Trim;
use crate::config::ChangedResource;
use crate::object::raw::Reads;
use crate::watch::Wanted;

/// A kind whose changes are told.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    /// Names it: its kind, and where another one has that name, its group too, as `Gateway.networking.istio.io`.
    pub(crate) name: Cow<'static, str>,
    kind: Cow<'static, str>,
    group: Cow<'static, str>,
    api: Served,
    /// Whether its objects are in namespaces.
    pub(crate) namespaced: bool,
    /// How much of its objects is read.
    pub(crate) reads: Reads,
    /// Whether nobody misses it where it isn't there.
    pub(crate) optional: bool,
    trim: fn(&mut Trim<'_>),
    /// Fields that are left out, with all below them.
    ignore: Vec<String>,
}

/// How the API server has a kind.
#[derive(Clone, Debug)]
enum Served {
    /// In this version, under this name.
    As { version: &'static str, plural: &'static str },
    /// As it says itself; in this version, where one is wanted.
    Asked { version: Option<String> },
}

impl From<&'static Known> for Family {
    fn from(known: &'static Known) -> Self {
        let Known { kind, group, version, plural, namespaced, reads, optional, trim } = *known;
        let api = if optional { Served::Asked { version: None } } else { Served::As { version, plural } };
        let (name, kind, group) = (Cow::Borrowed(kind), Cow::Borrowed(kind), Cow::Borrowed(group));
        Self { name, kind, group, api, namespaced, reads, optional, trim, ignore: Vec::new() }
    }
}

impl Family {
    /// Of a kind that the configuration names, which wants to know where it isn't there. Of one that is known the same fields
    /// are taken as without that.
    fn of(resource: &ChangedResource) -> Self {
        let ChangedResource { group, version, kind, namespaced, ignore } = resource.clone();
        let known = KNOWN.iter().find(|known| known.kind == kind && known.group == group);
        let taken = KNOWN.iter().any(|known| known.kind == kind);
        let name = if taken && known.is_none() { format!("{kind}.{group}") } else { kind.clone() };
        Self {
            name: name.into(),
            kind: kind.into(),
            group: group.into(),
            api: Served::Asked { version },
            namespaced,
            reads: known.map_or(Reads::Whole, |known| known.reads),
            optional: false,
            trim: known.map_or(custom::trim, |known| known.trim),
            ignore,
        }
    }

    /// All of them: the known ones but those that are left alone, and those of the configuration.
    pub(crate) fn all(custom: &[ChangedResource], is_wanted: impl Fn(&str) -> bool) -> Vec<Arc<Self>> {
        let named = |known: &Known| custom.iter().any(|one| one.kind == known.kind && one.group == known.group);
        let known = KNOWN.iter().filter(|known| !named(known)).map(Self::from);
        let mut all: Vec<Arc<Self>> = Vec::with_capacity(KNOWN.len() + custom.len());
        for mut family in known.chain(custom.iter().map(Self::of)).filter(|family| is_wanted(&family.name)) {
            // Two kinds of the configuration may have one name too.
            if all.iter().any(|other| other.name == family.name) {
                family.name = format!("{}.{}", family.kind, family.group).into();
            }
            all.push(Arc::new(family));
        }
        all
    }

    /// How the API server is asked for it, where that is known without asking.
    pub(crate) fn resource(&self) -> Option<ApiResource> {
        let Served::As { version, plural } = &self.api else { return None };
        let api_version = match &*self.group {
            "" => (*version).to_owned(),
            group => format!("{group}/{version}"),
        };
        Some(ApiResource {
            group: self.group.to_string(),
            version: (*version).to_owned(),
            api_version,
            kind: self.kind.to_string(),
            plural: (*plural).to_owned(),
        })
    }

    /// What the API server is asked for, where that isn't known.
    pub(crate) fn wanted(&self) -> Wanted {
        let version = match &self.api {
            Served::As { version, .. } => Some((*version).to_owned()),
            Served::Asked { version } => version.clone(),
        };
        Wanted { group: self.group.to_string(), version, kind: self.kind.to_string(), namespaced: self.namespaced }
    }

    /// Whether an object of this kind, in this API version where it tells one, is of the family.
    pub(crate) fn has(&self, kind: &str, api_version: Option<&str>) -> bool {
        let group = api_version.map(|version| version.rsplit_once('/').map_or("", |(group, _)| group));
        self.kind == kind && group.is_none_or(|group| group == self.group)
    }

    /// Takes the fields that matter, or says that the object concerns nobody.
    pub(super) fn trim(&self, trim: &mut Trim<'_>) {
        if self.reads == Reads::Alone && trim.controller().is_some() {
            return trim.ignore();
        }
        (self.trim)(trim);
    }

    /// Fields that are left out, with all below them.
    pub(super) fn ignore(&self) -> &[String] {
        &self.ignore
    }

    /// The form in which its states are kept: one that was kept in another can't be compared.
    pub(super) fn format(&self) -> u32 {
        if self.ignore.is_empty() {
            return FORMAT;
        }
        u32::try_from(digest(&format!("{FORMAT} {:?}", self.ignore)) >> 32).unwrap_or(FORMAT)
    }

    /// The family of a known kind.
    #[cfg(test)]
    pub(crate) fn named(kind: &str) -> Option<Arc<Self>> {
        KNOWN.iter().find(|known| known.kind == kind).map(|known| Arc::new(Self::from(known)))
    }
}
