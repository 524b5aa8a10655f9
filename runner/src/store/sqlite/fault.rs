//! Why a statement, or the reading of a row, failed.

use std::sync::Arc;

use crate::store::StoreError;

/// What went wrong, before it is said during what.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database said no.
    Sql(sqlx::Error),
    /// A value can't be read.
    Damaged(String),
    /// A row isn't there.
    Missing(String),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl Fault {
    /// As the store's error.
    pub(super) fn during(self, doing: &'static str) -> StoreError {
        match self {
            Self::Sql(error) => refused(doing, Arc::new(error)),
            Self::Damaged(reason) => StoreError::Corrupt { doing, reason },
            Self::Missing(what) => StoreError::Missing { what },
        }
    }
}

/// The store's error for a database's, by SQLite's primary result code (<https://sqlite.org/rescode.html>).
pub(super) fn refused(doing: &'static str, source: Arc<sqlx::Error>) -> StoreError {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const READONLY: u32 = 8;
    const IOERR: u32 = 10;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const CANTOPEN: u32 = 14;
    const NOTADB: u32 = 26;
    let code = source
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .and_then(|code| code.parse::<u32>().ok())
        .map(|extended| extended & 0xff);
    match (&*source, code) {
        (_, Some(FULL)) => StoreError::DiskFull { doing, source },
        (_, Some(CORRUPT | NOTADB)) => StoreError::Corrupt { doing, reason: source.to_string() },
        (_, Some(BUSY | LOCKED | READONLY | IOERR | CANTOPEN))
        | (sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed, _) => {
            StoreError::Unavailable { doing, source }
        }
        (sqlx::Error::PoolClosed, _) => StoreError::Closed,
        (sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_), _) => {
            StoreError::Corrupt { doing, reason: source.to_string() }
        }
        _ => StoreError::Refused { doing, source },
    }
}
