//! A volume that failed.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, some_line};
use super::{Condition, Context, Sighting, Stage};
use crate::object::Object;

/// A PersistentVolume that could not be reclaimed. It ends when it is in another phase, or with the volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeFailed {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for VolumeFailed {
    fn default() -> Self {
        Self { enabled: true, hold: Period::seconds(0), rate_limit: Period::minutes(10) }
    }
}

impl Condition for VolumeFailed {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Volume(volume) = object else { return Vec::new() };
        if volume.status.phase.as_deref() != Some("Failed") {
            return Vec::new();
        }
        let message = volume.status.message.as_deref();
        let claim = volume.spec.claim_ref.as_ref();
        let of_claim = claim.map(|claim| format!(" of claim {}/{}", claim.namespace, claim.name)).unwrap_or_default();
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            since: volume.status.last_phase_transition_time,
            reason: Some("Failed".to_owned()),
            description: some_line(message),
            ..Sighting::new(
                "PersistentVolumeFailed",
                Severity::Warning,
                format!("{}{of_claim} failed{}", context.key, after_colon(message)),
            )
        }]
    }
}
