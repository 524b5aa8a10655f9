//! Investigations, findings and conclusions in SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Conclusion, EvidenceId, Finding, IncidentId, InvestigationId};
use marple_tools::EvidenceLog;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::column::{Columns, json, json_of};
use super::evidence::{self, SqliteEvidence, packed, unpacked};
use super::fault::Fault;
use super::members::note;
use super::memory::cause_key;
use super::{SqliteStore, drawings, room};
use crate::store::{
    Begun, Captured, Concluded, ConcludedBy, Drawing, EvidenceEntry, InvestigationKind, InvestigationRow,
    Investigations, Moment, StoreError,
};

const fn kind_word(kind: InvestigationKind) -> &'static str {
    match kind {
        InvestigationKind::Cause => "cause",
        InvestigationKind::Question => "question",
    }
}

const fn by_word(by: ConcludedBy) -> &'static str {
    match by {
        ConcludedBy::Rules => "rules",
        ConcludedBy::Agent => "agent",
    }
}

fn unfinished(columns: &Columns<'_>) -> Result<InvestigationRow, Fault> {
    let run = columns.bytes_of("run")?.map(|run| unpacked(&run)).transpose()?;
    Ok(InvestigationRow {
        id: columns.parsed("id")?,
        incident: columns.parsed("incident")?,
        kind: columns.word("kind")?,
        run: run.map(|run| serde_json::from_str(&run)).transpose()?,
        started_at: columns.time("started_at")?,
        saved_at: columns.time_of("saved_at")?,
    })
}

#[async_trait]
impl Investigations for SqliteStore {
    fn evidence(&self, incident: IncidentId) -> Arc<dyn EvidenceLog> {
        Arc::new(SqliteEvidence { store: self.clone(), incident })
    }

    async fn evidence_entries(&self, incident: IncidentId) -> Result<Vec<EvidenceEntry>, StoreError> {
        let doing = "reading the titles of evidence";
        let rows = sqlx::query(
            "SELECT number, origin, title, object, taken_at, size, drawing IS NOT NULL AS drawn FROM evidence \
             WHERE incident = ? ORDER BY number",
        )
        .bind(incident.to_string())
        .fetch_all(self.readers())
        .await
        .map_err(|error| Fault::from(error).during(doing))?;
        rows.iter().map(|row| evidence::entry(&Columns(row)).map_err(|fault| fault.during(doing))).collect()
    }

    async fn drawing(&self, incident: IncidentId) -> Result<Option<Drawing>, StoreError> {
        drawings::best(self, incident).await.map_err(|fault| fault.during("reading a drawing"))
    }

    async fn begin_investigation(
        &self,
        incident: IncidentId,
        kind: InvestigationKind,
        at: Timestamp,
    ) -> Result<InvestigationId, StoreError> {
        let id = InvestigationId::new();
        self.writer()
            .write("beginning an investigation", move |connection| {
                Box::pin(async move {
                    sqlx::query("INSERT INTO investigations (id, incident, kind, started_at) VALUES (?, ?, ?, ?)")
                        .bind(id.to_string())
                        .bind(incident.to_string())
                        .bind(kind_word(kind))
                        .bind(at.as_microsecond())
                        .execute(connection)
                        .await?;
                    Ok(id)
                })
            })
            .await
    }

