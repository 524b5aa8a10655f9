//! Incidents, as the rest of the program reads and marks them.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Incident, IncidentId, IncidentStatus, Member, ObjectRef, Severity};
use serde::{Deserialize, Serialize};

use super::{SignalSeq, StoreError};
use crate::correlate::{Batch, Snapshot};

/// Which incidents are wanted, latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Of these states; empty for all but merged ones.
    pub status: Vec<IncidentStatus>,
    /// Of this object.
    pub object: Option<ObjectRef>,
    /// Opened at or after this.
    pub since: Option<Timestamp>,
    /// Opened before this one: the last of the page before.
    pub before: Option<IncidentId>,
    /// At most so many; 0 for 50.
    pub limit: u32,
}

/// What the words that a person typed name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Nothing.
    Nothing,
    /// One incident.
    One(Box<Incident>),
    /// Several, of which these are the latest: more digits are needed.
    Several(Vec<IncidentId>),
}

/// An incident with what was done for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The incident.
    pub incident: Incident,
    /// When what won't last was caught, if it was.
    pub captured_at: Option<Timestamp>,
    /// The last revision that the outbox was told of; 0 for none.
    pub told_revision: u64,
}

/// What happened to an incident that people should see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// It was opened by an alert of this name.
    Opened {
        /// The alert.
        name: String,
    },
    /// An alert of a name that it did not have joined.
    Joined {
        /// The alert.
        name: String,
        /// What it is about.
        object: Option<ObjectRef>,
        /// Why it belongs here, in words.
        reason: String,
    },
    /// It became worse.
    Worsened {
        /// How bad it is now.
        severity: Severity,
    },
    /// Another incident turned out to be part of it.
    Absorbed {
        /// The other.
        incident: IncidentId,
        /// Why, in words.
        reason: String,
    },
    /// It turned out to be part of another.
    Merged {
        /// The other.
        into: IncidentId,
        /// Why, in words.
        reason: String,
    },
    /// A person has taken it.
    Acknowledged {
        /// Who.
        by: String,
    },
    /// A person said that it is over.
    EndedBy {
        /// Who.
        by: String,
    },
    /// An alert was not heard of any more, and is taken to be over.
    Unheard {
        /// The alert.
        name: String,
        /// What it is about.
        object: Option<ObjectRef>,
    },
    /// All its signals have ended.
    Resolved,
    /// One of its alerts fired again soon after it was resolved.
    Reopened {
        /// The alert.
        name: String,
    },
    /// It was explained.
    Concluded {
        /// By whom.
        by: super::ConcludedBy,
        /// The summary.
        summary: String,
    },
}

/// One line of an incident's story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub moment: Moment,
}

/// Incidents.
#[async_trait]
pub trait Incidents: Send + Sync {
    /// What correlation starts from: every open incident, and those resolved since, with what it needs of their members.
    async fn snapshot(&self, resolved_since: Timestamp) -> Result<Snapshot, StoreError>;

    /// Makes a batch of changes and moves the cursor, in one transaction. A batch of a number that was applied before
    /// changes nothing, so that an apply whose end is unknown can be tried again.
    async fn apply(&self, batch: Arc<Batch>) -> Result<(), StoreError>;

    /// The last signal that correlation has taken account of.
    async fn cursor(&self) -> Result<SignalSeq, StoreError>;

    /// One incident.
    async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError>;

    /// The incident whose id, or short name, begins with what a person typed (at least four digits).
    async fn incident_by_prefix(&self, typed: &str) -> Result<Named, StoreError>;

    /// Incidents, latest first.
    async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, StoreError>;

    /// Open and acknowledged incidents, oldest first.
    async fn open_incidents(&self) -> Result<Vec<Incident>, StoreError>;

    /// Members: those that hold first, then the worst, then the earliest.
    async fn members(&self, id: IncidentId, limit: u32) -> Result<Vec<Member>, StoreError>;

    /// The story of an incident, earliest first.
    async fn timeline(&self, id: IncidentId, limit: u32) -> Result<Vec<TimelineEntry>, StoreError>;

    /// Incidents whose state was not caught, or of whose latest revision the outbox was not told, with that revision;
    /// oldest first. A lost notification loses nothing: whoever works on incidents asks here.
    async fn incidents_needing_work(&self, limit: u32) -> Result<Vec<(IncidentId, u64)>, StoreError>;

    /// Those of these incidents that are there, with what was done for them; oldest first.
    async fn incidents_behind(&self, ids: &[IncidentId]) -> Result<Vec<Behind>, StoreError>;
}
