//! Signals in SQLite.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use marple_core::{Fingerprint, Signal, SignalSource};
use marple_forwarder::{Sequence, Telling};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;
use tokio::sync::Notify;

use super::arrivals::Arrivals;
use super::column::{self, Columns};
use super::fault::Fault;
use super::rows::Rows;
use super::{SqliteStore, endings};
use crate::store::{Accepted, QuarantineEntry, Quarantined, SignalSeq, Signals, StoreError};

/// A repeat that comes this long after the opposite status is news: sooner, it is a late copy from another Alertmanager
/// of the same cluster, which waits 15 s for each peer before it.
const LATE_COPY: SignedDuration = SignedDuration::from_secs(60);

/// How long most signals are as rows, in bytes.
const BODY: usize = 1_024;

/// Of how many conditions it is said when they were told: as many as a forwarder remembers the ends of.
const TOLD: i64 = 16 * 1_024;

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
    source: Arc<str>,
    fingerprint: i64,
    starts_at: i64,
    status: Arc<str>,
    ends_at: i64,
    received_at: i64,
    body: Arc<str>,
}

impl Row {
    pub(super) fn of(signal: &Signal, received_at: Timestamp) -> Result<Self, Fault> {
        let mut body = Vec::with_capacity(BODY);
        serde_json::to_writer(&mut body, signal)?;
        let body = String::from_utf8(body).map_err(|error| Fault::Damaged(error.to_string()))?;
        Ok(Self {
            source: column::source(signal.source),
            fingerprint: signal.fingerprint.bits().cast_signed(),
            starts_at: signal.starts_at.as_microsecond(),
            status: column::status(signal.status),
            ends_at: signal.ends_at.map_or(0, Timestamp::as_microsecond),
            received_at: received_at.as_microsecond(),
            body: body.into(),
        })
    }

    /// How many bytes it has, about.
    pub(super) fn size(&self) -> usize {
        self.body.len()
    }
}

#[async_trait]
impl Signals for SqliteStore {
    async fn accept_once(
        &self,
        sequence: Option<Sequence>,
        signals: Vec<Signal>,
        quarantined: Vec<Quarantined>,
        at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let doing = "accepting signals";
        let rows = signals.iter().map(|signal| Row::of(signal, at)).collect::<Result<Vec<_>, _>>();
        let rows = rows.map_err(|fault| fault.during(doing))?;
        let accepted = self.writer().accept(doing, sequence, signals, rows, quarantined, at).await?;
        if accepted.new > 0 {
            self.0.arrived.notify_one();
        }
        Ok(accepted)
    }

