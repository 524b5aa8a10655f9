//! A Service that gets no load balancer.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting, Stage};
use crate::object::{Object, deletion};

/// A Service of type `LoadBalancer` without an address for longer than `hold`. It ends when it has one, or with the
/// Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LoadBalancerPending {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `5m`: clouds take minutes. Default: `5m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for LoadBalancerPending {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(5), rate_limit: Period::minutes(10) }
    }
}

impl Condition for LoadBalancerPending {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Service(service) = object else { return Vec::new() };
        if !service.waits_for_address() || deletion(&service.metadata).is_some() {
            return Vec::new();
        }
        // Since it was seen so: a Service may become one of this type long after it was made.
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            reason: Some("NoAddress".to_owned()),
            ..Sighting::new(
                "ServiceLoadBalancerPending",
                Severity::Warning,
                format!("{} is of type LoadBalancer and has no address", context.key),
            )
        }]
    }
}
