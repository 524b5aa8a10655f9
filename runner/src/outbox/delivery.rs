//! One attempt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::decide::{Next, after};
use super::{DeliveryConfig, ViewError, Views};
use crate::sinks::{Attempt, ProgressError, ReceiptProgress, Sink, SinkError};
use crate::store::{Outbox, OutboxId, OutboxRow, StoreError};

/// The pause after the store failed in a way that may pass.
pub(super) const STORE_PAUSE: Duration = Duration::from_millis(500);

/// What came of an attempt.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) receiver: String,
    /// How long the receiver asks to be left alone.
    pub(super) pause: Option<Duration>,
    /// Whether the row could be brought up to date.
    pub(super) kept: Result<(), StoreError>,
}

/// Everything that an attempt needs.
pub(super) struct Delivery {
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) views: Arc<dyn Views>,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) config: Arc<DeliveryConfig>,
    pub(super) row: OutboxRow,
}

impl Delivery {
    /// Makes the attempt and writes down what came of it. The row was marked as being sent at `begun`.
    pub(super) async fn run(self, begun: Timestamp) -> Ended {
        let started = Instant::now();
        let said = match tokio::time::timeout(self.config.deadline.duration(), self.attempt(begun)).await {
            Ok(said) => said,
            Err(_) => Err(SinkError::unanswered(format!("not delivered in {}", self.config.deadline))),
        };
        let receiver = self.row.receiver.clone();
        let outcome = said.as_ref().map_or_else(SinkError::class, |_| "delivered");
        metrics::counter!("marple_deliveries_total", "receiver" => receiver.clone(), "outcome" => outcome).increment(1);
        metrics::histogram!("marple_delivery_seconds", "receiver" => receiver.clone())
            .record(started.elapsed().as_secs_f64());
        let pause = match &said {
            Err(SinkError::Retry { after, .. }) => *after,
            _ => None,
        };
        let kept = self.conclude(said).await;
        Ended { receiver, pause, kept }
    }

    async fn attempt(&self, begun: Timestamp) -> Result<Value, SinkError> {
        let row = &self.row;
        let view = self.views.view(row.incident).await.map_err(|error| match error {
            ViewError::Gone(_) => SinkError::Permanent { reason: error.to_string() },
            ViewError::Unavailable { .. } => SinkError::not_sent(error.to_string()),
        })?;
        let attempt = Attempt {
            key: format!("{}.{}.{}", row.incident, row.receiver, row.wanted),
            first_started_at: row.first_started_at.unwrap_or(begun),
            maybe_sent: row.maybe_sent,
            number: row.attempts.saturating_add(1),
        };
        let progress = Progress { outbox: self.outbox.as_ref(), id: row.id };
        self.sink.deliver(&view, row.receipt.as_ref(), &attempt, &progress).await
    }

    /// Writes down what came of it, as often as it takes: a row that stayed marked as being sent would not be due again
    /// before the next start.
    async fn conclude(&self, said: Result<Value, SinkError>) -> Result<(), StoreError> {
        let written = self.written(said, Timestamp::now());
        loop {
            match self.write(&written).await {
                Err(error) if error.is_transient() => {
                    tracing::warn!(id = %self.row.id, "what came of a delivery could not be kept yet: {error}");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
                ended => return ended,
            }
        }
    }

    fn written(&self, said: Result<Value, SinkError>, now: Timestamp) -> Written {
        let row = &self.row;
        let error = match said {
            Ok(receipt) => return Written::Confirm { receipt, at: now },
            Err(error) => error,
        };
        let (id, receiver, incident) = (row.id, &row.receiver, row.incident);
        match after(&error, row, now, &self.config) {
            Next::Retry { at } => {
                tracing::warn!(%id, receiver, %incident, attempt = row.attempts + 1, next = %at, "not delivered: {error}");
                Written::Retry { error: error.to_string(), maybe_sent: error.maybe_sent(), at }
            }
            Next::Bury { reason } => {
                tracing::error!(%id, receiver, %incident, "given up: {reason}");
                metrics::counter!("marple_outbox_dead_total", "receiver" => receiver.clone()).increment(1);
                Written::Bury { reason }
            }
        }
    }

    async fn write(&self, written: &Written) -> Result<(), StoreError> {
        let (outbox, row) = (&self.outbox, &self.row);
        match written {
            // What was wanted when the row was read was surely in the view; what was wanted since comes next.
            Written::Confirm { receipt, at } => outbox.outbox_confirm(row.id, row.wanted, receipt, *at).await,
            Written::Retry { error, maybe_sent, at } => outbox.outbox_retry(row.id, error, *maybe_sent, *at).await,
            Written::Bury { reason } => outbox.outbox_bury(row.id, reason).await,
        }
    }
}

/// What is to be written down of an attempt.
enum Written {
    Confirm { receipt: Value, at: Timestamp },
    Retry { error: String, maybe_sent: bool, at: Timestamp },
    Bury { reason: String },
}

struct Progress<'a> {
    outbox: &'a dyn Outbox,
    id: OutboxId,
}

#[async_trait]
impl ReceiptProgress for Progress<'_> {
    async fn save(&self, receipt: &Value) -> Result<(), ProgressError> {
        Ok(self.outbox.outbox_progress(self.id, receipt).await?)
    }
}
