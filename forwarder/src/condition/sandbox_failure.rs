//! A pod whose sandbox can't be made.

use std::num::NonZeroU32;

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, some_line};
use super::{Condition, Context, Sighting};
use crate::object::{Kind, Object};

/// A pod whose sandbox, most often its network, can't be made, from events. It ends when the pod is
/// ready, after `quiet` without a further event, or with the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxFailure {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How often the same must have happened. Default: 3.
    pub events: NonZeroU32,
    /// How long after the last event it is over, as `10m`. Default: `10m`.
    pub quiet: Period,
}

impl Default for SandboxFailure {
    fn default() -> Self {
        Self { enabled: true, events: NonZeroU32::MIN.saturating_add(2), quiet: Period::minutes(10) }
    }
}

/// What the kubelet and the controllers call it.
const REASONS: [&str; 3] = ["FailedCreatePodSandBox", "FailedPodSandBoxStatus", "NetworkNotReady"];

impl Condition for SandboxFailure {
    fn enabled(&self) -> bool {
        self.enabled
    }

    fn told_by_events(&self) -> &'static [&'static str] {
        &["PodSandboxFailing"]
    }

    fn see(&self, object: &Object, _: &Context<'_>) -> Vec<Sighting> {
        let Object::Event(event) = object else { return Vec::new() };
        let Some(subject) = event.subject().filter(|subject| subject.kind == Kind::Pod) else { return Vec::new() };
        let reason = event.reason.as_deref().filter(|reason| REASONS.contains(reason));
        let (Some(reason), Some(last)) = (reason, event.last()) else { return Vec::new() };
        if event.times() < self.events.get() {
            return Vec::new();
        }
        let message = event.message.as_deref();
        let summary =
            format!("The sandbox of {subject} can't be made, {} times{}", event.times(), after_colon(message));
        vec![Sighting {
            since: event.first(),
            last: event.last(),
            until: last.checked_add(self.quiet.duration()).ok(),
            reason: Some(reason.to_owned()),
            description: some_line(message),
            subject: Some(subject),
            ..Sighting::new("PodSandboxFailing", Severity::Warning, summary)
        }]
    }
}
