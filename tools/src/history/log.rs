//! Where changes are kept.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::Change;

/// Which changes are wanted: those of some namespaces, of objects without one, and of what delivers others (Argo CD, Flux)
/// wherever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The namespaces.
    pub namespaces: BTreeSet<String>,
    /// From then.
    pub since: Timestamp,
    /// Until then.
    pub until: Timestamp,
    /// At most so many, the latest.
    pub limit: usize,
}

/// Kinds that deliver others, from namespaces of their own.
const DELIVERING: [&str; 3] = ["Application", "Kustomization", "HelmRelease"];

impl Window {
    /// Whether a change is in it. What a store asks for in its own language must come to the same.
    pub fn holds(&self, change: &Change) -> bool {
        let object = &change.object;
        let here = object.namespace.as_ref().is_none_or(|namespace| self.namespaces.contains(namespace));
        (here || DELIVERING.contains(&object.kind.as_str())) && (self.since..=self.until).contains(&change.at)
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The changes, latest first.
    pub changes: Vec<Change>,
    /// Whether there are more, before these.
    pub more: bool,
}

/// The history could not be read. Trying again helps: its store is busy or away.
#[derive(Debug, thiserror::Error)]
#[error("the change history can't be read: {0}")]
pub struct ChangeLogError(pub Box<dyn std::error::Error + Send + Sync>);

/// Where changes are kept.
#[async_trait]
pub trait ChangeLog: Send + Sync {
    /// The changes of a window.
    async fn changes(&self, window: &Window) -> Result<Found, ChangeLogError>;

    /// Since when changes are recorded; nothing where none ever were.
    async fn since(&self) -> Result<Option<Timestamp>, ChangeLogError>;
}
