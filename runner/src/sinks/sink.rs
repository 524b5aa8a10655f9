//! What a sink is.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::SinkError;
use crate::render::View;
use crate::store::StoreError;

/// Which attempt this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Names what is delivered: incident, receiver and revision. The same at each attempt of it.
    pub key: String,
    /// When the first attempt ever for this incident and receiver was begun.
    pub first_started_at: Timestamp,
    /// Whether an earlier attempt may have got through without our learning of it.
    pub maybe_sent: bool,
    /// The first is 1; counted anew after a confirmation.
    pub number: u32,
}

/// The receipt could not be kept. Trying again helps where the store says so.
#[derive(Debug, thiserror::Error)]
#[error("the receipt could not be kept: {0}")]
pub struct ProgressError(#[from] pub StoreError);

/// Keeps what has been done so far, so that a crash between two requests repeats neither.
#[async_trait]
pub trait ReceiptProgress: Send + Sync {
    /// Keeps it. When this returns, the receipt survives a crash.
    async fn save(&self, receipt: &Value) -> Result<(), ProgressError>;
}

/// Says one incident to one receiver.
#[async_trait]
pub trait Sink: Send + Sync {
    /// What it is, as `slack`.
    fn kind(&self) -> &'static str;

    /// Says the incident as it is now, or changes what the receipt says was said. Gives the new receipt.
    ///
    /// Called for one incident at a time, but for many incidents at once. May be dropped at any await; what was kept
    /// through `progress` is then the receipt of the next attempt.
    async fn deliver(
        &self,
        view: &View,
        receipt: Option<&Value>,
        attempt: &Attempt,
        progress: &dyn ReceiptProgress,
    ) -> Result<Value, SinkError>;
}
