//! A custom resource that tells of a fault.

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, some_line};
use super::{Condition, Context, Sighting, Stage};
use crate::object::{Object, find};

/// A custom resource, of the kinds under `forwarder.custom`, one of whose conditions tells of a fault for longer than
/// `hold`. It ends when none does, or with the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CustomFailing {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last where its kind says nothing else, as `5m`. Default: `5m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for CustomFailing {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(5), rate_limit: Period::minutes(10) }
    }
}

impl Condition for CustomFailing {
    fn enabled(&self) -> bool {
        self.enabled
    }

    fn rate_limit(&self) -> Period {
        self.rate_limit
    }

    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Custom(resource, custom) = object else { return Vec::new() };
        let status = resource.when.status();
        let told = resource.conditions.iter().find_map(|type_| find(&custom.status.conditions, type_, status));
        let Some(condition) = told else { return Vec::new() };
        let message = condition.message.as_deref();
        vec![Sighting {
            stage: Stage::Holds(resource.hold.unwrap_or(self.hold).duration()),
            since: condition.last_transition_time,
            reason: condition.reason.clone(),
            description: some_line(message),
            ..Sighting::new(
                "CustomResourceFailing",
                resource.severity,
                format!("{} says {} {status:?}{}", context.key, condition.type_, after_colon(message)),
            )
        }]
    }
}
