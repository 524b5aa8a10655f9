//! Parcels on disk, for a runner that is away.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use marple_core::Size;
use metrics::gauge;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row as _, SqlitePool};

use super::parcel::{Lane, Parcel};
use crate::metric;

/// How long another process may hold the file, as one that is ending does.
const BUSY: Duration = Duration::from_secs(10);

/// A row's cost beside its text, in bytes.
const OVERHEAD: u64 = 64;

/// The spool can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file can't be opened or read; one that is damaged was put aside, and then this is what is wrong with a new one.
    #[error("the spool {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// It holds all that it may.
    #[error("the spool holds all that it may: {0}")]
    Full(Size),
}

/// Parcels on disk, in the order in which they came. A parcel is there until the runner has committed it.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    pool: SqlitePool,
    most: Size,
    bytes: AtomicU64,
}

impl Spool {
    /// Opens the file, or begins it. A file that is damaged is put aside under another name: what is told from now on is
    /// worth more than what it held.
    pub(crate) async fn open(path: &Path, most: Size) -> Result<Self, SpoolError> {
        match Self::begin(path, most).await {
            Err(SpoolError::File { source, .. }) if is_damaged(&source) => {
                let aside = path.with_extension("damaged");
                tracing::error!(
                    error = %source,
                    aside = %aside.display(),
                    "the spool is damaged and was put aside: what it held is not delivered"
                );
                let moved = std::fs::rename(path, &aside).map_err(sqlx::Error::Io);
                moved.map_err(|source| SpoolError::File { path: path.to_owned(), source })?;
                Self::begin(path, most).await
            }
            opened => opened,
        }
    }

    async fn begin(path: &Path, most: Size) -> Result<Self, SpoolError> {
        let opened = async {
            // What the cluster says is not everybody's: SQLite gives its journal the rights of the file.
            std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
            let options = SqliteConnectOptions::new()
                .filename(path)
                .auto_vacuum(SqliteAutoVacuum::Full)
                .journal_mode(SqliteJournalMode::Truncate)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY);
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
            sqlx::query(
                "CREATE TABLE IF NOT EXISTS parcels (id INTEGER PRIMARY KEY, lane TEXT NOT NULL, body TEXT NOT NULL)",
            )
            .execute(&pool)
            .await?;
            let held = sqlx::query("SELECT coalesce(sum(length(body) + ?), 0) AS bytes FROM parcels")
                .bind(i64::try_from(OVERHEAD).unwrap_or_default())
                .fetch_one(&pool)
                .await?
                .try_get::<i64, _>("bytes")?;
            Ok((pool, u64::try_from(held).unwrap_or_default()))
        };
        let (pool, held) = opened.await.map_err(|source| SpoolError::File { path: path.to_owned(), source })?;
        let spool = Self { path: path.to_owned(), pool, most, bytes: AtomicU64::new(held) };
        spool.told();
        Ok(spool)
    }

    /// Puts a parcel at the end; when it returns, it is on the disk.
    pub(crate) async fn push(&self, parcel: &Parcel) -> Result<(), SpoolError> {
        let body = serde_json::to_string(parcel).map_err(|error| self.fault(sqlx::Error::Encode(error.into())))?;
        let size = cost(body.len());
        if self.bytes.load(Ordering::Relaxed).saturating_add(size) > self.most.bytes() {
            return Err(SpoolError::Full(self.most));
        }
        sqlx::query("INSERT INTO parcels (lane, body) VALUES (?, ?)")
            .bind(parcel.content.lane().as_str())
            .bind(body)
            .execute(&self.pool)
            .await
            .map_err(|error| self.fault(error))?;
        self.bytes.fetch_add(size, Ordering::Relaxed);
        self.told();
        Ok(())
    }

    /// The parcel that waits longest, with its name here. One that can't be read, as of another version, is dropped.
    pub(crate) async fn first(&self) -> Result<Option<(Waiting, Parcel)>, SpoolError> {
        loop {
            let row = sqlx::query("SELECT id, lane, body FROM parcels ORDER BY id LIMIT 1")
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| self.fault(error))?;
            let Some(row) = row else { return Ok(None) };
            let read = || Ok((row.try_get::<i64, _>("id")?, row.try_get::<String, _>("body")?));
            let (id, body) = read().map_err(|error| self.fault(error))?;
            let waiting = Waiting { id, size: cost(body.len()) };
            match serde_json::from_str(&body) {
                Ok(parcel) => return Ok(Some((waiting, parcel))),
                Err(error) => {
                    tracing::error!(%error, "a parcel of the spool can't be read and is dropped");
                    metrics::counter!(metric::DROPPED, "reason" => "unreadable").increment(1);
                    self.remove(&waiting).await?;
                }
            }
        }
    }

    /// Names the parcel that came last; before all others where none waits.
    pub(crate) async fn last(&self) -> Result<i64, SpoolError> {
        let last = sqlx::query("SELECT coalesce(max(id), 0) AS last FROM parcels").fetch_one(&self.pool).await;
        last.and_then(|row| row.try_get("last")).map_err(|error| self.fault(error))
    }

    /// Takes a parcel out that was delivered.
    pub(crate) async fn remove(&self, waiting: &Waiting) -> Result<(), SpoolError> {
        sqlx::query("DELETE FROM parcels WHERE id = ?")
            .bind(waiting.id)
            .execute(&self.pool)
            .await
            .map_err(|error| self.fault(error))?;
        self.bytes.fetch_sub(waiting.size, Ordering::Relaxed);
        self.told();
        Ok(())
    }

    /// How many parcels of a lane wait.
    pub(crate) async fn count(&self, lane: Lane) -> Result<u64, SpoolError> {
        let counted = sqlx::query("SELECT count(*) AS count FROM parcels WHERE lane = ?")
            .bind(lane.as_str())
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get::<i64, _>("count"));
        Ok(u64::try_from(counted.map_err(|error| self.fault(error))?).unwrap_or_default())
    }

    /// Closes the file.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    fn fault(&self, source: sqlx::Error) -> SpoolError {
        SpoolError::File { path: self.path.clone(), source }
    }

    #[allow(clippy::cast_precision_loss, reason = "a file has fewer than 2^52 bytes")]
    fn told(&self) {
        gauge!(metric::SPOOL_BYTES).set(self.bytes.load(Ordering::Relaxed) as f64);
    }
}

