//! A workload of a Helm release that is not ready.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting, Stage};
use crate::object::{Object, Owner, helm_release};

/// A workload of a Helm release of whose pods not all are ready for longer than `hold`. It is told of the workload, with
/// the release's name, so that it is one with all else that is wrong there. It ends when they are ready, or with the
/// workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HelmWorkload {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `15m`. Default: `15m`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for HelmWorkload {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(15), rate_limit: Period::minutes(10) }
    }
}

impl Condition for HelmWorkload {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Some(release) = helm_release(object.metadata()) else { return Vec::new() };
        let (ready, wanted) = match object {
            Object::Deployment(it) => (it.status.available_replicas, it.spec.replicas.unwrap_or(1)),
            Object::StatefulSet(it) => (it.status.ready_replicas, it.spec.replicas.unwrap_or(1)),
            Object::DaemonSet(it) => (it.status.number_ready, it.status.desired_number_scheduled),
            _ => return Vec::new(),
        };
        if ready >= wanted {
            return Vec::new();
        }
        vec![Sighting {
            stage: Stage::Holds(self.hold.duration()),
            workload: Some(Owner { kind: "HelmRelease".into(), name: release.into() }),
            reason: Some("ReplicasNotReady".to_owned()),
            ..Sighting::new(
                "HelmReleaseUnhealthy",
                Severity::Warning,
                format!("{} of the Helm release {release} has {ready} of {wanted} pods ready", context.key),
            )
        }]
    }
}
