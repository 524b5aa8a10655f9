//! What changed that several workloads need.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use marple_core::{Change, ChangeKind, ObjectRef};

/// How long after a change what it broke may begin to be told: the rules of kubernetes-mixin hold most alerts back for 15
/// minutes, and a rollout comes before.
pub(super) const SHORTLY: SignedDuration = SignedDuration::from_mins(20);

/// The kinds that a workload names because it needs just that object.
const NAMED: [&str; 5] = ["ConfigMap", "Secret", "Service", "PersistentVolumeClaim", "ServiceAccount"];

/// An object that changed, and what needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedChange {
    /// The object.
    pub object: ObjectRef,
    /// When it changed.
    pub at: Timestamp,
    /// What, as `data.timeout: 5s → 50ms`.
    pub what: String,
    /// The top-level objects whose pods name it.
    pub needed_by: BTreeSet<ObjectRef>,
}

impl SharedChange {
    /// The same, before it is known who needs it; nothing of an object that no workload names.
    pub(super) fn of(change: &Change) -> Option<Self> {
        if !NAMED.contains(&change.object.kind.as_str()) {
            return None;
        }
        let more = change.fields.len().saturating_sub(1) + usize::try_from(change.left_out).unwrap_or_default();
        let what = match (change.kind, change.fields.first()) {
            (ChangeKind::Created, _) => "it was made".to_owned(),
            (ChangeKind::Deleted, _) => "it was deleted".to_owned(),
            (ChangeKind::Altered, None) => "altered".to_owned(),
            (ChangeKind::Altered, Some(field)) if more == 0 => field.to_string(),
            (ChangeKind::Altered, Some(field)) => format!("{field} and {more} more"),
        };
        Some(Self { object: change.object.clone(), at: change.at, what, needed_by: BTreeSet::new() })
    }

    /// Whether what began then may have come of it. A change is told in whole seconds.
    pub(super) fn precedes(&self, began: Timestamp) -> bool {
        let after = began.duration_since(self.at);
        after >= SignedDuration::ZERO && after <= SHORTLY
    }
}
