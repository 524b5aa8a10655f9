//! Incidents in SQLite.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Fingerprint, Incident, IncidentId, IncidentStatus, Member, ObjectRef};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, SqliteConnection};

use super::column::{self, Columns};
use super::correlation::Prepared;
use super::fault::Fault;
use super::{SqliteStore, correlation};
use crate::correlate::{Batch, Snapshot};
use crate::store::{Behind, IncidentFilter, Incidents, Named, SignalSeq, StoreError, TimelineEntry};

/// The longest page of incidents.
const PAGE: u32 = 500;

/// How many digits a person types at least.
const TYPED: usize = 4;

/// An incident of its row, without its objects.
pub(super) fn of_row(columns: &Columns<'_>) -> Result<Incident, Fault> {
    let status = columns.word("status")?;
    // It is set before the incident is over, by whoever ends its alerts.
    let resolution = if status == IncidentStatus::Resolved { columns.json_of("resolution")? } else { None };
    Ok(Incident {
        id: columns.parsed("id")?,
        status,
        title: columns.text("title")?,
        severity: columns.word("severity")?,
        subject: columns.json_of("subject")?,
        objects: BTreeSet::new(),
        signals: columns.count("signals")?,
        firing: columns.count("firing")?,
        starts_at: columns.time("starts_at")?,
        opened_at: columns.time("opened_at")?,
        updated_at: columns.time("updated_at")?,
        resolved_at: columns.time_of("resolved_at")?,
        resolution,
        merged_into: columns.parsed_of("merged_into")?,
        revision: columns.count("revision")?,
    })
}

/// An object of its row.
pub(super) fn object_of(columns: &Columns<'_>) -> Result<ObjectRef, Fault> {
    Ok(ObjectRef {
        kind: columns.text("kind")?,
        namespace: Some(columns.text("namespace")?).filter(|namespace| !namespace.is_empty()),
        name: columns.text("name")?,
    })
}

/// Incidents of their rows, with their objects.
async fn with_objects(connection: &mut SqliteConnection, rows: &[SqliteRow]) -> Result<Vec<Incident>, Fault> {
    let mut incidents = rows.iter().map(|row| of_row(&Columns(row))).collect::<Result<Vec<_>, _>>()?;
    let places: HashMap<IncidentId, usize> =
        incidents.iter().enumerate().map(|(place, incident)| (incident.id, place)).collect();
    let ids: Vec<IncidentId> = incidents.iter().map(|incident| incident.id).collect();
    let objects = sqlx::query("SELECT * FROM incident_objects WHERE incident IN (SELECT value FROM json_each(?))")
        .bind(column::json(&ids)?)
        .fetch_all(&mut *connection)
        .await?;
    for row in &objects {
        let columns = Columns(row);
        let place = places.get(&columns.parsed("incident")?).copied();
        if let Some(incident) = place.and_then(|place| incidents.get_mut(place)) {
            incident.objects.insert(object_of(&columns)?);
        }
    }
    Ok(incidents)
}

pub(super) fn member(columns: &Columns<'_>) -> Result<Member, Fault> {
    Ok(Member {
        source: columns.word("source")?,
        fingerprint: Fingerprint::from_bits(columns.number("fingerprint")?.cast_unsigned()),
        name: columns.text("name")?,
        status: columns.word("status")?,
        severity: columns.severity("severity")?,
        subject: columns.json_of("subject")?,
        reason: columns.json("reason")?,
        headline: columns.text("headline")?,
        labels: columns.json("labels")?,
        starts_at: columns.time("starts_at")?,
        ends_at: columns.time_of("ends_at")?,
        generator_url: columns.text_of("generator_url")?,
    })
}

impl SqliteStore {
    /// Runs a query for incidents and reads their objects in the same moment.
    pub(super) async fn read_incidents(
        &self,
        doing: &'static str,
        mut query: QueryBuilder<Sqlite>,
    ) -> Result<Vec<Incident>, StoreError> {
        let read = async {
            let mut reading = self.readers().begin().await?;
            let rows = query.build().fetch_all(&mut *reading).await?;
            with_objects(&mut reading, &rows).await
        };
        read.await.map_err(|fault: Fault| fault.during(doing))
    }
}

#[async_trait]
impl Incidents for SqliteStore {
    async fn snapshot(&self, resolved_since: Timestamp) -> Result<Snapshot, StoreError> {
        self.read_snapshot(resolved_since).await
    }

    async fn apply(&self, batch: Arc<Batch>) -> Result<(), StoreError> {
        let doing = "applying changes of incidents";
        let cursor = batch.cursor;
        let prepared = Prepared::of(batch).map_err(|fault| fault.during(doing))?;
        let due = self
            .writer()
            .write(doing, move |connection| Box::pin(async move { correlation::apply(connection, prepared).await }))
            .await?;
        self.0.arrivals.processed(cursor);
        if due {
            self.0.outbox_changed.notify_one();
        }
        Ok(())
    }

    async fn cursor(&self) -> Result<SignalSeq, StoreError> {
        let doing = "reading the cursor";
        let read = async {
            let row = sqlx::query("SELECT cursor FROM correlation").fetch_one(self.readers()).await?;
            Columns(&row).number("cursor").map(SignalSeq)
        };
        read.await.map_err(|fault: Fault| fault.during(doing))
    }

