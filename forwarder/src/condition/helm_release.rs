//! A Helm release that failed or hangs.

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Context, Sighting, Stage};
use crate::object::Object;

/// A Helm release whose newest revision failed, or has been under way for longer than `pending`: whoever made it was
/// interrupted. It ends when a newer revision is deployed, or with the release. It is told by the labels of Helm's
/// Secrets, which are not watched where this is off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HelmRelease {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long a failure must last, as `5m`: whoever made it may roll it back. Default: `0s`.
    pub hold: Period,
    /// How long a revision may be under way, as `15m`. Default: `15m`.
    pub pending: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for HelmRelease {
    fn default() -> Self {
        Self { enabled: true, hold: Period::seconds(0), pending: Period::minutes(15), rate_limit: Period::minutes(10) }
    }
}

const FAILED: &str = "HelmReleaseFailed";

impl Condition for HelmRelease {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Release(release) = object else { return Vec::new() };
        let (number, status, since) = (release.number, &*release.revision.status, release.revision.since);
        let told = |name, stage, how: &str| Sighting {
            stage,
            since,
            reason: Some(status.to_owned()),
            ..Sighting::new(name, Severity::Warning, format!("Revision {number} of {} {how}", context.key))
        };
        match status {
            "failed" => vec![told(FAILED, Stage::Holds(self.hold.duration()), "failed")],
            "pending-install" | "pending-upgrade" | "pending-rollback" | "uninstalling" => vec![
                told("HelmReleasePending", Stage::Holds(self.pending.duration()), &format!("is under way ({status})")),
                // A new try after a failure mends nothing yet.
                told(FAILED, Stage::Lingers, "follows one that failed"),
            ],
            _ => Vec::new(),
        }
    }
}
