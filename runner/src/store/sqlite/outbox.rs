//! The outbox in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::IncidentId;
use serde_json::Value;
use sqlx::SqliteConnection;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteRow};
use tokio::sync::Notify;

use super::SqliteStore;
use super::column::{Columns, json};
use super::fault::Fault;
use crate::store::{Outbox, OutboxId, OutboxRow, StoreError};

/// The longest error text that is kept, in characters.
const ERROR: usize = 2_000;

fn of_row(row: &SqliteRow) -> Result<OutboxRow, Fault> {
    let columns = Columns(row);
    Ok(OutboxRow {
        id: OutboxId(columns.number("id")?),
        incident: columns.parsed("incident")?,
        receiver: columns.text("receiver")?,
        wanted: columns.count("wanted")?,
        delivered: columns.count("delivered")?,
        attempts: columns.count("attempts")?,
        receipt: columns.json_of("receipt")?,
        first_started_at: columns.time_of("first_started_at")?,
        failing_since: columns.time_of("failing_since")?,
        maybe_sent: columns.number("maybe_sent")? != 0,
        last_error: columns.text_of("last_error")?,
        state: columns.word("state")?,
        next_at: columns.time("next_at")?,
    })
}

fn bounded(error: &str) -> String {
    error.chars().take(ERROR).collect()
}

type Statement = Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>;

impl SqliteStore {
    /// Runs a statement that changes one row of the outbox, and wakes whoever waits for due rows.
    async fn change_row(&self, doing: &'static str, id: OutboxId, statement: Statement) -> Result<(), StoreError> {
        self.writer()
            .write(doing, move |connection| {
                Box::pin(async move {
                    if statement.execute(connection).await?.rows_affected() == 0 {
                        return Err(Fault::Missing(format!("row {id} of the outbox in a state that allows this")));
                    }
                    Ok(())
                })
            })
            .await?;
        self.0.outbox_changed.notify_one();
        Ok(())
    }

    async fn read_rows(&self, doing: &'static str, statement: Statement) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = statement.fetch_all(self.readers()).await.map_err(|error| Fault::from(error).during(doing))?;
        rows.iter().map(|row| of_row(row).map_err(|fault| fault.during(doing))).collect()
    }
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn outbox_want(
        &self,
        incident: IncidentId,
        receivers: &[&str],
        revision: u64,
        not_before: Timestamp,
    ) -> Result<(), StoreError> {
        let doing = "wanting a message";
        let receivers = json(&receivers).map_err(|fault| fault.during(doing))?;
        self.writer()
            .write(doing, move |connection| {
                Box::pin(async move { want(connection, incident, receivers, revision, not_before).await })
            })
            .await?;
        self.0.outbox_changed.notify_one();
        Ok(())
    }

