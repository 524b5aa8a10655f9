//! What correlation decided, to be kept in one transaction; and what it starts again from.

use std::sync::Arc;

use jiff::Timestamp;
use marple_core::{Fingerprint, Incident, IncidentId, Member, ObjectRef, Severity, SignalSource, SignalStatus};

use super::{Dependency, Related};
use crate::store::{Moment, SignalSeq};

/// One thing that correlation decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An incident is so now. Its revision is the store's: it grows by one where people should see the change.
    Incident {
        /// The incident.
        incident: Box<Incident>,
        /// When one of its signals last began to hold, as far as correlation saw.
        last_fired_at: Timestamp,
        /// Whether people should see the change.
        visible: bool,
        /// Objects that are new in it.
        added: Vec<ObjectRef>,
        /// Objects that are no longer in it.
        removed: Vec<ObjectRef>,
    },
    /// A signal joined an incident, or a member of it changed.
    Member {
        /// The incident.
        incident: IncidentId,
        /// The member as it is now.
        member: Box<Member>,
        /// What its object belongs to.
        related: Arc<Related>,
        /// When.
        at: Timestamp,
    },
    /// A member ended by the clock: the end that its signal named has come.
    Ended {
        /// The incident.
        incident: IncidentId,
        /// Where the member came from.
        source: SignalSource,
        /// Which member.
        fingerprint: Fingerprint,
        /// When it ended.
        ends_at: Timestamp,
    },
    /// What the members' object belongs to is now known.
    Related {
        /// The incident.
        incident: IncidentId,
        /// The object.
        object: ObjectRef,
        /// What it belongs to.
        related: Related,
    },
    /// An incident became part of another: its members move, and those who were told of it are told so.
    Merged {
        /// The younger one.
        from: IncidentId,
        /// The older one.
        into: IncidentId,
        /// Why, for each member that moves.
        reason: marple_core::JoinReason,
    },
    /// Dependencies of an incident's objects became known.
    Learned {
        /// The incident.
        incident: IncidentId,
        /// The dependencies.
        dependencies: Vec<Dependency>,
    },
    /// A line of an incident's story.
    Moment {
        /// The incident.
        incident: IncidentId,
        /// When.
        at: Timestamp,
        /// What happened.
        moment: Moment,
    },
}

/// Changes that are made together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// One more than that of the batch before.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// The last signal that these changes take account of.
    pub cursor: SignalSeq,
    /// The changes, in order.
    pub changes: Vec<Change>,
}

/// What correlation starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of the last batch.
    pub batch: u64,
    /// The last signal taken account of.
    pub cursor: SignalSeq,
    /// Incidents that signals may still join.
    pub incidents: Vec<Held>,
}

/// An incident that signals may still join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The incident.
    pub incident: Incident,
    /// When one of its signals last began to hold.
    pub last_fired_at: Timestamp,
    /// Its members.
    pub members: Vec<HeldMember>,
    /// What is known of its objects' dependencies.
    pub dependencies: Vec<Dependency>,
}

/// What correlation needs of a member. A storm brings them by the ten thousand, so what they have in common is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldMember {
    /// Where it came from.
    pub source: SignalSource,
    /// Which alert or condition.
    pub fingerprint: Fingerprint,
    /// Its name.
    pub name: Arc<str>,
    /// Whether it holds.
    pub status: SignalStatus,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Option<Arc<ObjectRef>>,
    /// What that belongs to.
    pub related: Arc<Related>,
    /// The key of the group of an alert that is about no particular object.
    pub group: Option<String>,
    /// When it began.
    pub starts_at: Timestamp,
    /// When it ended, or will.
    pub ends_at: Option<Timestamp>,
}
