//! An autoscaler at its limit.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::some_line;
use super::{Condition, Context, Sighting, Stage};
use crate::object::{Object, Status, find};

/// An autoscaler that would have more pods than it may for longer than `hold`: its metrics are above their target at its
/// maximum. It ends when it needs no more than it may have, or with the autoscaler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AutoscalerLimit {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `15m`. Default: `15m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for AutoscalerLimit {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(15), rate_limit: Period::minutes(10) }
    }
}

impl Condition for AutoscalerLimit {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Autoscaler(autoscaler) = object else { return Vec::new() };
        // `TooFewReplicas` is the other limit: a quiet night.
        let limited = find(&autoscaler.status.conditions, "ScalingLimited", Status::True)
            .filter(|condition| condition.reason.as_deref() == Some("TooManyReplicas"));
        let Some(condition) = limited else { return Vec::new() };
        let target = autoscaler.target();
        let summary = format!(
            "{} wants more than its maximum of {} pods for {} {}, which has {}",
            context.key, autoscaler.spec.max_replicas, target.kind, target.name, autoscaler.status.current_replicas,
        );
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            workload: Some(target),
            // Its time of transition is not told here: it stays when one limit follows the other.
            reason: condition.reason.clone(),
            description: some_line(condition.message.as_deref()),
            ..Sighting::new("HorizontalPodAutoscalerMaxedOut", Severity::Warning, summary)
        }]
    }
}
