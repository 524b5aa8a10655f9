//! Signals in SQLite.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use marple_core::{Signal, SignalSource};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;
use tokio::sync::Notify;

use super::column::{self, Columns};
use super::fault::Fault;
use super::rows::Rows;
use super::{SqliteStore, endings, next_seq};
use crate::store::{Accepted, QuarantineEntry, Quarantined, SignalSeq, Signals, StoreError};

/// A repeat that comes this long after the opposite status is news: sooner, it is a late copy from another Alertmanager
/// of the same cluster, which waits 15 s for each peer before it.
const LATE_COPY: SignedDuration = SignedDuration::from_secs(60);

/// How many unusable entries are kept; the oldest go first.
const QUARANTINE: i64 = 1_000;

static INSERT: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "INSERT INTO signals (seq, source, fingerprint, starts_at, status, ends_at, received_at, body) VALUES",
        8,
        "ON CONFLICT DO NOTHING",
    )
});

/// A signal as a row.
pub(super) struct Row {
    pub(super) source: &'static str,
    pub(super) fingerprint: i64,
    pub(super) starts_at: i64,
    pub(super) status: &'static str,
    pub(super) ends_at: i64,
    body: String,
}

impl Row {
    pub(super) fn of(signal: &Signal) -> Result<Self, Fault> {
        Ok(Self {
            source: column::source(signal.source),
            fingerprint: signal.fingerprint.bits().cast_signed(),
            starts_at: signal.starts_at.as_microsecond(),
            status: column::status(signal.status),
            ends_at: signal.ends_at.map_or(0, Timestamp::as_microsecond),
            body: column::json(signal)?,
        })
    }
}

#[async_trait]
impl Signals for SqliteStore {
    async fn accept(
        &self,
        signals: &[Signal],
        quarantined: &[Quarantined],
        at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let doing = "accepting signals";
        let rows = signals.iter().map(Row::of).collect::<Result<Vec<_>, _>>().map_err(|fault| fault.during(doing))?;
        let quarantined = quarantined.to_vec();
        let bytes = rows.iter().map(|row| row.body.len()).sum::<usize>()
            + quarantined.iter().map(|entry| entry.body.len()).sum::<usize>();
        let last = Arc::clone(&self.0.last_seq);
        let accepted = self
            .writer()
            .write_now(doing, bytes, move |connection| {
                Box::pin(async move {
                    let new = insert(connection, &rows, &last, at).await?;
                    keep_aside(connection, &quarantined, at).await?;
                    Ok(Accepted { new, duplicate: rows.len().saturating_sub(new) })
                })
            })
            .await?;
        if accepted.new > 0 {
            self.0.arrived.notify_one();
        }
        Ok(accepted)
    }

    async fn unprocessed(&self, limit: u32) -> Result<Vec<(SignalSeq, Signal)>, StoreError> {
        let doing = "reading unprocessed signals";
        let rows = sqlx::query(
            "SELECT seq, body FROM signals WHERE seq > (SELECT cursor FROM correlation) ORDER BY seq LIMIT ?",
        )
        .bind(limit)
        .fetch_all(self.readers())
        .await
        .map_err(|error| Fault::from(error).during(doing))?;
        let mut signals = Vec::with_capacity(rows.len());
        for row in &rows {
            let columns = Columns(row);
            let seq = columns.number("seq").map_err(|fault| fault.during(doing))?;
            match columns.json::<Signal>("body") {
                Ok(signal) => signals.push((SignalSeq(seq), signal)),
                // One damaged row must not keep all that come after it from being told.
                Err(fault) => {
                    metrics::counter!("marple_store_unreadable_signals_total").increment(1);
                    tracing::error!(seq, ?fault, "a stored signal can't be read and is left out");
                }
            }
        }
        Ok(signals)
    }

    fn arrived(&self) -> &Notify {
        &self.0.arrived
    }

    async fn firing(&self, source: SignalSource) -> Result<Vec<Signal>, StoreError> {
        let doing = "reading the signals that hold";
        let rows = sqlx::query(
            "SELECT body FROM signals AS one WHERE source = ? AND status = 'firing' AND NOT EXISTS ( \
                 SELECT 1 FROM signals AS other \
                 WHERE other.fingerprint = one.fingerprint AND other.source = one.source AND other.seq > one.seq) \
             ORDER BY seq",
        )
        .bind(column::source(source))
        .fetch_all(self.readers())
        .await
        .map_err(|error| Fault::from(error).during(doing))?;
        rows.iter().map(|row| Columns(row).json("body").map_err(|fault| fault.during(doing))).collect()
    }

