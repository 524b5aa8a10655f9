//! Has the agent investigate an incident, step by saved step.

use std::sync::Arc;

use async_trait::async_trait;
use marple_agent::{Case, EvidenceTitle, Investigator, Mode, Progress, Run, SaveError, Told};
use marple_core::{Conclusion, Incident, IncidentStatus, InvestigationId, Period};
use marple_tools::Look;
use marple_tools::history::ChangeLog;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::memory::{earlier, hints};
use super::settle::settled;
use super::{Tooling, WorkError};
use crate::account::Account;
use crate::clock::Clock;
use crate::store::{EvidenceEntry, InvestigationRow, Store, StoreError};

/// How many members the model is told of; the rest are a number.
const MEMBERS: u32 = 30;

/// Investigates incidents with a model.
pub struct Detective {
    /// Where incidents and steps are kept.
    pub store: Arc<dyn Store>,
    /// Asks the model.
    pub investigator: Investigator,
    /// What it looks with.
    pub tooling: Tooling,
    /// The cluster's name.
    pub cluster_name: String,
    /// What it may cost.
    pub account: Account,
    /// What changed in the cluster.
    pub changes: Arc<dyn ChangeLog>,
    /// How long a cause that was found is taken for a repeat of the same.
    pub reuse_within: Period,
    /// The time.
    pub clock: Clock,
}

impl Detective {
    /// Begins an investigation, or goes on from its last saved step; keeps what it comes to.
    pub async fn investigate(&self, row: &InvestigationRow, cancel: &CancellationToken) -> Result<(), WorkError> {
        let Some(incident) = self.store.incident(row.incident).await? else {
            return self.close(row.id, "the incident is gone").await;
        };
        if incident.status == IncidentStatus::Merged {
            return self.close(row.id, "the incident became part of another").await;
        }
        let saved = saved(row);
        // One that goes on was told of them when it began.
        let alike = if saved.is_none() { earlier(self.store.as_ref(), &incident).await? } else { Vec::new() };
        if let Some(known) = self.repeated(row, &incident, &alike).await? {
            return self.reuse(row, &incident, known).await;
        }
        let mut case = known_case(self.store.as_ref(), &incident, &self.cluster_name).await?;
        let log = self.store.evidence(incident.id);
        let (toolbox, unseen) = self.tooling.toolbox(&log).await;
        let toolbox = toolbox.with_actor(format!("investigation of incident {}", incident.id));
        case.rules.unseen.extend(unseen);
        case.remembered = hints(&incident, &alike);
        let rules = case.rules.clone();
        let look =
            Look { incident_start: Some(incident.starts_at), now: self.clock.now(), cancel: cancel.child_token() };
        let progress = Saving { store: Arc::clone(&self.store), id: row.id, clock: self.clock };
        let started = std::time::Instant::now();
        let investigator = self.investigator.clone().with_purse(self.account.of(incident.id));
        let outcome = investigator.investigate(case, saved, &toolbox, &look, &progress).await;
        if cancel.is_cancelled() {
            return Ok(());
        }
        metrics::histogram!("marple_investigation_seconds").record(started.elapsed().as_secs_f64());
        metrics::counter!("marple_investigations_total", "ending" => ending(&outcome.ending)).increment(1);
        tracing::info!(
            incident = %incident.id.short(), ending = %outcome.ending, turns = outcome.turns, calls = outcome.calls,
            prompt_tokens = outcome.usage.prompt, summary = outcome.conclusion.summary, "investigated"
        );
        let now = self.clock.now();
        let merged = self.store.incident(incident.id).await?.is_none_or(|now| now.status == IncidentStatus::Merged);
        if !merged {
            let (conclusion, by) = settled(&outcome, &rules);
            self.store.set_conclusion(incident.id, &conclusion, by, now).await?;
        }
        let kept = json!({ "outcome": outcome, "merged": merged });
        self.store.finish_investigation(row.id, &kept, now).await?;
        Ok(())
    }

    pub(super) async fn close(&self, id: InvestigationId, why: &str) -> Result<(), WorkError> {
        self.store.finish_investigation(id, &json!({ "ended": why }), self.clock.now()).await?;
        Ok(())
    }
}

/// The saved state to go on from; none where none was saved, or where another version of the program saved it: the
/// investigation is worth beginning anew.
fn saved(row: &InvestigationRow) -> Option<Run> {
    let run = row.run.as_ref()?;
    serde_json::from_value(run.clone())
        .inspect_err(|error| {
            tracing::warn!(%error, investigation = %row.id.short(), "its saved state can't be read; it begins anew");
        })
        .ok()
}

/// What is known of an incident, as a case to be concluded.
pub(crate) async fn known_case(store: &dyn Store, incident: &Incident, cluster_name: &str) -> Result<Case, StoreError> {
    let rules = store.conclusion(incident.id).await?.map(|concluded| concluded.conclusion);
    let title = |entry: EvidenceEntry| EvidenceTitle {
        id: entry.id,
        title: entry.title,
        size: usize::try_from(entry.size).unwrap_or(usize::MAX),
    };
    let rules = rules.unwrap_or_else(|| Conclusion::inconclusive("Nothing has been looked at yet."));
    Ok(Case {
        incident: Some(incident.clone()),
        members: store.members(incident.id, MEMBERS).await?,
        findings: store.findings(incident.id).await?,
        evidence: store.evidence_entries(incident.id).await?.into_iter().map(title).collect(),
        cluster_name: Some(cluster_name.to_owned()),
        ..Case::new(Mode::Conclude, rules)
    })
}

fn ending(ending: &marple_agent::Ending) -> &'static str {
    use marple_agent::Ending;
    match ending {
        Ending::Concluded => "concluded",
        Ending::Forced { .. } => "forced",
        Ending::BudgetSpent { .. } => "budget_spent",
        Ending::NoModel => "no_model",
        Ending::ModelUnavailable { .. } => "model_unavailable",
        Ending::Stopped { .. } => "stopped",
        Ending::Unusable { .. } => "unusable",
        Ending::Cancelled => "cancelled",
    }
}

/// Saves each step.
struct Saving {
    store: Arc<dyn Store>,
    id: InvestigationId,
    clock: Clock,
}

#[async_trait]
impl Progress for Saving {
    async fn save(&self, run: &Run) -> Result<(), SaveError> {
        let run = serde_json::to_value(run).map_err(|error| SaveError(error.into()))?;
        self.store.save_run(self.id, &run, self.clock.now()).await.map_err(|error| SaveError(error.into()))
    }

    async fn told(&self, told: Told) {
        if let Told::CallEnded { call, outcome } = told {
            metrics::counter!("marple_tool_calls_total", "tool" => call.name).increment(1);
            tracing::debug!(investigation = %self.id.short(), title = outcome.title, status = ?outcome.status, "looked");
        }
    }
}
