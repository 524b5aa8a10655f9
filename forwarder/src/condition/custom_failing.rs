//! A custom resource that tells of a fault.

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting};
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
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Custom(resource, custom) = object else { return Vec::new() };
        let status = resource.when.status();
        let told = resource.conditions.iter().find_map(|type_| find(&custom.status.conditions, type_, status));
        let Some(condition) = told else { return Vec::new() };
        let what = format!("{} says {} {status:?}", context.key, condition.type_);
        let hold = resource.hold.unwrap_or(self.hold);
        vec![Sighting::of_standing("CustomResourceFailing", resource.severity, condition, &what, hold)]
    }
}