/// A parcel in the spool.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Grows with each that comes.
    pub(crate) id: i64,
    size: u64,
}

fn cost(body: usize) -> u64 {
    u64::try_from(body).unwrap_or(u64::MAX).saturating_add(OVERHEAD)
}

/// Whether the file is no database, or a broken one.
fn is_damaged(error: &sqlx::Error) -> bool {
    // SQLITE_CORRUPT and SQLITE_NOTADB, the low byte of an extended code.
    let code = error.as_database_error().and_then(DatabaseError::code).and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use marple_core::SignalStatus::Firing;

    use super::super::fixture::signal;
    use super::super::parcel::Content;
    use super::*;
    use crate::deliver::Sequence;

    fn parcel(number: u64) -> Parcel {
        let sequence = Sequence { number, ..Sequence::first() };
        Parcel { sequence: Some(sequence), content: Content::Signals(vec![signal(number, Firing)]) }
    }

    async fn open(folder: &tempfile::TempDir, most: &str) -> Spool {
        Spool::open(&folder.path().join("spool.db"), most.parse().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn parcels_outlive_the_process_and_come_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let spool = open(&folder, "1MiB").await;
        let parcels = [parcel(1), parcel(2)];
        for parcel in &parcels {
            spool.push(parcel).await.unwrap();
        }
        spool.close().await;
        let spool = open(&folder, "1MiB").await;
        assert_eq!((spool.count(Lane::Signals).await.unwrap(), spool.count(Lane::Changes).await.unwrap()), (2, 0));
        for wanted in &parcels {
            let (waiting, parcel) = spool.first().await.unwrap().unwrap();
            assert_eq!(&parcel, wanted);
            spool.remove(&waiting).await.unwrap();
        }
        assert!(spool.first().await.unwrap().is_none());
        assert_eq!(spool.bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn no_more_is_taken_than_there_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let spool = open(&folder, "2KiB").await;
        let mut pushed = 0_u64;
        let full = loop {
            match spool.push(&parcel(pushed)).await {
                Ok(()) => pushed += 1,
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(full, "the spool holds all that it may: 2KiB");
        assert!((2..6).contains(&pushed), "{pushed}");
        let (first, _) = spool.first().await.unwrap().unwrap();
        spool.remove(&first).await.unwrap();
        spool.push(&parcel(9)).await.unwrap();
    }

    #[tokio::test]
    async fn a_damaged_file_is_put_aside_and_a_row_that_can_not_be_read_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("spool.db"), "no database, of more than a hundred bytes".repeat(50)).unwrap();
        let spool = open(&folder, "1MiB").await;
        assert!(folder.path().join("spool.damaged").exists());
        sqlx::query("INSERT INTO parcels (lane, body) VALUES ('signals', '{}')").execute(&spool.pool).await.unwrap();
        spool.push(&parcel(1)).await.unwrap();
        let (_, first) = spool.first().await.unwrap().unwrap();
        assert_eq!(first.content, parcel(1).content);
    }

    #[tokio::test]
    async fn a_place_that_can_not_be_written_is_named() {
        let missing = Path::new("/nonexistent/spool.db");
        let error = Spool::open(missing, "1MiB".parse().unwrap()).await.unwrap_err().to_string();
        assert!(error.starts_with("the spool /nonexistent/spool.db: "), "{error}");
    }
}
