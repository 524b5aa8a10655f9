//! Lets go of what is older than the retention.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use marple_core::Period;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::StoreConfig;
use crate::store::{Store, StoreError};

/// How often it is looked for: retention is told in days.
const EVERY: Duration = Duration::from_hours(1);

/// How long after the start for the first time: a start has better to do.
const FIRST: Duration = Duration::from_mins(2);

/// How long what hung together is known of an object that is gone: an alert of a pod that was replaced comes minutes
/// after, and people look into it the same day.
const GONE: SignedDuration = SignedDuration::from_hours(24);

/// Deletes what ended before the retention, until cancelled.
pub(super) async fn run(
    store: Arc<dyn Store>,
    config: StoreConfig,
    clock: Clock,
    cancel: CancellationToken,
) -> Result<(), StoreError> {
    let mut wait = FIRST;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => wait = EVERY,
        }
        let before = |kept: Period| {
            clock.now().checked_sub(SignedDuration::try_from(kept.duration()).unwrap_or(SignedDuration::MAX)).ok()
        };
        let (Some(incidents), Some(changes)) = (before(config.retention), before(config.changes_retention)) else {
            continue;
        };
        match store.retire_changes(changes, config.changes_max).await {
            Ok(0) => {}
            Ok(deleted) => {
                tracing::info!(changes = deleted, "older than their retention or beyond their bound, deleted");
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "old changes could not be deleted; it is tried again in an hour");
            }
            Err(error) => return Err(error),
        }
        let gone = clock.now().checked_sub(GONE).unwrap_or(Timestamp::MIN);
        match store.retire_topology(gone).await {
            Ok(0) => {}
            Ok(objects) => tracing::debug!(objects, "gone for longer than they are of use, forgotten"),
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "objects that are gone could not be forgotten; it is tried again in an hour");
            }
            Err(error) => return Err(error),
        }
        match store.retention(incidents).await {
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
