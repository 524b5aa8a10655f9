//! A rollout that does not go on.

use std::time::Duration;

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::some_line;
use super::{Condition, Context, Sighting, Stage};
use crate::object::{DaemonSet, Deployment, Object, StatefulSet, Status, find};

/// A rollout that does not go on for `hold`: a Deployment that says so itself (`ProgressDeadlineExceeded`), a StatefulSet or
/// DaemonSet some of whose pods still lack the template of now and whose counts have not changed. A Deployment says so only
/// after its own `progressDeadlineSeconds`, which count into `hold`: a shorter one is as long as that. It ends when the rollout goes on or is complete, or with the workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StuckRollout {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long a rollout must stand still, as `10m`; of a Deployment for its `progressDeadlineSeconds` at least. Default:
    /// `10m`, the deadline that Deployments have.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for StuckRollout {
    fn default() -> Self {
        Self { enabled: true, hold: Period::minutes(10), rate_limit: Period::minutes(10) }
    }
}

/// The deadline of a Deployment that names none, in seconds.
const DEADLINE: u32 = 600;

impl Condition for StuckRollout {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let sighting = match object {
            Object::Deployment(deployment) => self.over_deadline(deployment, context),
            Object::StatefulSet(set) => counts_of_stateful_set(set).map(|counts| self.stands_still(&counts, context)),
            Object::DaemonSet(set) => counts_of_daemon_set(set).map(|counts| self.stands_still(&counts, context)),
            _ => None,
        };
        sighting.into_iter().collect()
    }
}

/// How far a rollout has come.
struct Counts {
    wanted: u32,
    updated: u32,
    ready: u32,
}

impl StuckRollout {
    fn stands_still(&self, counts: &Counts, context: &Context<'_>) -> Sighting {
        let Counts { wanted, updated, ready } = *counts;
        let summary =
            format!("The rollout of {} stands still: {updated} of {wanted} pods updated, {ready} ready", context.key);
        Sighting {
            stage: Stage::Holds(self.hold.duration()),
            progress: Some(u64::from(updated) << 32 | u64::from(ready)),
            reason: Some("RolloutStandsStill".to_owned()),
            ..Sighting::new("RolloutStuck", Severity::Warning, summary)
        }
    }

    fn over_deadline(&self, deployment: &Deployment, context: &Context<'_>) -> Option<Sighting> {
        let condition = find(&deployment.status.conditions, "Progressing", Status::False)
            .filter(|condition| condition.reason.as_deref() == Some("ProgressDeadlineExceeded"))?;
        let wanted = deployment.spec.replicas.unwrap_or(1);
        let summary = format!(
            "The rollout of {} is over its deadline: {} of {wanted} pods updated, {} available",
            context.key, deployment.status.updated_replicas, deployment.status.available_replicas,
        );
        let passed = Duration::from_secs(deployment.spec.progress_deadline_seconds.unwrap_or(DEADLINE).into());
        Some(Sighting {
            stage: Stage::Holds(self.hold.duration().saturating_sub(passed)),
            since: condition.last_transition_time,
            reason: condition.reason.clone(),
            description: some_line(condition.message.as_deref()),
            ..Sighting::new("RolloutStuck", Severity::Warning, summary)
        })
    }
}

/// The counts of a StatefulSet whose rollout is not complete.
fn counts_of_stateful_set(set: &StatefulSet) -> Option<Counts> {
    let wanted = set.spec.replicas.unwrap_or(1).saturating_sub(set.spec.update_strategy.partition());
    let current = set.status.observed_generation >= set.metadata.generation.unwrap_or(0);
    let counts = Counts { wanted, updated: set.status.updated_replicas, ready: set.status.ready_replicas };
    (current && !set.spec.update_strategy.on_delete() && counts.updated < wanted).then_some(counts)
}

/// The counts of a DaemonSet whose rollout is not complete.
fn counts_of_daemon_set(set: &DaemonSet) -> Option<Counts> {
    let wanted = set.status.desired_number_scheduled;
    let current = set.status.observed_generation >= set.metadata.generation.unwrap_or(0);
    let counts = Counts { wanted, updated: set.status.updated_number_scheduled, ready: set.status.number_ready };
    (current && !set.spec.update_strategy.on_delete() && counts.updated < wanted).then_some(counts)
}
