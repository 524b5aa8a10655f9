//! A namespace that should be gone and isn't.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, some_line};
use super::{Condition, Context, Sighting, Stage};
use crate::object::{Object, Status, deletion, find};

/// A namespace that is there for longer than `hold` after its deletion. It ends with the namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NamespaceTerminating {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `10m`. Default: `10m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for NamespaceTerminating {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(10), rate_limit: Period::minutes(10) }
    }
}

/// What tells why, the most telling first (`staging/src/k8s.io/api/core/v1/types.go`).
const WHY: [&str; 5] = [
    "NamespaceFinalizersRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceContentRemaining",
];

impl Condition for NamespaceTerminating {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Namespace(namespace) = object else { return Vec::new() };
        let Some(since) = deletion(&namespace.metadata) else { return Vec::new() };
        let why = WHY.into_iter().find_map(|type_| find(&namespace.status.conditions, type_, Status::True));
        let message = why.and_then(|condition| condition.message.as_deref());
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            since: Some(since),
            reason: Some(why.map_or("Terminating", |condition| condition.type_.as_str()).to_owned()),
            description: some_line(message),
            ..Sighting::new(
                "NamespaceStuckTerminating",
                Severity::Warning,
                format!("{} is being deleted since {since}{}", context.key, after_colon(message)),
            )
        }]
    }
}
