//! A pod that should be gone and isn't.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting, Stage};
use crate::object::{Object, deletion};

/// A pod that is there for longer than `hold` after its deletion and its grace: a finalizer holds it, or its node doesn't
/// answer. It ends with the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StuckTerminating {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long beyond its grace it must last, as `10m`. Default: `10m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for StuckTerminating {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(10), rate_limit: Period::minutes(10) }
    }
}

impl Condition for StuckTerminating {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Pod(pod) = object else { return Vec::new() };
        let Some(since) = deletion(&pod.metadata) else { return Vec::new() };
        let (reason, why) = match pod.metadata.finalizers.as_deref() {
            Some(finalizers) => ("FinalizersRemaining", format!("it waits for {}", finalizers.join(", "))),
            None => ("NotEnded", "its kubelet has not ended it".to_owned()),
        };
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            since: Some(since),
            reason: Some(reason.to_owned()),
            node: pod.spec.node_name.clone(),
            ..Sighting::new(
                "PodStuckTerminating",
                Severity::Warning,
                format!("{} was to be gone at {since} and is there: {why}", context.key),
            )
        }]
    }
}