    async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM incidents WHERE id = ");
        query.push_bind(id.to_string());
        Ok(self.read_incidents("reading an incident", query).await?.pop())
    }

    async fn incident_by_prefix(&self, typed: &str) -> Result<Named, StoreError> {
        let typed = typed.trim().trim_start_matches('#').to_ascii_lowercase();
        // What else a person may type is no pattern: the letters of a pattern are no digits.
        if typed.len() < TYPED || !typed.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Ok(Named::Nothing);
        }
        // Text that begins with `typed` sorts from it up to it with a letter behind all digits.
        let end = format!("{typed}g");
        let mut query = QueryBuilder::new("SELECT * FROM incidents WHERE (id >= ");
        query.push_bind(typed.clone()).push(" AND id < ").push_bind(end.clone());
        query.push(") OR (short >= ").push_bind(typed).push(" AND short < ").push_bind(end);
        query.push(") ORDER BY id DESC LIMIT 5");
        let mut found = self.read_incidents("looking an incident up", query).await?;
        match found.len() {
            0 | 1 => Ok(found.pop().map_or(Named::Nothing, |one| Named::One(Box::new(one)))),
            _ => Ok(Named::Several(found.into_iter().map(|one| one.id).collect())),
        }
    }

    async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM incidents WHERE ");
        if filter.status.is_empty() {
            query.push("status <> 'merged'");
        } else {
            query.push("status IN (");
            let mut words = query.separated(", ");
            for status in &filter.status {
                words.push_bind(column::incident_status(*status));
            }
            query.push(")");
        }
        if let Some(object) = &filter.object {
            query
                .push(" AND id IN (SELECT incident FROM incident_objects WHERE kind = ")
                .push_bind(object.kind.clone());
            query.push(" AND namespace = ").push_bind(object.namespace.clone().unwrap_or_default());
            query.push(" AND name = ").push_bind(object.name.clone()).push(")");
        }
        if let Some(since) = filter.since {
            query.push(" AND opened_at >= ").push_bind(since.as_microsecond());
        }
        if let Some(before) = filter.before {
            query.push(" AND id < ").push_bind(before.to_string());
        }
        let limit = if filter.limit == 0 { 50 } else { filter.limit.min(PAGE) };
        query.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
        self.read_incidents("reading incidents", query).await
    }

    async fn open_incidents(&self) -> Result<Vec<Incident>, StoreError> {
        let query = QueryBuilder::new("SELECT * FROM incidents WHERE status IN ('open', 'acknowledged') ORDER BY id");
        self.read_incidents("reading open incidents", query).await
    }

    async fn members(&self, id: IncidentId, limit: u32) -> Result<Vec<Member>, StoreError> {
        let doing = "reading members";
        let rows = sqlx::query(
            "SELECT * FROM members WHERE incident = ? \
             ORDER BY CASE status WHEN 'firing' THEN 0 ELSE 1 END, severity DESC, starts_at, fingerprint LIMIT ?",
        )
        .bind(id.to_string())
        .bind(limit)
        .fetch_all(self.readers())
        .await
        .map_err(|error| Fault::from(error).during(doing))?;
        rows.iter().map(|row| member(&Columns(row)).map_err(|fault| fault.during(doing))).collect()
    }

    async fn timeline(&self, id: IncidentId, limit: u32) -> Result<Vec<TimelineEntry>, StoreError> {
        let doing = "reading the story of an incident";
        let rows = sqlx::query("SELECT at, moment FROM timeline WHERE incident = ? ORDER BY id LIMIT ?")
            .bind(id.to_string())
            .bind(limit)
            .fetch_all(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        let read = |columns: Columns<'_>| -> Result<_, Fault> {
            Ok(TimelineEntry { at: columns.time("at")?, moment: columns.json("moment")? })
        };
        rows.iter().map(|row| read(Columns(row)).map_err(|fault| fault.during(doing))).collect()
    }

    async fn incidents_needing_work(&self, limit: u32) -> Result<Vec<(IncidentId, u64)>, StoreError> {
        let doing = "reading which incidents need work";
        let rows = sqlx::query(
            "SELECT id, revision FROM incidents WHERE (captured_at IS NULL OR told_revision < revision) \
             AND status <> 'merged' ORDER BY id LIMIT ?",
        )
        .bind(limit)
        .fetch_all(self.readers())
        .await
        .map_err(|error| Fault::from(error).during(doing))?;
        let read =
            |columns: Columns<'_>| -> Result<_, Fault> { Ok((columns.parsed("id")?, columns.count("revision")?)) };
        rows.iter().map(|row| read(Columns(row)).map_err(|fault| fault.during(doing))).collect()
    }

    async fn incidents_behind(&self, ids: &[IncidentId]) -> Result<Vec<Behind>, StoreError> {
        let doing = "reading incidents that need work";
        let read = async {
            let mut reading = self.readers().begin().await?;
            let rows = sqlx::query("SELECT * FROM incidents WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id")
                .bind(column::json(&ids)?)
                .fetch_all(&mut *reading)
                .await?;
            let incidents = with_objects(&mut reading, &rows).await?;
            rows.iter()
                .zip(incidents)
                .map(|(row, incident)| {
                    let columns = Columns(row);
                    Ok(Behind {
                        incident,
                        captured_at: columns.time_of("captured_at")?,
                        told_revision: columns.count("told_revision")?,
                    })
                })
                .collect::<Result<Vec<_>, Fault>>()
        };
        read.await.map_err(|fault: Fault| fault.during(doing))
    }
}
