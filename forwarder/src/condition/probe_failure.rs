//! A probe that fails again and again.

use std::num::NonZeroU32;

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sighting::Enough;
use super::{Condition, Context, Sighting};
use crate::object::{Kind, Object};

/// A readiness or liveness probe that fails again and again, from events. It ends when the pod is ready, after `quiet`
/// without a further event, or with the pod. Startup probes don't count: they fail until a program is up, and one
/// that never is, is restarted for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProbeFailure {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How often the same must have happened. Default: 6, a minute of the kubelet's default period.
    pub events: NonZeroU32,
    /// How long after the last event it is over, as `10m`. Default: `10m`.
    pub quiet: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for ProbeFailure {
    fn default() -> Self {
        Self {
            enabled: true,
            hold: Period::seconds(0),
            events: NonZeroU32::MIN.saturating_add(5),
            quiet: Period::minutes(10),
            rate_limit: Period::minutes(10),
        }
    }
}

impl Condition for ProbeFailure {
    fn told_by_events(&self) -> &'static [&'static str] {
        &["PodProbeFailing"]
    }

    fn see(&self, object: &Object, _: &Context<'_>) -> Vec<Sighting> {
        let Object::Event(event) = object else { return Vec::new() };
        let Some(subject) = event.subject().filter(|subject| subject.kind == Kind::Pod) else { return Vec::new() };
        let startup = event.message.as_deref().is_some_and(|message| message.starts_with("Startup probe"));
        if event.reason.as_deref() != Some("Unhealthy") || startup {
            return Vec::new();
        }
        let container = event.container().map(str::to_owned);
        let of = container.as_ref().map_or_else(String::new, |container| format!("container {container} of "));
        let what = format!("A probe of {of}{subject} fails");
        let enough = Enough { times: self.events, hold: self.hold, quiet: self.quiet };
        let sighting = Sighting::of_event("PodProbeFailing", event, subject, &what, enough);
        sighting.map(|sighting| Sighting { container, ..sighting }).into_iter().collect()
    }
}
