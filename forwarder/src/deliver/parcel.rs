//! What is posted to a runner at once.

use marple_core::Signal;
use serde::{Deserialize, Serialize};

use super::Sequence;
use crate::{change, topology};

/// What is posted to a runner at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parcel {
    /// Its number; none where it is a part of one that was refused as a whole.
    pub(crate) sequence: Option<Sequence>,
    /// What is in it.
    pub(crate) content: Content,
}

/// What is in a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    /// Signals, in order.
    Signals(Vec<Signal>),
    /// Changes, with the states from which later ones are told.
    Changes(change::Batch),
    /// What hangs together with what.
    Topology(topology::Batch),
}

/// What goes in an order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Signals,
    Changes,
    Topology,
}

impl Lane {
    /// As it is stored, and as a metric's label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Signals => "signals",
            Self::Changes => "changes",
            Self::Topology => "topology",
        }
    }
}

impl Content {
    pub(crate) const fn lane(&self) -> Lane {
        match self {
            Self::Signals(_) => Lane::Signals,
            Self::Changes(_) => Lane::Changes,
            Self::Topology(_) => Lane::Topology,
        }
    }

    /// Whether it tells nothing at all.
    pub(crate) const fn is_empty(&self) -> bool {
        match self {
            Self::Signals(signals) => signals.is_empty(),
            Self::Changes(batch) => batch.is_empty(),
            Self::Topology(batch) => batch.entries.is_empty(),
        }
    }

    /// How many signals, changes or objects it tells.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Signals(signals) => signals.len(),
            Self::Changes(batch) => batch.changes(),
            Self::Topology(batch) => batch.entries.len(),
        }
    }
}
