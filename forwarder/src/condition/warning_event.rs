//! Warning events that nothing else is made of.

use std::num::NonZeroU32;

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sighting::Enough;
use super::{Condition, Context, Sighting};
use crate::object::{Event, Object};

/// A warning event of any kind of object, told once for each object and reason. It ends when the object is well, after
/// `quiet` without a further event, or with the object. Most warnings mend themselves: it is off until it is turned on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WarningEvent {
    /// Whether it is told. Default: false.
    pub enabled: bool,
    /// Texts of which one must occur in the reason, the message, or the object as `Pod shop/cart-1`. Empty: any event.
    /// Default: empty.
    pub include: Vec<String>,
    /// Texts of which none may occur there. Default: empty.
    pub exclude: Vec<String>,
    /// How often the same must have happened. Default: 1.
    pub events: NonZeroU32,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How long after the last event it is over, as `10m`. Default: `10m`.
    pub quiet: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `1h`.
    pub rate_limit: Period,
}

impl Default for WarningEvent {
    fn default() -> Self {
        Self {
            enabled: false,
            include: Vec::new(),
            exclude: Vec::new(),
            events: NonZeroU32::MIN,
            hold: Period::seconds(0),
            quiet: Period::minutes(10),
            rate_limit: Period::hours(1),
        }
    }
}

impl Condition for WarningEvent {
    fn told_by_events(&self) -> &'static [&'static str] {
        &["KubernetesWarningEvent"]
    }

    fn see(&self, object: &Object, _: &Context<'_>) -> Vec<Sighting> {
        let Object::Event(event) = object else { return Vec::new() };
        let Some(subject) = event.subject() else { return Vec::new() };
        let (Some(reason), about) = (event.reason.as_deref(), subject.to_string()) else { return Vec::new() };
        if !self.is_wanted(event, reason, &about) {
            return Vec::new();
        }
        let enough = Enough { times: self.events, hold: self.hold, quiet: self.quiet };
        let what = format!("{reason} of {subject}");
        let sighting = Sighting::of_event("KubernetesWarningEvent", event, subject, &what, enough);
        let condition = Some(reason.to_owned());
        let container = event.container().map(str::to_owned);
        sighting.map(|sighting| Sighting { container, condition, ..sighting }).into_iter().collect()
    }
}

impl WarningEvent {
    fn is_wanted(&self, event: &Event, reason: &str, about: &str) -> bool {
        let texts = [reason, event.message.as_deref().unwrap_or_default(), about];
        let occurs = |wanted: &String| texts.iter().any(|text| text.contains(wanted.as_str()));
        (self.include.is_empty() || self.include.iter().any(occurs)) && !self.exclude.iter().any(occurs)
    }
}
