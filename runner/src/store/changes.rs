//! What was altered in the cluster, and how objects were last.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::Change;
use marple_forwarder::Sequence;
use marple_forwarder::change::{Batch, Kept};
use marple_tools::history::{Found, Window};

use super::StoreError;

/// How many changes were kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Changes that were not known.
    pub new: usize,
    /// Changes that had been kept before.
    pub duplicate: usize,
}

/// The change history.
#[async_trait]
pub trait Changes: Send + Sync {
    /// Keeps a batch whole; when it returns it survives a crash and the loss of power. Refused at once where too much waits.
    ///
    /// Idempotent: a change that is known by its identity is a duplicate, and states take the place of those before.
    /// `identified` are the batch's changes as they are kept, with the identity that each had as it came. A delivery
    /// with a number is dropped where that or a later one of its stream was taken in: its states are older than what is
    /// kept.
    async fn record(
        &self,
        sequence: Option<Sequence>,
        batch: &Batch,
        identified: &[(i64, Change)],
    ) -> Result<Recorded, StoreError>;

    /// How each object of a kind was when it was last told of.
    async fn kept(&self, cluster: &str, kind: &str) -> Result<Kept, StoreError>;

    /// The changes of a window, latest first.
    async fn changes(&self, cluster: &str, window: &Window) -> Result<Found, StoreError>;

    /// Since when changes of a cluster are told: its kinds were listed then. Nothing where they never were.
    async fn changes_since(&self, cluster: &str) -> Result<Option<Timestamp>, StoreError>;

    /// Deletes changes from before a time, and the oldest beyond so many. Gives how many, and works in bounded batches.
    async fn retire_changes(&self, before: Timestamp, most: u64) -> Result<u64, StoreError>;
}
