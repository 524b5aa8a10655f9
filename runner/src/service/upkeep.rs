//! Lets go of what is older than the retention.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use marple_core::Period;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{StoreError, Upkeep};

/// How often it is looked for: retention is told in days.
const EVERY: Duration = Duration::from_hours(1);

/// How long after the start for the first time: a start has better to do.
const FIRST: Duration = Duration::from_mins(2);

/// Deletes what ended before the retention, until cancelled.
pub(super) async fn run(
    store: Arc<dyn Upkeep>,
    retention: Period,
    clock: Clock,
    cancel: CancellationToken,
) -> Result<(), StoreError> {
    let mut wait = FIRST;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => wait = EVERY,
        }
        let kept = SignedDuration::try_from(retention.duration()).unwrap_or(SignedDuration::MAX);
        let Ok(before) = clock.now().checked_sub(kept) else { continue };
        match store.retention(before).await {
            Ok(retired) => {
                if retired.incidents > 0 {
                    tracing::info!(
                        incidents = retired.incidents,
                        signals = retired.signals,
                        "older than the retention, deleted"
                    );
                }
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "retention failed; it is tried again in an hour");
            }
            Err(error) => return Err(error),
        }
    }
}
