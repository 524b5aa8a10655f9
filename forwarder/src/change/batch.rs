//! What is handed on to be kept, and what is asked for at a start.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Change, ObjectRef};
use serde::{Deserialize, Serialize};

use super::state::State;
use crate::deliver::DeliverError;
use crate::known::KnownError;

/// What is to be kept together: changes, and the states from which later ones are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The cluster's name.
    pub cluster: String,
    /// Objects, in the order in which they were seen.
    #[serde(default)]
    pub entries: Vec<Entry>,
    /// Kinds that were listed in full.
    #[serde(default)]
    pub listed: Vec<Listed>,
    /// How far watches have come: all up to there is in this batch and those before it.
    #[serde(default)]
    pub reached: Vec<Reached>,
}

/// An object that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The object.
    pub object: ObjectRef,
    /// What changed in it; nothing where it is only known from now on.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// How it is; absent where it is gone.
    #[serde(default)]
    pub state: Option<State>,
}

/// A kind was listed in full: what is made after that is new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// The kind.
    pub kind: String,
    /// When.
    pub at: Timestamp,
}

/// How far the watch of a kind has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// The kind.
    pub kind: String,
    /// The namespace that the watch covers; empty for all of the cluster.
    pub namespace: String,
    /// What was taken of objects, and of which: a watch that takes something else begins by listing.
    pub form: String,
    /// The resourceVersion up to which all was seen. Empty where the watch begins anew with a list: what that shows is how
    /// things are, whatever was seen before.
    pub version: String,
}

impl Batch {
    /// Of a cluster, empty.
    pub(super) fn of(cluster: &str) -> Self {
        Self { cluster: cluster.to_owned(), ..Self::default() }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.listed.is_empty() && self.reached.is_empty()
    }

    /// Adds what came after it.
    pub(super) fn append(&mut self, mut later: Self) {
        self.entries.append(&mut later.entries);
        self.listed.append(&mut later.listed);
        self.reached.retain(|one| !later.reached.iter().any(|new| one.is_before(new)));
        self.reached.append(&mut later.reached);
    }

    /// Whether a watch begins anew after what is in it: what comes then must not be kept together with it.
    pub(super) fn begins_anew(&self) -> bool {
        self.reached.iter().any(Reached::begins_anew)
    }

    /// How many changes it tells.
    pub fn changes(&self) -> usize {
        self.entries.iter().map(|entry| entry.changes.len()).sum()
    }
}

impl Reached {
    /// Whether the watch begins anew with a list.
    pub fn begins_anew(&self) -> bool {
        self.version.is_empty()
    }

    /// Whether another one of the same watch takes its place.
    fn is_before(&self, later: &Self) -> bool {
        (&self.kind, &self.namespace) == (&later.kind, &later.namespace)
    }
}

/// What is kept of a kind from before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// How each object was.
    pub states: Vec<State>,
    /// When the kind was last listed in full.
    pub listed_at: Option<Timestamp>,
    /// How far its watches came.
    #[serde(default)]
    pub reached: Vec<Reached>,
}

/// Where the history is kept: in the same process, or at a runner apart.
#[async_trait]
pub trait Chronicle: Send + Sync {
    /// Keeps a batch; `Ok` when all of it is stored for good. Batches come in order; one that comes twice changes nothing.
    async fn record(&self, batch: Batch) -> Result<(), DeliverError>;

    /// What is kept of a kind of a cluster.
    async fn kept(&self, cluster: &str, kind: &str) -> Result<Kept, KnownError>;
}
