//! What is to be said to whom: one row for each incident and receiver.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::IncidentId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StoreError;

/// Names a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct OutboxId(pub i64);

impl fmt::Display for OutboxId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Where a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Nothing is under way; it is due when `wanted` is above `delivered` and its time has come.
    Waiting,
    /// A delivery is under way, or was when the program died.
    Sending,
    /// Given up until somebody resends it, or there is something newer to say.
    Dead,
}

/// What is to be said about one incident to one receiver.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutboxRow {
    /// Its name.
    pub id: OutboxId,
    /// The incident.
    pub incident: IncidentId,
    /// The receiver's name in the configuration.
    pub receiver: String,
    /// The latest revision that is to be said.
    pub wanted: u64,
    /// The latest revision that was confirmed; 0 for none.
    pub delivered: u64,
    /// How many attempts were begun since the last confirmation.
    pub attempts: u32,
    /// What the sink needs to change what it said, as a channel and a message's time.
    pub receipt: Option<Value>,
    /// When the first attempt ever was begun.
    pub first_started_at: Option<Timestamp>,
    /// When the first attempt since the last confirmation was begun: how long it has been failing.
    pub failing_since: Option<Timestamp>,
    /// Whether an attempt may have reached the receiver without its answer reaching us.
    pub maybe_sent: bool,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Where it is.
    pub state: OutboxState,
    /// When it may be tried.
    pub next_at: Timestamp,
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Wants a revision said to these receivers and to those who were to be told of the incident before, not before a
    /// time, and marks that the outbox was told of it. Raises what is wanted and never lowers it. A row that is being
    /// retried keeps its time; a dead one is tried again, for what is newer may get through.
    async fn outbox_want(
        &self,
        incident: IncidentId,
        receivers: &[&str],
        revision: u64,
        not_before: Timestamp,
    ) -> Result<(), StoreError>;

    /// Rows that are due, the longest due first, at most `limit` for each receiver: one that hangs hides none of the
    /// others'.
    async fn outbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, StoreError>;

    /// When the next row is due, if any waits.
    async fn next_due_at(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Wakes whoever waits for due rows; notified after each change that may make one due earlier.
    fn outbox_changed(&self) -> &tokio::sync::Notify;

    /// Marks that a request is about to be made. When it returns, the mark survives a crash.
    async fn outbox_begin(&self, id: OutboxId, at: Timestamp) -> Result<(), StoreError>;

    /// Keeps a receipt of what has been done so far, as the message without its thread.
    async fn outbox_progress(&self, id: OutboxId, receipt: &Value) -> Result<(), StoreError>;

    /// Marks a revision as said.
    async fn outbox_confirm(
        &self,
        id: OutboxId,
        revision: u64,
        receipt: &Value,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Marks an attempt as failed, to be tried again. `maybe_sent` where the answer was lost; it stays set until a confirmation.
    async fn outbox_retry(
        &self,
        id: OutboxId,
        error: &str,
        maybe_sent: bool,
        next_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Gives a row up.
    async fn outbox_bury(&self, id: OutboxId, error: &str) -> Result<(), StoreError>;

    /// Rows that were given up, latest first.
    async fn outbox_dead(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError>;

    /// Tries a row that was given up again from now on. An error where there is no such row, or it isn't dead.
    async fn outbox_resend(&self, id: OutboxId, at: Timestamp) -> Result<(), StoreError>;

    /// At start: rows whose delivery was under way when the program died may have been sent, and are due. Gives their number.
    async fn outbox_interrupted(&self, at: Timestamp) -> Result<u64, StoreError>;
}
