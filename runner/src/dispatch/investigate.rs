//! Has the agent investigate an incident, step by saved step.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use marple_agent::{Case, EvidenceTitle, Investigator, Mode, Progress, Run, SaveError, Told};
use marple_core::{Conclusion, Confidence, Incident, IncidentStatus, InvestigationId, Verdict};
use marple_tools::gate::{Approve, Audit, Caller, Gate};
use marple_tools::{Look, Redact, Toolbox, Toolsets, evidence};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::WorkError;
use super::settle::settled;
use crate::clock::Clock;
use crate::store::{EvidenceEntry, InvestigationRow, Store};

/// How many members the model is told of; the rest are a number.
const MEMBERS: u32 = 30;

/// Investigates incidents with a model.
pub struct Detective {
    /// Where incidents and steps are kept.
    pub store: Arc<dyn Store>,
    /// Asks the model.
    pub investigator: Investigator,
    /// Ways to look, without those that search the incident's own evidence.
    pub toolsets: Toolsets,
    /// Takes secrets out of what tools give.
    pub redact: Arc<dyn Redact>,
    /// What may be called.
    pub gate: Gate,
    /// Where each call is recorded.
    pub audit: Arc<dyn Audit>,
    /// Who is asked where the gate wants a person's word.
    pub approve: Option<Arc<dyn Approve>>,
    /// How long that person is waited for.
    pub patience: Duration,
    /// The longest that one call may take.
    pub tool_timeout: Duration,
    /// The cluster's name.
    pub cluster_name: String,
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
        let mut case = self.case(&incident).await?;
        let offered = self.toolsets.offered().await;
        case.rules.unseen.extend(offered.unseen);
        let rules = case.rules.clone();
        let log = self.store.evidence(incident.id);
        let tools = offered.tools.into_iter().chain(evidence::tools(Arc::clone(&log)));
        let mut toolbox = Toolbox::new(tools, log, Arc::clone(&self.redact), self.tool_timeout)
            .with_actor(format!("investigation of incident {}", incident.id))
            .with_instructions(offered.instructions)
            .with_gate(self.gate.clone())
            .with_audit(Arc::clone(&self.audit))
            .with_caller(Caller::Investigation)
            .with_patience(self.patience);
        if let Some(approve) = &self.approve {
            toolbox = toolbox.with_approval(Arc::clone(approve));
        }
        let look =
            Look { incident_start: Some(incident.starts_at), now: self.clock.now(), cancel: cancel.child_token() };
        let progress = Saving { store: Arc::clone(&self.store), id: row.id, clock: self.clock };
        let started = std::time::Instant::now();
        let outcome = self.investigator.investigate(case, saved, &toolbox, &look, &progress).await;
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

    async fn case(&self, incident: &Incident) -> Result<Case, WorkError> {
        let rules = self.store.conclusion(incident.id).await?.map(|concluded| concluded.conclusion);
        let evidence = self.store.evidence_entries(incident.id).await?;
        Ok(Case {
            question: None,
            earlier: Vec::new(),
            incident: Some(incident.clone()),
            members: self.store.members(incident.id, MEMBERS).await?,
            findings: self.store.findings(incident.id).await?,
            rules: rules.unwrap_or_else(nothing_concluded),
            evidence: of_evidence(evidence),
            cluster_name: Some(self.cluster_name.clone()),
            mode: Mode::Conclude,
        })
    }

    async fn close(&self, id: InvestigationId, why: &str) -> Result<(), WorkError> {
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

/// Evidence that is kept, as the model is told of it.
pub(crate) fn of_evidence(entries: Vec<EvidenceEntry>) -> Vec<EvidenceTitle> {
    let title = |entry: EvidenceEntry| EvidenceTitle {
        id: entry.id,
        title: entry.title,
        size: usize::try_from(entry.size).unwrap_or(usize::MAX),
    };
    entries.into_iter().map(title).collect()
}

/// What stands where an incident was investigated before it was captured.
pub(crate) fn nothing_concluded() -> Conclusion {
    Conclusion {
        verdict: Verdict::Inconclusive,
        summary: "Nothing has been looked at yet.".to_owned(),
        cause: None,
        chain: Vec::new(),
        impact: String::new(),
        confidence: Confidence::Low,
        remedies: Vec::new(),
        ruled_out: Vec::new(),
        unseen: Vec::new(),
    }
}

fn ending(ending: &marple_agent::Ending) -> &'static str {
    use marple_agent::Ending;
    match ending {
        Ending::Concluded => "concluded",
        Ending::Forced { .. } => "forced",
        Ending::BudgetSpent { .. } => "budget_spent",
        Ending::NoModel => "no_model",
        Ending::ModelUnavailable { .. } => "model_unavailable",
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
