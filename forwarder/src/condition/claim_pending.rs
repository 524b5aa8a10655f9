//! A claim that gets no volume, or has lost it.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting, Stage};
use crate::object::Object;

/// A claim that gets no volume for longer than `hold`, or has lost it, which is told at once: no time brings the volume back.
/// A claim that waits for its first pod, as its
/// StorageClass says, is as it should be. It ends when the claim is bound, or with the claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimPending {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must get no volume, as `5m`; a volume that is lost is not waited for. Default: `5m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for ClaimPending {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(5), rate_limit: Period::minutes(10) }
    }
}

impl Condition for ClaimPending {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Claim(claim) = object else { return Vec::new() };
        let class = claim.spec.storage_class_name.as_deref().unwrap_or_default();
        let since = crate::object::created(&claim.metadata);
        let of_class = if class.is_empty() { "no StorageClass".to_owned() } else { format!("StorageClass {class}") };
        match claim.status.phase.as_deref() {
            Some("Pending") if claim.has_consumer() || !context.waiting_classes.contains(class) => vec![Sighting {
                stage: Stage::Holds(self.hold.duration()),
                since,
                reason: Some("Pending".to_owned()),
                ..Sighting::new(
                    "PersistentVolumeClaimPending",
                    Severity::Warning,
                    format!("{} gets no volume ({of_class})", context.key),
                )
            }],
            Some("Lost") => vec![Sighting {
                since,
                reason: Some("Lost".to_owned()),
                ..Sighting::new(
                    "PersistentVolumeClaimLost",
                    Severity::Critical,
                    format!("{} has lost its volume ({of_class})", context.key),
                )
            }],
            _ => Vec::new(),
        }
    }
}