    async fn outbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let statement = sqlx::query(
            "SELECT * FROM ( \
                 SELECT *, row_number() OVER (PARTITION BY receiver ORDER BY next_at, id) AS place FROM outbox \
                 WHERE state = 'waiting' AND wanted > delivered AND next_at <= ?) \
             WHERE place <= ? ORDER BY next_at, id",
        );
        self.read_rows("reading due messages", statement.bind(now.as_microsecond()).bind(limit)).await
    }

    async fn next_due_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let read = async {
            let row = sqlx::query(
                "SELECT min(next_at) AS next_at FROM outbox WHERE state = 'waiting' AND wanted > delivered",
            )
            .fetch_one(self.readers())
            .await?;
            Columns(&row).time_of("next_at")
        };
        read.await.map_err(|fault: Fault| fault.during("reading when a message is due"))
    }

    fn outbox_changed(&self) -> &Notify {
        &self.0.outbox_changed
    }

    async fn outbox_begin(&self, id: OutboxId, at: Timestamp) -> Result<(), StoreError> {
        let at = at.as_microsecond();
        let statement = sqlx::query(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, \
                 first_started_at = coalesce(first_started_at, ?), failing_since = coalesce(failing_since, ?) \
             WHERE id = ? AND state = 'waiting'",
        );
        self.change_row("beginning a delivery", id, statement.bind(at).bind(at).bind(id.0)).await
    }

    async fn outbox_progress(&self, id: OutboxId, receipt: &Value) -> Result<(), StoreError> {
        let doing = "keeping a receipt";
        let receipt = json(receipt).map_err(|fault| fault.during(doing))?;
        let statement = sqlx::query("UPDATE outbox SET receipt = ? WHERE id = ?");
        self.change_row(doing, id, statement.bind(receipt).bind(id.0)).await
    }

    async fn outbox_confirm(
        &self,
        id: OutboxId,
        revision: u64,
        receipt: &Value,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let doing = "confirming a delivery";
        let receipt = json(receipt).map_err(|fault| fault.during(doing))?;
        // What has been wanted meanwhile is due at once: its time was that of the attempt which has just ended.
        let statement = sqlx::query(
            "UPDATE outbox SET state = 'waiting', delivered = max(delivered, ?), receipt = ?, attempts = 0, \
                 failing_since = NULL, maybe_sent = 0, last_error = NULL, next_at = ? WHERE id = ?",
        );
        let statement = statement.bind(revision.cast_signed()).bind(receipt).bind(at.as_microsecond()).bind(id.0);
        self.change_row(doing, id, statement).await
    }

    async fn outbox_retry(
        &self,
        id: OutboxId,
        error: &str,
        maybe_sent: bool,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "UPDATE outbox SET state = 'waiting', last_error = ?, maybe_sent = max(maybe_sent, ?), next_at = ? \
             WHERE id = ?",
        );
        let statement = statement.bind(bounded(error)).bind(maybe_sent).bind(next_at.as_microsecond()).bind(id.0);
        self.change_row("putting a delivery off", id, statement).await
    }

    async fn outbox_bury(&self, id: OutboxId, error: &str) -> Result<(), StoreError> {
        let statement = sqlx::query("UPDATE outbox SET state = 'dead', last_error = ? WHERE id = ?");
        self.change_row("giving a delivery up", id, statement.bind(bounded(error)).bind(id.0)).await
    }

    async fn outbox_dead(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let statement = sqlx::query("SELECT * FROM outbox WHERE state = 'dead' ORDER BY id DESC LIMIT ?");
        self.read_rows("reading the dead letters", statement.bind(limit)).await
    }

    async fn outbox_resend(&self, id: OutboxId, at: Timestamp) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "UPDATE outbox SET state = 'waiting', attempts = 0, failing_since = NULL, next_at = ? \
             WHERE id = ? AND state = 'dead'",
        );
        self.change_row("resending a dead letter", id, statement.bind(at.as_microsecond()).bind(id.0)).await
    }

    async fn outbox_interrupted(&self, at: Timestamp) -> Result<u64, StoreError> {
        let interrupted = self
            .writer()
            .write("recovering interrupted deliveries", move |connection| {
                Box::pin(async move {
                    let done = sqlx::query(
                        "UPDATE outbox SET state = 'waiting', maybe_sent = 1, next_at = ? WHERE state = 'sending'",
                    )
                    .bind(at.as_microsecond())
                    .execute(connection)
                    .await?;
                    Ok(done.rows_affected())
                })
            })
            .await?;
        self.0.outbox_changed.notify_one();
        Ok(interrupted)
    }
}

/// Raises what is wanted of an incident by these receivers, a list as JSON, and by those that have a row.
async fn want(
    connection: &mut SqliteConnection,
    incident: IncidentId,
    receivers: String,
    revision: u64,
    not_before: Timestamp,
) -> Result<(), Fault> {
    let (incident, revision) = (incident.to_string(), revision.cast_signed());
    // The time of a row that has failed is its backoff's and stays. One that waits for its first attempt goes at the
    // earlier of the two times; one that has nothing to say takes the new one.
    sqlx::query(
        "INSERT INTO outbox (incident, receiver, state, wanted, delivered, attempts, maybe_sent, next_at) \
         SELECT ?1, receiver, 'waiting', ?2, 0, 0, 0, ?3 FROM ( \
             SELECT value AS receiver FROM json_each(?4) UNION SELECT receiver FROM outbox WHERE incident = ?1) \
         WHERE true \
         ON CONFLICT (incident, receiver) DO UPDATE SET \
             next_at = CASE \
                 WHEN outbox.state = 'dead' OR outbox.wanted <= outbox.delivered THEN excluded.next_at \
                 WHEN outbox.attempts = 0 THEN min(outbox.next_at, excluded.next_at) \
                 ELSE outbox.next_at END, \
             attempts = CASE outbox.state WHEN 'dead' THEN 0 ELSE outbox.attempts END, \
             failing_since = CASE outbox.state WHEN 'dead' THEN NULL ELSE outbox.failing_since END, \
             state = CASE outbox.state WHEN 'dead' THEN 'waiting' ELSE outbox.state END, \
             wanted = excluded.wanted \
         WHERE excluded.wanted > outbox.wanted",
    )
    .bind(incident.as_str())
    .bind(revision)
    .bind(not_before.as_microsecond())
    .bind(receivers)
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE incidents SET told_revision = max(told_revision, ?) WHERE id = ?")
        .bind(revision)
        .bind(incident)
        .execute(connection)
        .await?;
    Ok(())
}
