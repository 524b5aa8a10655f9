//! Earlier incidents, and what people said of them, in SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use marple_core::{IncidentId, ObjectRef};
use sqlx::QueryBuilder;

use super::SqliteStore;
use super::column::{self, Columns};
use super::fault::Fault;
use crate::store::{Alike, Concluded, Feedback, Judgement, Memory, StoreError};

/// An object as conclusions' causes are kept.
pub(super) fn cause_key(object: &ObjectRef) -> String {
    format!("{}/{}/{}", object.kind, object.namespace.as_deref().unwrap_or_default(), object.name)
}

const fn word(verdict: Judgement) -> &'static str {
    match verdict {
        Judgement::Right => "right",
        Judgement::Partly => "partly",
        Judgement::Wrong => "wrong",
    }
}

fn feedback(columns: &Columns<'_>) -> Result<Feedback, Fault> {
    Ok(Feedback {
        verdict: columns.word("verdict")?,
        was: columns.text_of("was")?,
        by: columns.text("by")?,
        at: columns.time("at")?,
    })
}

#[async_trait]
impl Memory for SqliteStore {
    async fn feedback_keep(&self, incident: IncidentId, feedback: &Feedback) -> Result<(), StoreError> {
        let Feedback { verdict, was, by, at } = feedback.clone();
        self.writer()
            .write("keeping what a person said of a conclusion", move |connection| {
                Box::pin(async move {
                    sqlx::query("INSERT INTO feedback (incident, at, by, verdict, was) VALUES (?, ?, ?, ?, ?)")
                        .bind(incident.to_string())
                        .bind(at.as_microsecond())
                        .bind(by)
                        .bind(word(verdict))
                        .bind(was)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn feedback(&self, incident: IncidentId) -> Result<Vec<Feedback>, StoreError> {
        let doing = "reading what people said of a conclusion";
        let rows = sqlx::query("SELECT * FROM feedback WHERE incident = ? ORDER BY id")
            .bind(incident.to_string())
            .fetch_all(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        rows.iter().map(|row| feedback(&Columns(row)).map_err(|fault| fault.during(doing))).collect()
    }

    async fn alike(
        &self,
        incident: IncidentId,
        cause: Option<&ObjectRef>,
        limit: u32,
    ) -> Result<Vec<Alike>, StoreError> {
        let doing = "looking for earlier incidents";
        let mut query = QueryBuilder::new(
            "SELECT * FROM incidents WHERE status <> 'merged' AND id < (SELECT max(id) FROM incidents WHERE id = ",
        );
        query.push_bind(incident.to_string());
        query.push(
            ") AND id IN (SELECT theirs.incident FROM incident_objects AS ours JOIN incident_objects AS theirs \
             USING (kind, namespace, name) WHERE ours.incident = ",
        );
        query.push_bind(incident.to_string());
        query.push(" UNION SELECT incident FROM explanations WHERE cause = ");
        query.push_bind(cause.map(cause_key));
        query.push(") ORDER BY id DESC LIMIT ");
        query.push_bind(limit);
        let incidents = self.read_incidents(doing, query).await?;
        let ids: Vec<IncidentId> = incidents.iter().map(|incident| incident.id).collect();
        let mut known = self.known_of(&ids).await.map_err(|fault| fault.during(doing))?;
        Ok(incidents
            .into_iter()
            .map(|incident| {
                let Known { alerts, concluded, feedback } = known.remove(&incident.id).unwrap_or_default();
                Alike { incident, alerts, concluded, feedback }
            })
            .collect())
    }
}

/// What is known of an incident beside itself.
#[derive(Default)]
struct Known {
    alerts: Vec<String>,
    concluded: Option<Concluded>,
    feedback: Option<Feedback>,
}

impl SqliteStore {
    async fn known_of(&self, ids: &[IncidentId]) -> Result<HashMap<IncidentId, Known>, Fault> {
        let list = column::json(&ids)?;
        let mut known: HashMap<IncidentId, Known> = HashMap::new();
        let mut reading = self.readers().begin().await?;
        let among = "WHERE incident IN (SELECT value FROM json_each(?))";
        let names = format!("SELECT DISTINCT incident, name FROM members {among} ORDER BY name");
        for row in &sqlx::query(sqlx::AssertSqlSafe(names)).bind(list.as_str()).fetch_all(&mut *reading).await? {
            let columns = Columns(row);
            known.entry(columns.parsed("incident")?).or_default().alerts.push(columns.text("name")?);
        }
        let explained = format!("SELECT * FROM explanations {among} AND conclusion IS NOT NULL");
        for row in &sqlx::query(sqlx::AssertSqlSafe(explained)).bind(list.as_str()).fetch_all(&mut *reading).await? {
            let columns = Columns(row);
            known.entry(columns.parsed("incident")?).or_default().concluded = Some(Concluded {
                conclusion: columns.json("conclusion")?,
                by: columns.word("concluded_by")?,
                at: columns.time("concluded_at")?,
            });
        }
        let said = format!("SELECT * FROM feedback {among} ORDER BY id");
        for row in &sqlx::query(sqlx::AssertSqlSafe(said)).bind(list.as_str()).fetch_all(&mut *reading).await? {
            let columns = Columns(row);
            known.entry(columns.parsed("incident")?).or_default().feedback = Some(feedback(&columns)?);
        }
        Ok(known)
    }
}
