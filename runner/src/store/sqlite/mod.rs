//! The store in a SQLite file.

mod accepting;
mod approvals;
mod arrivals;
mod changes;
mod checkpoints;
mod column;
mod conversations;
mod correlation;
mod deliveries;
mod drawings;
mod endings;
mod evidence;
mod fault;
mod incidents;
mod investigations;
mod members;
mod memory;
mod open;
mod outbox;
mod room;
mod rows;
mod signals;
mod spending;
#[cfg(test)]
mod tests;
mod topology;
mod upkeep;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;
use tokio::sync::Notify;

use self::arrivals::Arrivals;
use self::evidence::{Bounds, Live, let_go_of_abandoned};
use self::fault::Fault;
use self::writer::Writer;
use super::StoreError;

/// The store in a SQLite file: one writer that commits in groups, and a few readers. Cheap to clone.
#[derive(Clone)]
pub struct SqliteStore(Arc<Shared>);

struct Shared {
    writer: Writer,
    readers: SqlitePool,
    arrivals: Arc<Arrivals>,
    arrived: Notify,
    outbox_changed: Notify,
    /// How many bytes all evidence may have.
    evidence_max: AtomicI64,
    /// Which long texts are being written.
    live: Live,
    _lock: File,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes it, readable by its owner only. One process may hold it at a time.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = open::open(path).await?;
        let mut writer = opened.writer;
        let arrivals = sqlx::query(
            "SELECT cursor, max(coalesce((SELECT max(seq) FROM signals), 0), cursor) AS last FROM correlation",
        )
        .fetch_one(&mut writer)
        .await
        .and_then(|row| Ok(Arrivals::new(row.try_get("last")?, row.try_get("cursor")?)))
        .map_err(|error| Fault::from(error).during("reading the last signal's number"))?;
        let arrivals = Arc::new(arrivals);
        let live = Live::default();
        let let_go = let_go_of_abandoned(&mut writer, &live).await;
        let_go.map_err(|fault| fault.during("letting go of evidence that was not finished"))?;
        Ok(Self(Arc::new(Shared {
            writer: Writer::start(writer, opened.beside, Arc::clone(&arrivals)),
            readers: opened.readers,
            arrivals,
            arrived: Notify::new(),
            outbox_changed: Notify::new(),
            evidence_max: AtomicI64::new(i64::MAX),
            live,
            _lock: opened.lock,
        })))
    }

    /// Commits what waits and closes the file. Later calls fail with [`StoreError::Closed`].
    pub async fn close(&self) {
        // The last connection to go writes the log back into the file: the readers could not.
        self.0.readers.close().await;
        self.0.writer.close().await;
    }

    /// Keeps the writer busy until the sender is used or dropped.
    #[cfg(test)]
    pub(crate) fn hold(&self) -> tokio::sync::oneshot::Sender<()> {
        let (release, held) = tokio::sync::oneshot::channel();
        let store = self.clone();
        tokio::spawn(async move {
            let wait = store.writer().write("holding", move |_| {
                Box::pin(async move {
                    held.await.ok();
                    Ok(())
                })
            });
            wait.await
        });
        release
    }

    fn evidence_bounds(&self) -> Bounds {
        Bounds::of(self.0.evidence_max.load(Ordering::Relaxed))
    }

    fn live(&self) -> &Live {
        &self.0.live
    }

    fn readers(&self) -> &SqlitePool {
        &self.0.readers
    }

    fn writer(&self) -> &Writer {
        &self.0.writer
    }
}
