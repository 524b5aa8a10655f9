//! A container that was ended for its memory.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::count;
use super::{Condition, Context, Sighting, Stage};
use crate::object::{ContainerStatus, Object, Pod};

/// A container that the kernel ended for its memory. It ends when the container has run for `stable`, or with the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OomKill {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How long the container must run for it to be over, as `10m`. Default: `10m`.
    pub stable: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for OomKill {
    fn default() -> Self {
        Self { enabled: true, hold: Period::seconds(0), stable: Period::minutes(10), rate_limit: Period::minutes(10) }
    }
}

impl Condition for OomKill {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Pod(pod) = object else { return Vec::new() };
        pod.statuses().filter_map(|status| self.container(pod, status, context)).collect()
    }
}

impl OomKill {
    fn container(&self, pod: &Pod, status: &ContainerStatus, context: &Context<'_>) -> Option<Sighting> {
        let last = status.state.terminated.as_ref().or(status.last_state.terminated.as_ref())?;
        if last.reason.as_deref() != Some("OOMKilled") {
            return None;
        }
        // While it waits to be started it has not run well.
        let quiet_since = match (&status.state.running, &status.state.terminated) {
            (Some(running), _) => Some(running.started_at?),
            (None, Some(ended)) => Some(ended.finished_at?),
            (None, None) => None,
        };
        let until = match quiet_since {
            Some(since) => Some(since.checked_add(self.stable.duration()).ok()?),
            None => None,
        };
        let limit = pod.container(&status.name).and_then(|container| container.resources.limits.memory.as_deref());
        let summary = format!(
            "Container {} of {} was ended for its memory (OOMKilled, exit code {}), {}; {}",
            status.name,
            context.key,
            last.exit_code,
            limit.map_or_else(|| "it has no limit".to_owned(), |limit| format!("its limit is {limit}")),
            count(status.restart_count, "restart"),
        );
        Some(Sighting {
            container: Some(status.name.clone()),
            stage: Stage::Holds(self.hold.duration()),
            since: last.finished_at,
            until,
            reason: Some("OOMKilled".to_owned()),
            node: pod.spec.node_name.clone(),
            ..Sighting::new("PodOOMKilled", Severity::Warning, summary)
        })
    }
}
