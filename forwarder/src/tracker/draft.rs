//! What a witness says of a condition.

use std::time::Duration;

use jiff::Timestamp;
use marple_core::Signal;

use crate::condition::Stage;
use crate::object::ObjectKey;

/// Names a condition: the same over restarts of the pod's containers and of the forwarder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConditionKey {
    /// The object that it is about.
    pub subject: ObjectKey,
    /// The signal's name.
    pub name: &'static str,
    /// The container, or the condition under `status`, where several are told under one name.
    pub part: Option<Box<str>>,
}

impl ConditionKey {
    /// The one before all others of this object.
    pub(super) const fn first_of(subject: ObjectKey) -> Self {
        Self { subject, name: "", part: None }
    }
}

/// Who speaks of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Witness {
    /// The object itself.
    Object(ObjectKey),
    /// An event about it.
    Event(ObjectKey),
}

impl Witness {
    pub(super) const fn is_event(&self) -> bool {
        matches!(self, Self::Event(_))
    }
}

/// What a witness says of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The condition.
    pub key: ConditionKey,
    /// Whether it holds.
    pub stage: Stage,
    /// Since when, where the witness tells.
    pub since: Option<Timestamp>,
    /// For an event: when it last happened.
    pub last: Option<Timestamp>,
    /// When the word of this witness expires.
    pub until: Option<Timestamp>,
    /// While it changes, the time that the condition must hold begins anew.
    pub progress: Option<u64>,
    /// How long after it was told last it is told again at the soonest.
    pub rate_limit: Duration,
    /// When the object that it is about was made, where that is the witness.
    pub made: Option<Timestamp>,
    /// The signal that it is to be; its start is set when it is told.
    pub signal: Box<Signal>,
}
