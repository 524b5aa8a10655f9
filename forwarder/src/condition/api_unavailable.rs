//! An API that the API server can't hand on.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting};
use crate::object::{Object, Status, find};

/// An APIService that is not available for longer than `hold`: what it serves, as metrics, can't be read, and namespaces
/// can't be deleted. It ends when it is available, or with the APIService.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiUnavailable {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `5m`. Default: `5m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for ApiUnavailable {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(5), rate_limit: Period::minutes(10) }
    }
}

impl Condition for ApiUnavailable {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::ApiService(api) = object else { return Vec::new() };
        let Some(condition) = find(&api.status.conditions, "Available", Status::False) else { return Vec::new() };
        let backend = api.spec.service.as_ref();
        let behind =
            backend.map(|service| format!(" (Service {}/{})", service.namespace, service.name)).unwrap_or_default();
        let what = format!("{}{behind} is not available", context.key);
        vec![Sighting::of_standing("APIServiceUnavailable", Severity::Warning, condition, &what, self.hold)]
    }
}
