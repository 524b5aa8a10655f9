//! What events tell of pods that can't be watched.

use std::num::NonZeroU32;

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sighting::Enough;
use super::{Condition, Context, Sighting};
use crate::object::{Event, Kind, Object};

/// What the events `BackOff` and `FailedScheduling` tell of pods, where the credentials don't allow to watch the pods
/// themselves. It ends after `quiet` without a further event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventBackstop {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How often the same must have happened. Default: 3.
    pub events: NonZeroU32,
    /// How long after the last event it is over, as `10m`. Default: `10m`.
    pub quiet: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for EventBackstop {
    fn default() -> Self {
        Self {
            enabled: true,
            hold: Period::seconds(0),
            events: NonZeroU32::MIN.saturating_add(2),
            quiet: Period::minutes(10),
            rate_limit: Period::minutes(10),
        }
    }
}

impl Condition for EventBackstop {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Event(event) = object else { return Vec::new() };
        let subject = event.subject().filter(|subject| subject.kind == Kind::Pod);
        let Some(subject) = subject.filter(|_| context.pods_unseen) else { return Vec::new() };
        let Some((name, how)) = meaning(event) else { return Vec::new() };
        let what = format!("{subject} {how}");
        let enough = Enough { times: self.events, hold: self.hold, quiet: self.quiet };
        let sighting = Sighting::of_event(name, event, subject, &what, enough);
        let container = event.container().map(str::to_owned);
        sighting.map(|sighting| Sighting { container, ..sighting }).into_iter().collect()
    }
}

/// The signal that an event stands for, and what it says of the pod. The kubelet writes `BackOff` of both a container
/// and an image.
fn meaning(event: &Event) -> Option<(&'static str, &'static str)> {
    match event.reason.as_deref()? {
        "FailedScheduling" => Some(("PodUnschedulable", "fits no node")),
        "BackOff" if event.message.as_deref()?.starts_with("Back-off pulling image") => {
            Some(("PodImagePullFailing", "gets no image"))
        }
        "BackOff" => Some(("PodCrashLooping", "restarts again and again")),
        _ => None,
    }
}
