//! A workload whose pods are refused.

use std::num::NonZeroU32;

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sighting::Enough;
use super::{Condition, Context, Sighting};
use crate::object::{Event, Kind, Object, Standing, Status, controller, find};

/// A workload whose pods are refused when they are to be made, most often by a quota or an admission rule. Deployments
/// and ReplicaSets say so themselves; of StatefulSets, DaemonSets and Jobs events tell. It ends when pods are made
/// again, after `quiet` without a further event, or with the workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplicaCreation {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long it must last, as `30s`. Default: `0s`.
    pub hold: Period,
    /// How many events of one refusal count. Default: 2.
    pub events: NonZeroU32,
    /// How long after the last event it is over, as `20m`: controllers try again at least every 17 minutes.
    /// Default: `20m`.
    pub quiet: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for ReplicaCreation {
    fn default() -> Self {
        Self {
            enabled: true,
            hold: Period::seconds(0),
            events: NonZeroU32::MIN.saturating_add(1),
            quiet: Period::minutes(20),
            rate_limit: Period::minutes(10),
        }
    }
}

const NAME: &str = "ReplicaCreationFailing";

impl Condition for ReplicaCreation {
    fn told_by_events(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let sighting = match object {
            Object::Deployment(deployment) => self.told(&deployment.status.conditions, context),
            // A Deployment takes the condition over from its ReplicaSet.
            Object::ReplicaSet(set) if controller(&set.metadata).is_none() => {
                self.told(&set.status.conditions, context)
            }
            Object::Event(event) => self.event(event),
            _ => None,
        };
        sighting.into_iter().collect()
    }
}

impl ReplicaCreation {
    fn event(&self, event: &Event) -> Option<Sighting> {
        let subject = event.subject()?;
        let silent = matches!(subject.kind, Kind::StatefulSet | Kind::DaemonSet | Kind::Job);
        if !silent || event.reason.as_deref() != Some("FailedCreate") {
            return None;
        }
        let what = format!("Pods of {subject} can't be made");
        let enough = Enough { times: self.events, hold: self.hold, quiet: self.quiet };
        Sighting::of_event(NAME, event, subject, &what, enough)
    }

    fn told(&self, conditions: &[Standing], context: &Context<'_>) -> Option<Sighting> {
        let condition = find(conditions, "ReplicaFailure", Status::True)?;
        let what = format!("Pods of {} can't be made", context.key);
        Some(Sighting::of_standing(NAME, Severity::Warning, condition, &what, self.hold))
    }
}
