//! What correlation decided, as rows; and what it starts again from.

use std::sync::Arc;

use jiff::Timestamp;
use marple_core::{Fingerprint, Incident, IncidentId, JoinReason, ObjectRef};
use sqlx::SqliteConnection;

use super::column::{self, Columns, json, json_of};
use super::fault::Fault;
use super::members::{MemberRow, MomentRow, Writing, put_members, put_moments};
use super::{SqliteStore, incidents};
use crate::correlate::{Batch, Change, Held, HeldMember, Snapshot, group};
use crate::store::{SignalSeq, StoreError};

/// What is written at a time.
enum Step {
    /// Rows that are written together: no other change stands between them.
    Rows { members: Vec<MemberRow>, moments: Vec<MomentRow> },
    /// The change at this place of the batch.
    One(usize),
}

/// A batch, put into words before the writer's turn: all that wait for a commit would wait for it.
pub(super) struct Prepared {
    batch: Arc<Batch>,
    steps: Vec<Step>,
}

impl Prepared {
    pub(super) fn of(batch: Arc<Batch>) -> Result<Self, Fault> {
        let mut steps: Vec<Step> = Vec::new();
        let mut writing = Writing::default();
        for (place, change) in batch.changes.iter().enumerate() {
            let (member, moment) = match change {
                Change::Member { incident, member, related, at } => {
                    (Some(writing.member(*incident, member, related, *at)?), None)
                }
                Change::Moment { incident, at, moment } => (None, Some(writing.moment(*incident, *at, moment)?)),
                _ => {
                    steps.push(Step::One(place));
                    continue;
                }
            };
            if !matches!(steps.last(), Some(Step::Rows { .. })) {
                steps.push(Step::Rows { members: vec![], moments: vec![] });
            }
            if let Some(Step::Rows { members, moments }) = steps.last_mut() {
                members.extend(member);
                moments.extend(moment);
            }
        }
        Ok(Self { batch, steps })
    }
}

/// Makes the changes of a batch, unless that was done before. Whether the outbox may have become due.
pub(super) async fn apply(connection: &mut SqliteConnection, prepared: Prepared) -> Result<bool, Fault> {
    let Prepared { batch, steps } = prepared;
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
    for step in steps {
        match step {
            Step::Rows { members, moments } => {
                put_members(connection, members).await?;
                put_moments(connection, moments).await?;
            }
            Step::One(place) => {
                if let Some(change) = batch.changes.get(place) {
                    outbox |= make(connection, change, batch.at).await?;
                }
            }
        }
    }
    Ok(outbox)
}

async fn make(connection: &mut SqliteConnection, change: &Change, at: Timestamp) -> Result<bool, Fault> {
    match change {
        Change::Incident { incident, last_fired_at, visible, added, removed } => {
            put_incident(connection, incident, *last_fired_at, *visible).await?;
            put_objects(connection, incident.id, added, removed).await?;
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
        // Written as rows.
        Change::Member { .. } | Change::Moment { .. } => {}
    }
    Ok(false)
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
             resolution = CASE WHEN incidents.status = 'resolved' AND excluded.status = 'open' \
                 THEN NULL ELSE incidents.resolution END, \
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
    let name: Arc<str> = columns.text("name")?.into();
    let subject: Option<ObjectRef> = columns.json_of("subject")?;
    let labels = columns.json("labels")?;
    Ok(HeldMember {
        source: columns.word("source")?,
        fingerprint: Fingerprint::from_bits(columns.number("fingerprint")?.cast_unsigned()),
        status: columns.word("status")?,
        severity: columns.severity("severity")?,
        related: Arc::new(columns.json("related")?),
        group: group(&name, subject.as_ref(), &labels),
        starts_at: columns.time("starts_at")?,
        ends_at: columns.time_of("ends_at")?,
        name,
        subject: subject.map(Arc::new),
    })
}
