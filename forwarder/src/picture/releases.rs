//! The releases of Helm, put together from the Secrets of their revisions.

use std::collections::BTreeMap;

use kube::core::ObjectMeta;

use crate::config::Scope;
use crate::object::{Kind, ObjectKey, Release, Revision, revision_of};

/// The revisions of each release that count: those that a newer one has replaced don't.
#[derive(Debug, Default)]
pub(super) struct Releases {
    revisions: BTreeMap<ObjectKey, BTreeMap<u32, Revision>>,
}

impl Releases {
    /// Notes the revision in a Secret of this name, or that it is there no more, and gives whose it is.
    pub(super) fn note(&mut self, secret: &ObjectKey, revision: Option<Revision>) -> Option<ObjectKey> {
        let (name, number) = revision_of(&secret.name)?;
        let key = ObjectKey::new(Kind::HelmRelease, &secret.namespace, name);
        if let Some(revision) = revision {
            self.revisions.entry(key.clone()).or_default().insert(number, revision);
        } else {
            let left = self.revisions.get_mut(&key)?;
            left.remove(&number);
            if left.is_empty() {
                self.revisions.remove(&key);
            }
        }
        Some(key)
    }

    /// A release as it is, by its newest revision.
    pub(super) fn release(&self, key: &ObjectKey) -> Option<Release> {
        let (number, revision) = self.revisions.get(key)?.last_key_value()?;
        let metadata = ObjectMeta {
            name: Some(key.name.to_string()),
            namespace: Some(key.namespace.to_string()),
            ..ObjectMeta::default()
        };
        Some(Release { metadata, number: *number, revision: revision.clone() })
    }

    /// The releases there.
    pub(super) fn within(&self, scope: &Scope) -> Vec<ObjectKey> {
        self.revisions.keys().filter(|key| scope.covers(&key.namespace)).cloned().collect()
    }
}
