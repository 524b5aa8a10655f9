//! A volume that can't be attached or mounted.

use std::num::NonZeroU32;

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sighting::Enough;
use super::{Condition, Context, Sighting};
use crate::object::{Kind, Object, ObjectKey};

/// A volume that can't be attached or mounted, from events, for the pod itself doesn't say. It ends when the pod is
/// ready, after `quiet` without a further event, or with the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeFailure {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How often the same must have happened. Default: 2.
    pub events: NonZeroU32,
    /// How long after the last event it is over, as `10m`. Default: `10m`.
    pub quiet: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for VolumeFailure {
    fn default() -> Self {
        Self {
            enabled: true,
            hold: Period::seconds(0),
            events: NonZeroU32::MIN.saturating_add(1),
            quiet: Period::minutes(10),
            rate_limit: Period::minutes(10),
        }
    }
}

/// What the kubelet and the controllers call it.
const REASONS: [&str; 3] = ["FailedMount", "FailedAttachVolume", "FailedMapVolume"];

impl Condition for VolumeFailure {
    fn told_by_events(&self) -> &'static [&'static str] {
        &["PodVolumeFailing"]
    }

    fn see(&self, object: &Object, _: &Context<'_>) -> Vec<Sighting> {
        let what = |subject: &ObjectKey| format!("A volume of {subject} can't be mounted");
        let enough = Enough { times: self.events, hold: self.hold, quiet: self.quiet };
        Sighting::of_reasons("PodVolumeFailing", object, (&Kind::Pod, &REASONS), what, enough)
    }
}
