//! A pod that a node under pressure has ended.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, some_line};
use super::{Condition, Context, Sighting, Stage};
use crate::object::{Object, Status, find};

/// A pod that its kubelet has evicted. It ends with the pod, or after `keep`: evicted pods may lie about for weeks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Eviction {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How long it counts where the pod is not deleted, as `1h`. Default: `1h`.
    pub keep: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for Eviction {
    fn default() -> Self {
        Self { enabled: true, hold: Period::seconds(0), keep: Period::hours(1), rate_limit: Period::minutes(10) }
    }
}

impl Condition for Eviction {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Pod(pod) = object else { return Vec::new() };
        if pod.status.reason.as_deref() != Some("Evicted") {
            return Vec::new();
        }
        let disrupted = find(&pod.status.conditions, "DisruptionTarget", Status::True)
            .and_then(|condition| condition.last_transition_time);
        let ended = pod.statuses().filter_map(|status| status.state.terminated.as_ref()?.finished_at).max();
        let Some(since) = disrupted.or(ended).or(pod.status.start_time) else { return Vec::new() };
        let message = pod.status.message.as_deref();
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            since: Some(since),
            until: since.checked_add(self.keep.duration()).ok(),
            reason: Some("Evicted".to_owned()),
            node: pod.spec.node_name.clone(),
            description: some_line(message),
            ..Sighting::new(
                "PodEvicted",
                Severity::Warning,
                format!("{} was evicted{}", context.key, after_colon(message)),
            )
        }]
    }
}