    async fn unprocessed(&self, limit: u32) -> Result<Vec<(SignalSeq, Signal)>, StoreError> {
        let doing = "reading unprocessed signals";
        if let Some(held) = self.0.arrivals.unprocessed(usize::try_from(limit).unwrap_or(usize::MAX)) {
            return Ok(held);
        }
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

    async fn told(&self, source: SignalSource, since: Timestamp) -> Result<Vec<Telling>, StoreError> {
        let doing = "reading when signals were told";
        let rows = sqlx::query(
            "SELECT fingerprint, ends_at, coalesce(( \
                     SELECT max(told.received_at) FROM signals AS told \
                     WHERE told.fingerprint = one.fingerprint AND told.source = one.source AND told.status = 'firing' \
                 ), starts_at) AS told_at \
             FROM signals AS one WHERE source = ? AND (status = 'firing' OR ends_at > ?) AND NOT EXISTS ( \
                 SELECT 1 FROM signals AS other \
                 WHERE other.fingerprint = one.fingerprint AND other.source = one.source AND other.seq > one.seq) \
             ORDER BY seq DESC LIMIT ?",
        )
        .bind(column::source(source))
        .bind(since.as_microsecond())
        .bind(TOLD)
        .fetch_all(self.readers())
        .await
        .map_err(|error| Fault::from(error).during(doing))?;
        rows.iter().map(|row| telling(&Columns(row)).map_err(|fault| fault.during(doing))).collect()
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

fn telling(columns: &Columns<'_>) -> Result<Telling, Fault> {
    let ended_at = if columns.number("ends_at")? == 0 { None } else { Some(columns.time("ends_at")?) };
    let received_at = columns.time("told_at")?;
    // What waited for the store was told before it had ended.
    let told_at = ended_at.map_or(received_at, |ended| received_at.min(ended));
    let fingerprint = Fingerprint::from_bits(columns.number("fingerprint")?.cast_unsigned());
    Ok(Telling { fingerprint, told_at, ended_at })
}

/// What was known of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: it has this number.
    Not(i64),
    /// It was known, and is news again.
    Again,
    /// It is a duplicate.
    Already,
}

/// Inserts rows; tells of each whether it was known.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    rows: &[&Row],
    arrivals: &Arrivals,
    at: Timestamp,
) -> Result<Vec<Known>, Fault> {
    let mut all = Vec::with_capacity(rows.len());
    let mut rest = rows;
    for (sql, count) in INSERT.split(rows.len()) {
        let (chunk, after) = rest.split_at(count);
        rest = after;
        let first = arrivals.last().saturating_add(1);
        let mut query = sqlx::query(sql);
        for row in chunk {
            query = query
                .bind(arrivals.next())
                .bind(Arc::clone(&row.source))
                .bind(row.fingerprint)
                .bind(row.starts_at)
                .bind(Arc::clone(&row.status))
                .bind(row.ends_at)
                .bind(row.received_at)
                .bind(Arc::clone(&row.body));
        }
        let inserted = query.execute(&mut *connection).await?.rows_affected();
        let mut known: Vec<Known> = (first..).take(count).map(Known::Not).collect();
        if usize::try_from(inserted).is_ok_and(|inserted| inserted < count) {
            let told = identities(chunk)?;
            let new = numbers(connection, first, arrivals.last()).await?;
            for one in &mut known {
                if matches!(one, Known::Not(seq) if !new.contains(seq)) {
                    *one = Known::Already;
                }
            }
            for place in renew(connection, &told, arrivals, at).await? {
                if let Some(one) = known.get_mut(place) {
                    *one = Known::Again;
                }
            }
            endings::heard(connection, &told, at).await?;
        }
        all.append(&mut known);
    }
    if all.contains(&Known::Again) {
        // Their rows stay what they were when they first came.
        arrivals.skip();
    }
    Ok(all)
}

/// Which of these numbers rows have.
async fn numbers(connection: &mut SqliteConnection, first: i64, last: i64) -> Result<HashSet<i64>, Fault> {
    let rows = sqlx::query("SELECT seq FROM signals WHERE seq BETWEEN ? AND ?")
        .bind(first)
        .bind(last)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Columns(row).number("seq")).collect()
}

/// Puts those of these [`identities`] that are news though they were known behind all others, so that they are taken
/// account of again; gives their places. See [`LATE_COPY`].
async fn renew(
    connection: &mut SqliteConnection,
    told: &str,
    arrivals: &Arrivals,
    at: Timestamp,
) -> Result<Vec<usize>, Fault> {
    let before = at.checked_sub(LATE_COPY).unwrap_or(at).as_microsecond();
    let news = sqlx::query(
        "SELECT signals.seq AS seq, min(told.key) AS place FROM json_each(?) AS told JOIN signals \
             ON signals.fingerprint = told.value ->> 0 AND signals.source = told.value ->> 1 \
                 AND signals.starts_at = told.value ->> 2 AND signals.status = told.value ->> 3 \
                 AND signals.ends_at = told.value ->> 4 \
         WHERE EXISTS ( \
             SELECT 1 FROM signals AS other \
             WHERE other.fingerprint = signals.fingerprint AND other.source = signals.source \
                 AND other.starts_at = signals.starts_at AND other.status <> signals.status \
                 AND other.seq > signals.seq AND other.received_at < ?) \
         GROUP BY signals.seq ORDER BY signals.seq",
    )
    .bind(told)
    .bind(before)
    .fetch_all(&mut *connection)
    .await?;
    let mut places = Vec::with_capacity(news.len());
    for row in &news {
        sqlx::query("UPDATE signals SET seq = ?, received_at = ? WHERE seq = ?")
            .bind(arrivals.next())
            .bind(at.as_microsecond())
            .bind(Columns(row).number("seq")?)
            .execute(&mut *connection)
            .await?;
        places.push(Columns(row).count("place")?);
    }
    Ok(places)
}

/// What tells these rows from all others, as an array that one statement looks up: most posts are repeats of what is
/// known.
fn identities(rows: &[&Row]) -> Result<String, Fault> {
    let identity = |row: &&Row| json!([row.fingerprint, *row.source, row.starts_at, *row.status, row.ends_at]);
    column::json(&rows.iter().map(identity).collect::<Vec<_>>())
}

/// Keeps unusable entries, each once.
pub(super) async fn keep_aside(
    connection: &mut SqliteConnection,
    entries: &[Quarantined],
    at: Timestamp,
) -> Result<(), Fault> {
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
