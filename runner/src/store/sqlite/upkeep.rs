//! The audit log, retention and health of the file.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::Size;
use sqlx::{AssertSqlSafe, Executor as _, SqliteConnection};

use super::SqliteStore;
use super::column::{Columns, json};
use super::evidence::let_go_of_abandoned;
use super::fault::Fault;
use crate::store::{AuditRecord, Retired, StoreError, Upkeep};

/// Incidents that one transaction of retention deletes: each may have tens of MiB of evidence, and intake waits.
const INCIDENTS: u32 = 20;

/// Rows of other tables that one transaction of retention deletes.
const ROWS: u32 = 5_000;

/// Free pages that are given back at a time.
const PAGES: u32 = 2_000;

/// Tables whose rows belong to an incident.
const OF_INCIDENT: [&str; 10] = [
    "incident_objects",
    "members",
    "dependencies",
    "timeline",
    "evidence",
    "writings",
    "explanations",
    "investigations",
    "feedback",
    "outbox",
];

#[async_trait]
impl Upkeep for SqliteStore {
    async fn audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let doing = "recording an act";
        let detail = json(&record.detail).map_err(|fault| fault.during(doing))?;
        let record = AuditRecord { detail: serde_json::Value::Null, ..record.clone() };
        self.writer()
            .write(doing, move |connection| {
                Box::pin(async move {
                    sqlx::query("INSERT INTO audit (at, actor, action, detail) VALUES (?, ?, ?, ?)")
                        .bind(record.at.as_microsecond())
                        .bind(record.actor)
                        .bind(record.action)
                        .bind(detail)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn audit_records(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let doing = "reading the audit log";
        let rows = sqlx::query("SELECT * FROM audit ORDER BY id DESC LIMIT ?")
            .bind(limit)
            .fetch_all(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        let read = |columns: Columns<'_>| -> Result<_, Fault> {
            Ok(AuditRecord {
                at: columns.time("at")?,
                actor: columns.text("actor")?,
                action: columns.text("action")?,
                detail: columns.json("detail")?,
            })
        };
        rows.iter().map(|row| read(Columns(row)).map_err(|fault| fault.during(doing))).collect()
    }

    async fn retention(&self, before: Timestamp) -> Result<Retired, StoreError> {
        let before = before.as_microsecond();
        let mut retired = Retired::default();
        loop {
            let deleted = self
                .writer()
                .write("deleting old incidents", move |connection| {
                    Box::pin(async move { delete_incidents(connection, before).await })
                })
                .await?;
            retired.incidents += deleted;
            if deleted < u64::from(INCIDENTS) {
                break;
            }
        }
        // The last word on a condition that still holds stays, so that its repeats are known as such.
        let signals = "DELETE FROM signals WHERE seq IN ( \
             SELECT seq FROM signals AS one WHERE received_at < ?1 AND seq <= (SELECT cursor FROM correlation) \
                 AND (status = 'resolved' OR EXISTS ( \
                     SELECT 1 FROM signals AS other WHERE other.fingerprint = one.fingerprint \
                         AND other.source = one.source AND other.seq > one.seq)) \
             LIMIT ?2)";
        retired.signals = self.delete_rows("deleting old signals", signals, before).await?;
        let audit = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 LIMIT ?2)";
        let quarantine =
            "DELETE FROM quarantine WHERE digest IN (SELECT digest FROM quarantine WHERE last_at < ?1 LIMIT ?2)";
        let approvals = "DELETE FROM approvals WHERE id IN (SELECT id FROM approvals WHERE asked_at < ?1 LIMIT ?2)";
        let exchanges = "DELETE FROM exchanges WHERE id IN (SELECT id FROM exchanges WHERE at < ?1 LIMIT ?2)";
        let spending = "DELETE FROM spending WHERE scope IN (SELECT scope FROM spending WHERE at < ?1 LIMIT ?2)";
        // Nothing came of these streams since: their forwarders have ended, and what those left was delivered.
        let deliveries =
            "DELETE FROM deliveries WHERE stream IN (SELECT stream FROM deliveries WHERE last_at < ?1 LIMIT ?2)";
        retired.records = self.delete_rows("deleting old records", audit, before).await?
            + self.delete_rows("deleting old quarantined entries", quarantine, before).await?
            + self.delete_rows("deleting old questions to people", approvals, before).await?
            + self.delete_rows("deleting old accounts of the model", spending, before).await?
            + self.delete_rows("deleting old conversations", exchanges, before).await?
            + self.delete_rows("forgetting old deliveries", deliveries, before).await?;
        let live = Arc::clone(self.live());
        self.writer()
            .write("letting go of evidence that was not finished", move |connection| {
                Box::pin(async move { let_go_of_abandoned(connection, &live).await })
            })
            .await?;
        self.give_back().await?;
        Ok(retired)
    }

    fn bound_evidence(&self, most: Size) {
        let most = i64::try_from(most.bytes()).unwrap_or(i64::MAX);
        self.0.evidence_max.store(most, Ordering::Relaxed);
    }

    async fn writable(&self) -> Result<(), StoreError> {
        self.writer()
            .write("writing to the store", |connection| {
                Box::pin(async move {
                    connection.execute("UPDATE correlation SET cursor = cursor WHERE id = 1").await?;
                    Ok(())
                })
            })
            .await
    }
}

impl SqliteStore {
    /// Deletes in batches; gives how many rows. `sql` deletes at most `?2` of those beyond the bound `?1`.
    pub(super) async fn delete_rows(
        &self,
        doing: &'static str,
        sql: &'static str,
        bound: i64,
    ) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let deleted = self
                .writer()
                .write(doing, move |connection| {
                    Box::pin(async move {
                        Ok(sqlx::query(sql).bind(bound).bind(ROWS).execute(connection).await?.rows_affected())
                    })
                })
                .await?;
            all += deleted;
            if deleted < u64::from(ROWS) {
                return Ok(all);
            }
        }
    }

    /// Gives free pages back to the disk, a bounded number at a time.
    async fn give_back(&self) -> Result<(), StoreError> {
        loop {
            let left = self
                .writer()
                .write("giving space back", |connection| {
                    Box::pin(async move {
                        let sql = AssertSqlSafe(format!("PRAGMA incremental_vacuum({PAGES})"));
                        // Each step of the statement frees one page, so it is read to its end.
                        sqlx::query(sql).fetch_all(&mut *connection).await?;
                        let row = sqlx::query("PRAGMA freelist_count").fetch_one(connection).await?;
                        Columns(&row).number("freelist_count")
                    })
                })
                .await?;
            if left < i64::from(PAGES) {
                return Ok(());
            }
        }
    }
}

/// Deletes some incidents that ended before a time and have nothing left to be said; gives how many.
async fn delete_incidents(connection: &mut SqliteConnection, before: i64) -> Result<u64, Fault> {
    let rows = sqlx::query(
        "SELECT id FROM incidents WHERE status IN ('resolved', 'merged') AND updated_at < ? \
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.incident = incidents.id \
                 AND outbox.state <> 'dead' AND outbox.wanted > outbox.delivered) \
         ORDER BY id LIMIT ?",
    )
    .bind(before)
    .bind(INCIDENTS)
    .fetch_all(&mut *connection)
    .await?;
    let mut deleted = 0;
    for row in &rows {
        let id = Columns(row).text("id")?;
        for table in OF_INCIDENT {
            let sql = AssertSqlSafe(format!("DELETE FROM {table} WHERE incident = ?"));
            sqlx::query(sql).bind(id.as_str()).execute(&mut *connection).await?;
        }
        sqlx::query("DELETE FROM incidents WHERE id = ?").bind(id.as_str()).execute(&mut *connection).await?;
        deleted += 1;
    }
    Ok(deleted)
}