    async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineEntry>, StoreError> {
        let doing = "reading the quarantine";
        let rows = sqlx::query("SELECT * FROM quarantine ORDER BY last_at DESC, digest LIMIT ?")
            .bind(limit)
            .fetch_all(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        let read = |columns: Columns<'_>| -> Result<_, Fault> {
            Ok(QuarantineEntry {
                origin: columns.text("origin")?,
                reason: columns.text("reason")?,
                pointer: columns.text("pointer")?,
                body: columns.text("body")?,
                count: columns.count("count")?,
                first_at: columns.time("first_at")?,
                last_at: columns.time("last_at")?,
            })
        };
        rows.iter().map(|row| read(Columns(row)).map_err(|fault| fault.during(doing))).collect()
    }
}

/// Inserts rows; gives how many were new.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    rows: &[Row],
    last: &AtomicI64,
    at: Timestamp,
) -> Result<usize, Fault> {
    let mut new = 0;
    for (sql, chunk) in INSERT.split(rows) {
        let mut query = sqlx::query(sql);
        for row in chunk {
            query = query
                .bind(next_seq(last))
                .bind(row.source)
                .bind(row.fingerprint)
                .bind(row.starts_at)
                .bind(row.status)
                .bind(row.ends_at)
                .bind(at.as_microsecond())
                .bind(row.body.as_str());
        }
        let inserted = query.execute(&mut *connection).await?.rows_affected();
        let mut inserted = usize::try_from(inserted).unwrap_or(usize::MAX);
        if inserted < chunk.len() {
            let told = identities(chunk)?;
            inserted += renew(connection, &told, last, at).await?;
            endings::heard(connection, &told, at).await?;
        }
        new += inserted;
    }
    Ok(new)
}

/// Puts those of these [`identities`] that are news though they were known behind all others, so that they are taken account of
/// again; gives how many. See [`LATE_COPY`].
async fn renew(connection: &mut SqliteConnection, told: &str, last: &AtomicI64, at: Timestamp) -> Result<usize, Fault> {
    let before = at.checked_sub(LATE_COPY).unwrap_or(at).as_microsecond();
    let news = sqlx::query(
        "SELECT seq FROM signals WHERE (fingerprint, source, starts_at, status, ends_at) IN ( \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)) \
         AND EXISTS ( \
             SELECT 1 FROM signals AS other \
             WHERE other.fingerprint = signals.fingerprint AND other.source = signals.source \
                 AND other.starts_at = signals.starts_at AND other.status <> signals.status \
                 AND other.seq > signals.seq AND other.received_at < ?) \
         ORDER BY seq",
    )
    .bind(told)
    .bind(before)
    .fetch_all(&mut *connection)
    .await?;
    for row in &news {
        sqlx::query("UPDATE signals SET seq = ?, received_at = ? WHERE seq = ?")
            .bind(next_seq(last))
            .bind(at.as_microsecond())
            .bind(Columns(row).number("seq")?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(news.len())
}

/// What tells these rows from all others, as an array that one statement looks up: most posts are repeats of what is
/// known.
fn identities(rows: &[Row]) -> Result<String, Fault> {
    let identity = |row: &Row| json!([row.fingerprint, row.source, row.starts_at, row.status, row.ends_at]);
    column::json(&rows.iter().map(identity).collect::<Vec<_>>())
}

/// Keeps unusable entries, each once.
async fn keep_aside(connection: &mut SqliteConnection, entries: &[Quarantined], at: Timestamp) -> Result<(), Fault> {
    for entry in entries {
        let mut digest = Sha256::new();
        for part in [entry.origin, &entry.reason, &entry.body] {
            digest.update(part.as_bytes());
            digest.update([0xff]);
        }
        sqlx::query(
            "INSERT INTO quarantine (digest, origin, reason, pointer, body, count, first_at, last_at) \
             VALUES (?, ?, ?, ?, ?, 1, ?, ?) \
             ON CONFLICT (digest) DO UPDATE SET count = quarantine.count + 1, last_at = excluded.last_at",
        )
        .bind(digest.finalize().as_slice())
        .bind(entry.origin)
        .bind(entry.reason.as_str())
        .bind(entry.pointer.as_str())
        .bind(entry.body.as_str())
        .bind(at.as_microsecond())
        .bind(at.as_microsecond())
        .execute(&mut *connection)
        .await?;
    }
    if !entries.is_empty() {
        sqlx::query(
            "DELETE FROM quarantine WHERE digest IN ( \
                 SELECT digest FROM quarantine ORDER BY last_at DESC, digest LIMIT -1 OFFSET ?)",
        )
        .bind(QUARANTINE)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
