//! The store in a SQLite file.

mod approvals;
mod changes;
mod checkpoints;
mod column;
mod correlation;
mod endings;
mod evidence;
mod fault;
mod incidents;
mod investigations;
mod members;
mod open;
mod outbox;
mod room;
mod rows;
mod signals;
#[cfg(test)]
mod tests;
mod upkeep;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;
use tokio::sync::Notify;

use self::fault::Fault;
use self::writer::Writer;
use super::StoreError;

/// The store in a SQLite file: one writer that commits in groups, and a few readers. Cheap to clone.
#[derive(Clone)]
pub struct SqliteStore(Arc<Shared>);

struct Shared {
    writer: Writer,
    readers: SqlitePool,
    /// The number of the last signal; taken only by the writer, so that the order of numbers is that of commits.
    last_seq: Arc<AtomicI64>,
    arrived: Notify,
    outbox_changed: Notify,
    /// How many bytes all evidence may have.
    evidence_max: AtomicI64,
    _lock: File,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes it, readable by its owner only. One process may hold it at a time.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = open::open(path).await?;
        let mut writer = opened.writer;
        let last = sqlx::query(
            "SELECT max(coalesce((SELECT max(seq) FROM signals), 0), (SELECT cursor FROM correlation)) AS last",
        )
        .fetch_one(&mut writer)
        .await
        .and_then(|row| row.try_get::<i64, _>("last"))
        .map_err(|error| Fault::from(error).during("reading the last signal's number"))?;
        Ok(Self(Arc::new(Shared {
            writer: Writer::start(writer, opened.beside),
            readers: opened.readers,
            last_seq: Arc::new(AtomicI64::new(last)),
            arrived: Notify::new(),
            outbox_changed: Notify::new(),
            evidence_max: AtomicI64::new(i64::MAX),
            _lock: opened.lock,
        })))
    }

    /// Commits what waits and closes the file. Later calls fail with [`StoreError::Closed`].
    pub async fn close(&self) {
        // The last connection to go writes the log back into the file: the readers could not.
        self.0.readers.close().await;
        self.0.writer.close().await;
    }

    fn evidence_max(&self) -> i64 {
        self.0.evidence_max.load(Ordering::Relaxed)
    }

    fn readers(&self) -> &SqlitePool {
        &self.0.readers
    }

    fn writer(&self) -> &Writer {
        &self.0.writer
    }
}

/// Takes the next number of a signal.
fn next_seq(last: &AtomicI64) -> i64 {
    last.fetch_add(1, Ordering::Relaxed).saturating_add(1)
}
