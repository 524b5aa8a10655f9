//! Evidence, findings, investigations and conclusions of incidents.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Conclusion, EvidenceId, EvidenceOrigin, Finding, IncidentId, InvestigationId, ObjectRef};
use marple_tools::EvidenceLog;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StoreError;

/// Who came to a conclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConcludedBy {
    /// The rules alone.
    Rules,
    /// The agent.
    Agent,
}

/// What an investigation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvestigationKind {
    /// The cause of an incident.
    Cause,
    /// A person's question about it.
    Question,
}

/// An investigation that has not finished.
#[derive(Clone, Debug, PartialEq)]
pub struct InvestigationRow {
    /// Its name.
    pub id: InvestigationId,
    /// The incident that it is about.
    pub incident: IncidentId,
    /// What it is for.
    pub kind: InvestigationKind,
    /// The agent's state after its last saved step; absent before the first.
    pub run: Option<Value>,
    /// When it began.
    pub started_at: Timestamp,
    /// When its state was last saved.
    pub saved_at: Option<Timestamp>,
}

/// How many investigations of its cause an incident has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// All, finished or not.
    pub all: u32,
    /// Those that have not finished.
    pub unfinished: u32,
}

/// A conclusion and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concluded {
    /// What it says.
    pub conclusion: Conclusion,
    /// Who came to it.
    pub by: ConcludedBy,
    /// When.
    pub at: Timestamp,
}

/// What a capture came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Captured<'a> {
    /// What the rules found; absent where what they found before says more.
    pub findings: Option<&'a [Finding]>,
    /// What they conclude; absent where a conclusion that is there says more.
    pub conclusion: Option<&'a Conclusion>,
    /// Whether an investigation of the cause begins, unless one is under way.
    pub investigate: bool,
    /// When.
    pub at: Timestamp,
}

/// A piece of evidence without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceEntry {
    /// Its name within the incident.
    pub id: EvidenceId,
    /// Who looked.
    pub origin: EvidenceOrigin,
    /// What was looked at.
    pub title: String,
    /// The object that it shows.
    pub object: Option<ObjectRef>,
    /// When it was read.
    pub taken_at: Timestamp,
    /// How long its content is, in bytes.
    pub size: u64,
    /// Whether there is a drawing of it.
    pub drawn: bool,
}

/// A graph that shows an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// The evidence that it draws.
    pub evidence: EvidenceId,
    /// What that is.
    pub title: String,
    /// The graph as SVG.
    pub svg: String,
}

/// What is known about incidents, and the work on them.
#[async_trait]
pub trait Investigations: Send + Sync {
    /// The evidence of an incident.
    fn evidence(&self, incident: IncidentId) -> Arc<dyn EvidenceLog>;

    /// The evidence of an incident without contents, in the order in which it was kept.
    async fn evidence_entries(&self, incident: IncidentId) -> Result<Vec<EvidenceEntry>, StoreError>;

    /// The drawing that shows an incident best: of evidence that its conclusion cites, else the first.
    async fn drawing(&self, incident: IncidentId) -> Result<Option<Drawing>, StoreError>;

    /// Begins an investigation.
    async fn begin_investigation(
        &self,
        incident: IncidentId,
        kind: InvestigationKind,
        at: Timestamp,
    ) -> Result<InvestigationId, StoreError>;

    /// Saves the agent's state after a step.
    async fn save_run(&self, id: InvestigationId, run: &Value, at: Timestamp) -> Result<(), StoreError>;

    /// Investigations that have begun and not finished, oldest first.
    async fn unfinished(&self) -> Result<Vec<InvestigationRow>, StoreError>;

    /// How many investigations of its cause an incident has had.
    async fn begun(&self, incident: IncidentId) -> Result<Begun, StoreError>;

    /// Ends an investigation; its saved state goes, its outcome stays.
    async fn finish_investigation(&self, id: InvestigationId, outcome: &Value, at: Timestamp)
    -> Result<(), StoreError>;

    /// Keeps what a capture came to and marks the incident as captured, in one transaction: a crash leaves all of it or
    /// nothing.
    async fn keep_capture(&self, incident: IncidentId, captured: Captured<'_>) -> Result<(), StoreError>;

    /// What the rules found.
    async fn findings(&self, incident: IncidentId) -> Result<Vec<Finding>, StoreError>;

    /// Sets the conclusion. People should see it: the incident's revision grows, unless it says the same as before.
    /// Gives the revision.
    async fn set_conclusion(
        &self,
        incident: IncidentId,
        conclusion: &Conclusion,
        by: ConcludedBy,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// The conclusion.
    async fn conclusion(&self, incident: IncidentId) -> Result<Option<Concluded>, StoreError>;
}
