//! An autoscaler that can't scale.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting};
use crate::object::{Object, Status, find};

/// An autoscaler that can't scale for longer than `hold`: it gets no metrics, or can't read or set its target's scale. It
/// ends when it can, or with the autoscaler. A target of no pods is somebody's wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AutoscalerFailing {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `5m`: new pods have no metrics at first. Default: `5m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for AutoscalerFailing {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(5), rate_limit: Period::minutes(10) }
    }
}

impl Condition for AutoscalerFailing {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Autoscaler(autoscaler) = object else { return Vec::new() };
        let conditions = &autoscaler.status.conditions;
        let unable = find(conditions, "AbleToScale", Status::False).or_else(|| {
            find(conditions, "ScalingActive", Status::False)
                .filter(|condition| condition.reason.as_deref() != Some("ScalingDisabled"))
        });
        let Some(condition) = unable else { return Vec::new() };
        let target = autoscaler.target();
        let what = format!("{} can't scale {} {}", context.key, target.kind, target.name);
        let name = "HorizontalPodAutoscalerFailing";
        let told = Sighting::of_standing(name, Severity::Warning, condition, &what, self.hold);
        vec![Sighting { workload: Some(target), ..told }]
    }
}
