//! A container that restarts again and again.

use std::num::NonZeroU16;

use jiff::Timestamp;
use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{count, some_line};
use super::{Condition, Context, Sighting, Stage};
use crate::object::{ContainerStatus, Object, Pod, Terminated};

/// A container that restarts again and again: it waits in `CrashLoopBackOff`, or has restarted `restarts` times inside
/// `window`. It ends when the container has run for `stable`, or with the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CrashLoop {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How many restarts inside the window are a crash loop without `CrashLoopBackOff`. Default: 3.
    pub restarts: NonZeroU16,
    /// The window, as `15m`. Default: `15m`.
    pub window: Period,
    /// How long the container must run for the loop to be over, as `10m`: the kubelet too forgets a loop after ten
    /// minutes. Default: `10m`.
    pub stable: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for CrashLoop {
    fn default() -> Self {
        Self {
            enabled: true,
            hold: Period::seconds(0),
            restarts: NonZeroU16::MIN.saturating_add(2),
            window: Period::minutes(15),
            stable: Period::minutes(10),
            rate_limit: Period::minutes(10),
        }
    }
}

impl Condition for CrashLoop {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        match object {
            Object::Pod(pod) if !pod.finished() => {
                pod.statuses().filter_map(|status| self.container(pod, status, context)).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl CrashLoop {
    fn container(&self, pod: &Pod, status: &ContainerStatus, context: &Context<'_>) -> Option<Sighting> {
        let last = status.state.terminated.as_ref().or(status.last_state.terminated.as_ref());
        let backing_off =
            status.state.waiting.as_ref().is_some_and(|waiting| waiting.reason.as_deref() == Some("CrashLoopBackOff"));
        let (stage, until) = if backing_off {
            (Stage::Holds(self.hold.duration()), None)
        } else {
            let restarts =
                context.restarts.iter().find(|restarts| restarts.container == status.name).map_or(0, |it| it.at.len());
            let quiet_since = Self::quiet_since(pod, status)?;
            let stage = if restarts >= usize::from(self.restarts.get()) {
                Stage::Holds(self.hold.duration())
            } else {
                Stage::Lingers
            };
            (stage, Some(quiet_since.checked_add(self.stable.duration()).ok()?))
        };
        let summary = format!(
            "Container {} of {} restarts again and again: {}, {}",
            status.name,
            context.key,
            last.map_or_else(|| "no exit code known".to_owned(), exit),
            count(status.restart_count, "restart"),
        );
        Some(Sighting {
            container: Some(status.name.clone()),
            stage,
            until,
            since: last.and_then(|last| last.finished_at).or_else(|| pod.waiting_since()),
            reason: Some(last.and_then(|last| last.reason.clone()).unwrap_or_else(|| "CrashLoopBackOff".to_owned())),
            node: pod.spec.node_name.clone(),
            description: some_line(last.and_then(|last| last.message.as_deref())),
            ..Sighting::new("PodCrashLooping", Severity::Warning, summary)
        })
    }

    /// Since when a container that has restarted does not crash; nothing for one that never has, or is done.
    fn quiet_since(pod: &Pod, status: &ContainerStatus) -> Option<Timestamp> {
        let crashed = status.restart_count > 0;
        if let Some(running) = status.state.running.as_ref().filter(|_| crashed) {
            return running.started_at;
        }
        let ended = status.state.terminated.as_ref().filter(|_| crashed)?;
        // One that ends well is done, unless it is to run for ever.
        let for_ever = pod.spec.restart_policy.as_deref().unwrap_or("Always") == "Always" && !pod.initial(&status.name);
        (ended.exit_code != 0 || for_ever).then_some(ended.finished_at).flatten()
    }
}

/// `exit code 137 (OOMKilled)`.
fn exit(last: &Terminated) -> String {
    match last.reason.as_deref() {
        Some(reason) => format!("exit code {} ({reason})", last.exit_code),
        None => format!("exit code {}", last.exit_code),
    }
}
