//! What correlation decided, as rows; and what it starts again from.

use jiff::Timestamp;
use marple_core::{Fingerprint, Incident, IncidentId, JoinReason, Member, ObjectRef};
use sqlx::SqliteConnection;

use super::column::{self, Columns, json, json_of};
use super::fault::Fault;
use super::{SqliteStore, incidents};
use crate::correlate::{Batch, Change, Held, HeldMember, Related, Snapshot, group};
use crate::store::{SignalSeq, StoreError};

/// Makes the changes of a batch, unless that was done before. Whether the outbox may have become due.
pub(super) async fn apply(connection: &mut SqliteConnection, batch: &Batch) -> Result<bool, Fault> {
    let moved = sqlx::query("UPDATE correlation SET batch = ?, cursor = max(cursor, ?) WHERE id = 1 AND batch < ?")
        .bind(batch.number.cast_signed())
        .bind(batch.cursor.0)
        .bind(batch.number.cast_signed())
        .execute(&mut *connection)
        .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    let mut outbox = false;
    for change in &batch.changes {
        outbox |= make(connection, change, batch.at).await?;
    }
    Ok(outbox)
}

async fn make(connection: &mut SqliteConnection, change: &Change, at: Timestamp) -> Result<bool, Fault> {
    match change {
        Change::Incident { incident, last_fired_at, visible, added, removed } => {
            put_incident(connection, incident, *last_fired_at, *visible).await?;
            put_objects(connection, incident.id, added, removed).await?;
        }
        Change::Member { incident, member, related, at } => {
            put_member(connection, *incident, member, related, *at).await?;
        }
        Change::Ended { incident, source, fingerprint, ends_at } => {
            sqlx::query(
                "UPDATE members SET status = 'resolved', ends_at = ? \
                 WHERE incident = ? AND fingerprint = ? AND source = ?",
            )
            .bind(ends_at.as_microsecond())
            .bind(incident.to_string())
            .bind(fingerprint.bits().cast_signed())
            .bind(column::source(*source))
            .execute(&mut *connection)
            .await?;
        }
        Change::Related { incident, object, related } => {
            sqlx::query("UPDATE members SET related = ? WHERE incident = ? AND subject = ?")
                .bind(json(related)?)
                .bind(incident.to_string())
                .bind(json(object)?)
                .execute(&mut *connection)
                .await?;
        }
        Change::Merged { from, into, reason } => return merge(connection, *from, *into, reason, at).await,
        Change::Learned { incident, dependencies } => {
            for dependency in dependencies {
                sqlx::query("INSERT INTO dependencies (incident, dependency) VALUES (?, ?) ON CONFLICT DO NOTHING")
                    .bind(incident.to_string())
                    .bind(json(dependency)?)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        Change::Moment { incident, at, moment } => {
            note(connection, *incident, *at, moment).await?;
        }
    }
    Ok(false)
}

/// Adds a line to an incident's story.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    incident: IncidentId,
    at: Timestamp,
    moment: &crate::store::Moment,
) -> Result<(), Fault> {
    sqlx::query("INSERT INTO timeline (incident, at, moment) VALUES (?, ?, ?)")
        .bind(incident.to_string())
        .bind(at.as_microsecond())
        .bind(json(moment)?)
        .execute(connection)
        .await?;
    Ok(())
}

async fn put_incident(
    connection: &mut SqliteConnection,
    incident: &Incident,
    last_fired_at: Timestamp,
    visible: bool,
) -> Result<(), Fault> {
    // An acknowledgement comes from people and not from correlation: it lasts until the incident is resolved.
    sqlx::query(
        "INSERT INTO incidents (id, short, status, title, severity, subject, signals, firing, starts_at, opened_at, \
             updated_at, resolved_at, merged_into, revision, last_fired_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?) \
         ON CONFLICT (id) DO UPDATE SET \
             status = CASE WHEN incidents.status = 'acknowledged' AND excluded.status = 'open' \
                 THEN 'acknowledged' ELSE excluded.status END, \
             title = excluded.title, severity = excluded.severity, subject = excluded.subject, \
             signals = excluded.signals, firing = excluded.firing, starts_at = excluded.starts_at, \
             updated_at = excluded.updated_at, resolved_at = excluded.resolved_at, \
             merged_into = excluded.merged_into, last_fired_at = excluded.last_fired_at, \
             revision = incidents.revision + ?",
    )
    .bind(incident.id.to_string())
    .bind(incident.id.short())
    .bind(column::incident_status(incident.status))
    .bind(incident.title.as_str())
    .bind(incident.severity.as_str())
    .bind(json_of(incident.subject.as_ref())?)
    .bind(i64::from(incident.signals))
    .bind(i64::from(incident.firing))
    .bind(incident.starts_at.as_microsecond())
    .bind(incident.opened_at.as_microsecond())
    .bind(incident.updated_at.as_microsecond())
    .bind(incident.resolved_at.map(Timestamp::as_microsecond))
    .bind(incident.merged_into.map(|id| id.to_string()))
    .bind(last_fired_at.as_microsecond())
    .bind(i64::from(visible))
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_objects(
    connection: &mut SqliteConnection,
    incident: IncidentId,
    added: &[ObjectRef],
    removed: &[ObjectRef],
) -> Result<(), Fault> {
    let id = incident.to_string();
    for object in removed {
        sqlx::query("DELETE FROM incident_objects WHERE incident = ? AND kind = ? AND namespace = ? AND name = ?")
            .bind(id.as_str())
            .bind(object.kind.as_str())
            .bind(object.namespace.as_deref().unwrap_or_default())
            .bind(object.name.as_str())
            .execute(&mut *connection)
            .await?;
    }
    for object in added {
        sqlx::query(
            "INSERT INTO incident_objects (incident, kind, namespace, name) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(id.as_str())
        .bind(object.kind.as_str())
        .bind(object.namespace.as_deref().unwrap_or_default())
        .bind(object.name.as_str())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn put_member(
    connection: &mut SqliteConnection,
    incident: IncidentId,
    member: &Member,
    related: &Related,
    at: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO members (incident, fingerprint, source, name, status, severity, subject, related, reason, \
             headline, labels, generator_url, starts_at, ends_at, joined_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (incident, fingerprint, source) DO UPDATE SET \
             status = excluded.status, severity = excluded.severity, related = excluded.related, \
             headline = excluded.headline, labels = excluded.labels, generator_url = excluded.generator_url, \
             starts_at = excluded.starts_at, ends_at = excluded.ends_at",
    )
    .bind(incident.to_string())
    .bind(member.fingerprint.bits().cast_signed())
    .bind(column::source(member.source))
    .bind(member.name.as_str())
    .bind(column::status(member.status))
    .bind(column::severity_rank(member.severity))
    .bind(json_of(member.subject.as_ref())?)
    .bind(json(related)?)
    .bind(json(&member.reason)?)
    .bind(member.headline.as_str())
    .bind(json(&member.labels)?)
    .bind(member.generator_url.as_deref())
    .bind(member.starts_at.as_microsecond())
    .bind(member.ends_at.map(Timestamp::as_microsecond))
    .bind(at.as_microsecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves members and dependencies, and has those told who were told of the younger incident. What nobody was told of
/// needs no message of its own any more.
async fn merge(
    connection: &mut SqliteConnection,
    from: IncidentId,
    into: IncidentId,
    reason: &JoinReason,
    at: Timestamp,
) -> Result<bool, Fault> {
    let (from, into) = (from.to_string(), into.to_string());
    sqlx::query(
        "DELETE FROM members WHERE incident = ? AND EXISTS ( \
             SELECT 1 FROM members AS kept WHERE kept.incident = ? \
                 AND kept.fingerprint = members.fingerprint AND kept.source = members.source)",
    )
    .bind(from.as_str())
    .bind(into.as_str())
    .execute(&mut *connection)
    .await?;
    // Only what opened the younger incident joins for the reason of the merge; the others have reasons of their own.
    sqlx::query(
        "UPDATE members SET incident = ?, reason = CASE WHEN reason = ? THEN ? ELSE reason END WHERE incident = ?",
    )
    .bind(into.as_str())
    .bind(json(&JoinReason::First)?)
    .bind(json(reason)?)
    .bind(from.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO dependencies (incident, dependency) SELECT ?, dependency FROM dependencies WHERE incident = ? \
         ON CONFLICT DO NOTHING",
    )
    .bind(into.as_str())
    .bind(from.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM dependencies WHERE incident = ?").bind(from.as_str()).execute(&mut *connection).await?;
    sqlx::query(
        "DELETE FROM outbox WHERE incident = ? AND first_started_at IS NULL AND delivered = 0 AND receipt IS NULL",
    )
    .bind(from.as_str())
    .execute(&mut *connection)
    .await?;
    let told = sqlx::query(
        "UPDATE outbox SET wanted = (SELECT revision FROM incidents WHERE id = ?), \
             next_at = CASE WHEN wanted > delivered THEN next_at ELSE ? END \
         WHERE incident = ?",
    )
    .bind(from.as_str())
    .bind(at.as_microsecond())
    .bind(from.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE incidents SET told_revision = revision WHERE id = ?")
        .bind(from.as_str())
        .execute(connection)
        .await?;
    Ok(told.rows_affected() > 0)
}

impl SqliteStore {
    /// See [`crate::store::Incidents::snapshot`].
    pub(super) async fn read_snapshot(&self, resolved_since: Timestamp) -> Result<Snapshot, StoreError> {
        let doing = "reading the open incidents";
        // One transaction: cursor, incidents and members are of the same moment.
        let mut reading = self.readers().begin().await.map_err(|error| Fault::from(error).during(doing))?;
        read_snapshot(&mut reading, resolved_since).await.map_err(|fault| fault.during(doing))
    }
}

const HELD: &str = "(incidents.status IN ('open', 'acknowledged') \
                     OR (incidents.status = 'resolved' AND incidents.resolved_at >= ?))";

async fn read_snapshot(connection: &mut SqliteConnection, resolved_since: Timestamp) -> Result<Snapshot, Fault> {
    use sqlx::AssertSqlSafe;
    let since = resolved_since.as_microsecond();
    let state = sqlx::query("SELECT batch, cursor FROM correlation").fetch_one(&mut *connection).await?;
    let state = Columns(&state);
    let sql = format!("SELECT * FROM incidents WHERE {HELD} ORDER BY id");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(since).fetch_all(&mut *connection).await?;
    let mut held = Vec::with_capacity(rows.len());
    for row in &rows {
        held.push(Held {
            incident: incidents::of_row(&Columns(row))?,
            last_fired_at: Columns(row).time("last_fired_at")?,
            members: vec![],
            dependencies: vec![],
        });
    }
    let place = |held: &mut Vec<Held>, columns: &Columns<'_>| -> Result<Option<usize>, Fault> {
        let id: IncidentId = columns.parsed("incident")?;
        Ok(held.binary_search_by_key(&id, |one| one.incident.id).ok())
    };
    let of_held = |table: &str| {
        AssertSqlSafe(format!(
            "SELECT {table}.* FROM {table} JOIN incidents ON incidents.id = {table}.incident WHERE {HELD}"
        ))
    };
    for row in &sqlx::query(of_held("incident_objects")).bind(since).fetch_all(&mut *connection).await? {
        let columns = Columns(row);
        if let Some(one) = place(&mut held, &columns)?.and_then(|index| held.get_mut(index)) {
            one.incident.objects.insert(incidents::object_of(&columns)?);
        }
    }
    for row in &sqlx::query(of_held("members")).bind(since).fetch_all(&mut *connection).await? {
        let columns = Columns(row);
        if let Some(one) = place(&mut held, &columns)?.and_then(|index| held.get_mut(index)) {
            one.members.push(held_member(&columns)?);
        }
    }
    for row in &sqlx::query(of_held("dependencies")).bind(since).fetch_all(&mut *connection).await? {
        let columns = Columns(row);
        if let Some(one) = place(&mut held, &columns)?.and_then(|index| held.get_mut(index)) {
            one.dependencies.push(columns.json("dependency")?);
        }
    }
    Ok(Snapshot { batch: state.count("batch")?, cursor: SignalSeq(state.number("cursor")?), incidents: held })
}

fn held_member(columns: &Columns<'_>) -> Result<HeldMember, Fault> {
    let name = columns.text("name")?;
    let subject = columns.json_of("subject")?;
    let labels = columns.json("labels")?;
    Ok(HeldMember {
        source: columns.word("source")?,
        fingerprint: Fingerprint::from_bits(columns.number("fingerprint")?.cast_unsigned()),
        status: columns.word("status")?,
        severity: columns.severity("severity")?,
        related: columns.json("related")?,
        group: group(&name, subject.as_ref(), &labels),
        starts_at: columns.time("starts_at")?,
        ends_at: columns.time_of("ends_at")?,
        name,
        subject,
    })
}
