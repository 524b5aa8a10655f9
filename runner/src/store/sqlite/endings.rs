//! Ends that come from elsewhere than alerts, in SQLite.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use marple_core::{IncidentId, IncidentStatus, Labels, Member, Resolution, Signal, SignalStatus};
use serde_json::json;
use sqlx::SqliteConnection;

use super::arrivals::Arrivals;
use super::column::{self, Columns};
use super::fault::Fault;
use super::members::note;
use super::signals::{Row, insert};
use super::{SqliteStore, incidents};
use crate::store::{Endings, Moment, Said, StoreError};

/// Alerts that one transaction ends.
const EXPIRED: u32 = 500;

/// How exactly it is known when a signal was last heard: each note is a write.
const HEARD: SignedDuration = SignedDuration::from_secs(60);

#[async_trait]
impl Endings for SqliteStore {
    async fn acknowledge(&self, id: IncidentId, by: &str, at: Timestamp) -> Result<Said, StoreError> {
        let by = by.to_owned();
        self.writer()
            .write("acknowledging an incident", move |connection| {
                Box::pin(async move {
                    let status = status(connection, id).await?;
                    if status != IncidentStatus::Open {
                        return Ok(Said::Already(status));
                    }
                    sqlx::query(
                        "UPDATE incidents SET status = 'acknowledged', revision = revision + 1, updated_at = ? \
                         WHERE id = ?",
                    )
                    .bind(at.as_microsecond())
                    .bind(id.to_string())
                    .execute(&mut *connection)
                    .await?;
                    record(connection, id, &by, "incident acknowledge", at).await?;
                    note(connection, id, at, &Moment::Acknowledged { by }).await?;
                    Ok(Said::Done)
                })
            })
            .await
    }

    async fn resolve(&self, id: IncidentId, by: &str, at: Timestamp) -> Result<Said, StoreError> {
        let by = by.to_owned();
        let arrivals = Arc::clone(&self.0.arrivals);
        let said = self
            .writer()
            .write("resolving an incident", move |connection| {
                Box::pin(async move {
                    let status = status(connection, id).await?;
                    if matches!(status, IncidentStatus::Resolved | IncidentStatus::Merged) {
                        return Ok(Said::Already(status));
                    }
                    let rows = sqlx::query("SELECT * FROM members WHERE incident = ? AND status = 'firing'")
                        .bind(id.to_string())
                        .fetch_all(&mut *connection)
                        .await?;
                    let members =
                        rows.iter().map(|row| incidents::member(&Columns(row))).collect::<Result<Vec<_>, _>>()?;
                    end(connection, members, &arrivals, at).await?;
                    let why = Resolution::Person { name: by.clone() };
                    set_resolution(connection, id, &why).await?;
                    record(connection, id, &by, "incident resolve", at).await?;
                    note(connection, id, at, &Moment::EndedBy { by }).await?;
                    Ok(Said::Done)
                })
            })
            .await?;
        self.0.arrived.notify_one();
        Ok(said)
    }

    async fn expire(&self, unheard_since: Timestamp, at: Timestamp) -> Result<usize, StoreError> {
        let arrivals = Arc::clone(&self.0.arrivals);
        let ended = self
            .writer()
            .write("ending what is not heard of any more", move |connection| {
                Box::pin(async move { expire(connection, unheard_since, &arrivals, at).await })
            })
            .await?;
        if ended > 0 {
            self.0.arrived.notify_one();
        }
        Ok(ended)
    }
}

/// Notes that signals which were known came again, told by their identities.
pub(super) async fn heard(connection: &mut SqliteConnection, told: &str, at: Timestamp) -> Result<(), Fault> {
    let before = at.checked_sub(HEARD).unwrap_or(at).as_microsecond();
    sqlx::query(
        "UPDATE signals SET heard_at = ? WHERE (fingerprint, source, starts_at, status, ends_at) IN ( \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)) \
         AND max(received_at, heard_at) < ?",
    )
    .bind(at.as_microsecond())
    .bind(told)
    .bind(before)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn expire(
    connection: &mut SqliteConnection,
    unheard_since: Timestamp,
    arrivals: &Arrivals,
    at: Timestamp,
) -> Result<usize, Fault> {
    let since = unheard_since.as_microsecond();
    let rows = sqlx::query(
        "SELECT members.* FROM members JOIN incidents ON incidents.id = members.incident \
         WHERE incidents.status IN ('open', 'acknowledged') AND members.status = 'firing' AND members.joined_at < ? \
             AND NOT EXISTS ( \
                 SELECT 1 FROM signals WHERE signals.fingerprint = members.fingerprint \
                     AND signals.source = members.source AND max(signals.received_at, signals.heard_at) >= ?) \
         ORDER BY members.incident LIMIT ?",
    )
    .bind(since)
    .bind(since)
    .bind(EXPIRED)
    .fetch_all(&mut *connection)
    .await?;
    let mut members = Vec::with_capacity(rows.len());
    let mut touched = BTreeSet::new();
    for row in &rows {
        let columns = Columns(row);
        let incident: IncidentId = columns.parsed("incident")?;
        let member = incidents::member(&columns)?;
        let moment = Moment::Unheard { name: member.name.clone(), object: member.subject.clone() };
        note(connection, incident, at, &moment).await?;
        touched.insert(incident);
        members.push(member);
    }
    for incident in touched {
        set_resolution(connection, incident, &Resolution::Silence).await?;
    }
    end(connection, members, arrivals, at).await
}

/// Takes in that alerts have ended, as if their source had said so. Gives how many.
async fn end(
    connection: &mut SqliteConnection,
    members: Vec<Member>,
    arrivals: &Arrivals,
    at: Timestamp,
) -> Result<usize, Fault> {
    let rows = members.into_iter().map(|member| Row::of(&ended(member, at), at)).collect::<Result<Vec<_>, _>>()?;
    insert(connection, &rows.iter().collect::<Vec<_>>(), arrivals, at).await?;
    arrivals.skip();
    Ok(rows.len())
}

fn ended(member: Member, at: Timestamp) -> Signal {
    Signal {
        source: member.source,
        fingerprint: member.fingerprint,
        status: SignalStatus::Resolved,
        name: member.name,
        severity: member.severity,
        subject: member.subject,
        labels: member.labels,
        annotations: [("summary", member.headline)].into_iter().collect::<Labels>(),
        starts_at: member.starts_at,
        ends_at: Some(at.max(member.starts_at)),
        generator_url: member.generator_url,
    }
}

async fn status(connection: &mut SqliteConnection, id: IncidentId) -> Result<IncidentStatus, Fault> {
    let row = sqlx::query("SELECT status FROM incidents WHERE id = ?").bind(id.to_string());
    let row = row.fetch_optional(connection).await?.ok_or_else(|| Fault::Missing(format!("incident {id}")))?;
    Columns(&row).word("status")
}

async fn set_resolution(connection: &mut SqliteConnection, id: IncidentId, why: &Resolution) -> Result<(), Fault> {
    sqlx::query("UPDATE incidents SET resolution = ? WHERE id = ?")
        .bind(column::json(why)?)
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Records who did what, in the same transaction as what was done.
async fn record(
    connection: &mut SqliteConnection,
    id: IncidentId,
    by: &str,
    action: &str,
    at: Timestamp,
) -> Result<(), Fault> {
    sqlx::query("INSERT INTO audit (at, actor, action, detail) VALUES (?, ?, ?, ?)")
        .bind(at.as_microsecond())
        .bind(by)
        .bind(action)
        .bind(column::json(&json!({ "incident": id }))?)
        .execute(connection)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
