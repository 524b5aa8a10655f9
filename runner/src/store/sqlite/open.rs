//! Opening the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::store::StoreError;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Readers are few: a query takes well under a millisecond, and each connection holds a cache of its own.
const READERS: u32 = 3;

/// What opening gives.
pub(super) struct Opened {
    pub(super) writer: SqliteConnection,
    /// Brings the log back into the file.
    pub(super) beside: SqliteConnection,
    pub(super) readers: SqlitePool,
    /// Held as long as the store is open.
    pub(super) lock: File,
}

/// Opens or makes the store, takes its lock, and brings its tables up to date.
pub(super) async fn open(path: &Path) -> Result<Opened, StoreError> {
    let unusable = |reason: String| StoreError::Unusable { path: path.display().to_string(), reason };
    let lock = prepare(path).map_err(unusable)?;
    let mut writer = options(path).connect().await.map_err(|error| unusable(format!("it can't be opened: {error}")))?;
    MIGRATIONS.run(&mut writer).await.map_err(|error| {
        unusable(format!("its tables can't be brought up to date: {error}; was it written by a newer marple?"))
    })?;
    let beside = options(path).connect().await.map_err(|error| unusable(format!("it can't be opened: {error}")))?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(reading(path));
    Ok(Opened { writer, beside, readers, lock })
}

/// How connections are made.
///
/// Write-ahead log with `synchronous=FULL`: each commit is synced. With NORMAL a commit survives the death of the process
/// but not the loss of power, and an alert that was answered with 2xx is not sent again for hours. Commits are shared by
/// all who wait, so the sync costs latency (one disk flush), not throughput.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .foreign_keys(false)
        .busy_timeout(Duration::from_secs(5))
        // Of the writer: the hot ends of the indexes of a storm.
        .pragma("cache_size", "-8192")
        // Checkpoints are made beside the writer; SQLite makes one by itself only where those don't keep up.
        .pragma("wal_autocheckpoint", "16000")
        .pragma("journal_size_limit", "33554432")
        .pragma("temp_store", "memory")
}

/// How readers connect: what belongs to the file, the writer has set.
fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .foreign_keys(false)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", "-1024")
        // A batch of signals comes over without its reader and its asker waiting for each other in turns.
        .row_buffer_size(512)
}

/// Makes folder and file where they are missing, the file readable by its owner only (the log and its index take its
/// mode), and takes the lock beside it. The fault is told in words.
fn prepare(path: &Path) -> Result<File, String> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| format!("its folder can't be made: {error}"))?;
    }
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock = private(&PathBuf::from(lock_path)).map_err(|error| format!("its lock can't be made: {error}"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err("another marple is using it; a store belongs to one process: end the other, or give this one \
                        another `store.path`"
                .to_owned());
        }
        Err(TryLockError::Error(error)) => return Err(format!("it can't be locked: {error}")),
    }
    let file = private(path).map_err(|error| format!("it can't be written: {error}"))?;
    drop(file);
    Ok(lock)
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
