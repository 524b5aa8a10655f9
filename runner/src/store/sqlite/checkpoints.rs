//! Brings the write-ahead log back into the file while commits go on.
//!
//! SQLite's own checkpoint runs within the commit that crosses its bound, and all that wait for a commit wait for it too.
//! Here a connection of its own copies most of the log beside the writer. The writer then copies the little that came
//! meanwhile, for only a log that is wholly in the file begins anew.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// From how many pages on the log is brought back: 16 MiB. More is more to read at a start after a crash.
const PAGES: i64 = 4_000;

/// What may be left for the writer, in pages: some ten milliseconds.
const REST: i64 = 500;

/// How often copying goes on where the writer is as fast.
const ROUNDS: usize = 3;

/// The least time between two looks at the log.
const PAUSE: Duration = Duration::from_millis(100);

/// What the writer and the one who copies tell each other.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    committed: Notify,
    rest: AtomicBool,
}

impl Checkpoints {
    /// Says that the log has grown.
    pub(super) fn committed(&self) {
        self.committed.notify_one();
    }

    /// Whether the writer is to copy the rest now; said once.
    pub(super) fn take_rest(&self) -> bool {
        self.rest.swap(false, Ordering::Relaxed)
    }

    /// Copies whenever the log is long enough, until closing.
    pub(super) async fn run(&self, mut connection: SqliteConnection, closing: CancellationToken) {
        loop {
            let next = async {
                self.committed.notified().await;
                tokio::time::sleep(PAUSE).await;
            };
            if closing.run_until_cancelled(next).await.is_none() {
                break;
            }
            if let Err(error) = self.copy(&mut connection).await {
                tracing::warn!(%error, "the store's log could not be brought back into its file");
                metrics::counter!("marple_store_failed_checkpoints_total").increment(1);
            }
        }
        if let Err(error) = connection.close().await {
            tracing::warn!(%error, "closing the store");
        }
    }

    async fn copy(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        if left(connection).await? < PAGES {
            return Ok(());
        }
        for _ in 0..ROUNDS {
            checkpoint(connection).await?;
            if left(connection).await? < REST {
                break;
            }
        }
        self.rest.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Copies what no reader still needs as it was, without waiting for anybody.
pub(super) async fn checkpoint(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(connection).await.map(|_| ())
}

/// How many pages of the log are not in the file.
async fn left(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    let row = sqlx::query("PRAGMA wal_checkpoint(NOOP)").fetch_one(connection).await?;
    let (log, copied): (i64, i64) = (row.try_get("log")?, row.try_get("checkpointed")?);
    Ok(log.saturating_sub(copied))
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

    use super::*;

    #[tokio::test]
    async fn a_long_log_is_copied_beside_the_writer_and_begins_anew_after_its_rest() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("marple.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("wal_autocheckpoint", "0");
        let (mut writer, mut beside) = (options.connect().await.unwrap(), options.connect().await.unwrap());
        let checkpoints = Checkpoints::default();
        sqlx::query("CREATE TABLE t (a BLOB)").execute(&mut writer).await.unwrap();
        checkpoints.copy(&mut beside).await.unwrap();
        assert!(left(&mut beside).await.unwrap() > 0, "a short log is let be");
        assert!(!checkpoints.take_rest());

        let page = "INSERT INTO t VALUES (zeroblob(4096 * ?))";
        sqlx::query(page).bind(PAGES).execute(&mut writer).await.unwrap();
        checkpoints.copy(&mut beside).await.unwrap();
        assert_eq!(left(&mut beside).await.unwrap(), 0);
        assert!(checkpoints.take_rest());
        checkpoint(&mut writer).await.unwrap();
        sqlx::query(page).bind(1).execute(&mut writer).await.unwrap();
        let log = sqlx::query("PRAGMA wal_checkpoint(NOOP)").fetch_one(&mut beside).await.unwrap();
        assert!(log.get::<i64, _>("log") < 10, "it begins anew");
    }
}