    async fn save_run(&self, id: InvestigationId, run: &Value, at: Timestamp) -> Result<(), StoreError> {
        let doing = "saving an investigation";
        let run = json(run).and_then(|run| packed(&run)).map_err(|fault| fault.during(doing))?;
        self.writer()
            .write(doing, move |connection| {
                Box::pin(async move {
                    let saved = sqlx::query(
                        "UPDATE investigations SET run = ?, saved_at = ? WHERE id = ? AND finished_at IS NULL",
                    )
                    .bind(run)
                    .bind(at.as_microsecond())
                    .bind(id.to_string())
                    .execute(connection)
                    .await?;
                    if saved.rows_affected() == 0 {
                        return Err(Fault::Missing(format!("unfinished investigation {id}")));
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn unfinished(&self) -> Result<Vec<InvestigationRow>, StoreError> {
        let doing = "reading unfinished investigations";
        let rows = sqlx::query("SELECT * FROM investigations WHERE finished_at IS NULL ORDER BY id")
            .fetch_all(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        rows.iter().map(|row| unfinished(&Columns(row)).map_err(|fault| fault.during(doing))).collect()
    }

    async fn begun(&self, incident: IncidentId) -> Result<Begun, StoreError> {
        let read = async {
            let row = sqlx::query(
                "SELECT count(*) AS begun, count(*) - count(finished_at) AS unfinished FROM investigations \
                 WHERE incident = ? AND kind = 'cause'",
            )
            .bind(incident.to_string())
            .fetch_one(self.readers())
            .await?;
            let columns = Columns(&row);
            Ok(Begun { all: columns.count("begun")?, unfinished: columns.count("unfinished")? })
        };
        read.await.map_err(|fault: Fault| fault.during("counting investigations"))
    }

    async fn finish_investigation(
        &self,
        id: InvestigationId,
        outcome: &Value,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let doing = "finishing an investigation";
        let outcome = json(outcome).map_err(|fault| fault.during(doing))?;
        self.writer()
            .write(doing, move |connection| {
                Box::pin(async move {
                    let finished = sqlx::query(
                        "UPDATE investigations SET run = NULL, outcome = ?, finished_at = coalesce(finished_at, ?) \
                         WHERE id = ?",
                    )
                    .bind(outcome)
                    .bind(at.as_microsecond())
                    .bind(id.to_string())
                    .execute(connection)
                    .await?;
                    if finished.rows_affected() == 0 {
                        return Err(Fault::Missing(format!("investigation {id}")));
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn keep_capture(&self, incident: IncidentId, captured: Captured<'_>) -> Result<(), StoreError> {
        let doing = "keeping what was captured";
        let findings = json_of(captured.findings.as_ref()).map_err(|fault| fault.during(doing))?;
        let conclusion =
            captured.conclusion.map(Stated::by_the_rules).transpose().map_err(|fault| fault.during(doing))?;
        let (investigate, at) = (captured.investigate, captured.at);
        self.writer()
            .write(doing, move |connection| {
                Box::pin(async move {
                    if let Some(findings) = findings {
                        put_findings(connection, incident, findings).await?;
                    }
                    if let Some(stated) = conclusion {
                        conclude(connection, incident, &stated, at).await?;
                    }
                    if investigate {
                        begin_unless_begun(connection, incident, at).await?;
                    }
                    mark_captured(connection, incident, at).await
                })
            })
            .await
    }

    async fn findings(&self, incident: IncidentId) -> Result<Vec<Finding>, StoreError> {
        let read = async {
            let row = sqlx::query("SELECT findings FROM explanations WHERE incident = ?")
                .bind(incident.to_string())
                .fetch_optional(self.readers())
                .await?;
            Ok(row.map(|row| Columns(&row).json_of("findings")).transpose()?.flatten().unwrap_or_default())
        };
        read.await.map_err(|fault: Fault| fault.during("reading findings"))
    }

    async fn set_conclusion(
        &self,
        incident: IncidentId,
        conclusion: &Conclusion,
        by: ConcludedBy,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let doing = "keeping a conclusion";
        let stated = Stated::of(conclusion, by).map_err(|fault| fault.during(doing))?;
        self.writer()
            .write(doing, move |connection| Box::pin(async move { conclude(connection, incident, &stated, at).await }))
            .await
    }

    async fn conclusion(&self, incident: IncidentId) -> Result<Option<Concluded>, StoreError> {
        let read = async {
            let row = sqlx::query("SELECT * FROM explanations WHERE incident = ? AND conclusion IS NOT NULL")
                .bind(incident.to_string())
                .fetch_optional(self.readers())
                .await?;
            let Some(row) = row else { return Ok(None) };
            let columns = Columns(&row);
            Ok(Some(Concluded {
                conclusion: columns.json("conclusion")?,
                by: columns.word("concluded_by")?,
                at: columns.time("concluded_at")?,
            }))
        };
        read.await.map_err(|fault: Fault| fault.during("reading a conclusion"))
    }
}

/// A conclusion, ready to be written.
struct Stated {
    text: String,
    /// The object that is the cause.
    cause: Option<String>,
    by: ConcludedBy,
    moment: Moment,
    /// Each citation's piece of evidence.
    cited: Vec<EvidenceId>,
}

impl Stated {
    fn of(conclusion: &Conclusion, by: ConcludedBy) -> Result<Self, Fault> {
        let moment = Moment::Concluded { by, summary: conclusion.summary.clone() };
        let cited = conclusion.citations().map(|citation| citation.evidence).collect();
        let cause = conclusion.cause.as_ref().map(|cause| cause_key(&cause.object));
        Ok(Self { text: json(conclusion)?, cause, by, moment, cited })
    }

    fn by_the_rules(conclusion: &Conclusion) -> Result<Self, Fault> {
        Self::of(conclusion, ConcludedBy::Rules)
    }
}

async fn put_findings(connection: &mut SqliteConnection, incident: IncidentId, findings: String) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO explanations (incident, findings) VALUES (?, ?) \
         ON CONFLICT (incident) DO UPDATE SET findings = excluded.findings",
    )
    .bind(incident.to_string())
    .bind(findings)
    .execute(connection)
    .await?;
    Ok(())
}

async fn begin_unless_begun(
    connection: &mut SqliteConnection,
    incident: IncidentId,
    at: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO investigations (id, incident, kind, started_at) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS ( \
             SELECT 1 FROM investigations WHERE incident = ?2 AND kind = ?3 AND finished_at IS NULL)",
    )
    .bind(InvestigationId::new().to_string())
    .bind(incident.to_string())
    .bind(kind_word(InvestigationKind::Cause))
    .bind(at.as_microsecond())
    .execute(connection)
    .await?;
    Ok(())
}

async fn mark_captured(connection: &mut SqliteConnection, incident: IncidentId, at: Timestamp) -> Result<(), Fault> {
    let marked = sqlx::query("UPDATE incidents SET captured_at = ? WHERE id = ?")
        .bind(at.as_microsecond())
        .bind(incident.to_string())
        .execute(connection)
        .await?;
    match marked.rows_affected() {
        0 => Err(Fault::Missing(format!("incident {incident}"))),
        _ => Ok(()),
    }
}

/// Sets a conclusion and lets the revision grow, unless it is the one that is there; gives the revision.
async fn conclude(
    connection: &mut SqliteConnection,
    incident: IncidentId,
    stated: &Stated,
    at: Timestamp,
) -> Result<u64, Fault> {
    let id = incident.to_string();
    let changed = sqlx::query(
        "INSERT INTO explanations (incident, conclusion, cause, concluded_by, concluded_at) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (incident) DO UPDATE SET conclusion = excluded.conclusion, cause = excluded.cause, \
             concluded_by = excluded.concluded_by, concluded_at = excluded.concluded_at \
         WHERE explanations.conclusion IS NULL OR explanations.conclusion <> excluded.conclusion \
             OR explanations.concluded_by <> excluded.concluded_by",
    )
    .bind(id.as_str())
    .bind(stated.text.as_str())
    .bind(stated.cause.as_deref())
    .bind(by_word(stated.by))
    .bind(at.as_microsecond())
    .execute(&mut *connection)
    .await?
    .rows_affected()
        > 0;
    if changed {
        sqlx::query("UPDATE incidents SET revision = revision + 1, updated_at = max(updated_at, ?) WHERE id = ?")
            .bind(at.as_microsecond())
            .bind(id.as_str())
            .execute(&mut *connection)
            .await?;
        room::cite(connection, incident, &stated.cited).await?;
        note(connection, incident, at, &stated.moment).await?;
    }
    let row = sqlx::query("SELECT revision FROM incidents WHERE id = ?").bind(id).fetch_optional(connection).await?;
    row.map_or_else(|| Err(Fault::Missing(format!("incident {incident}"))), |row| Columns(&row).count("revision"))
}
