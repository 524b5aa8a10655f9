//! What can go wrong with the store.

use std::sync::Arc;

/// Why the store did not do what it was asked. [`StoreError::is_transient`] says whether trying again can help.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// More waits to be written than may wait. Trying again in a second helps.
    #[error("the store is full: {waiting} wait to be written; try again in a second")]
    Full {
        /// What waits, in words.
        waiting: &'static str,
    },
    /// The disk has no room. Trying again helps once there is.
    #[error("{doing}: the disk of the store is full; give it room or lower `store.retention`")]
    DiskFull {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        source: Arc<sqlx::Error>,
    },
    /// The database is busy or away. Trying again helps.
    #[error("{doing}: {source}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        source: Arc<sqlx::Error>,
    },
    /// The database, or a row of it, can't be read. Trying again doesn't help.
    #[error("{doing}: the store is damaged: {reason}; restore it from a copy, or move it away to begin anew")]
    Corrupt {
        /// What was being done.
        doing: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The file can't be used as a store. Trying again doesn't help.
    #[error("the store {path}: {reason}")]
    Unusable {
        /// The file.
        path: String,
        /// Why, and what to do.
        reason: String,
    },
    /// It names a row that isn't there. Trying again doesn't help.
    #[error("there is no {what}")]
    Missing {
        /// What was asked for.
        what: String,
    },
    /// The statement is wrong: a fault of this program. Trying again doesn't help.
    #[error("{doing}: {source}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        source: Arc<sqlx::Error>,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether trying again can help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::DiskFull { .. } | Self::Unavailable { .. })
    }
}
