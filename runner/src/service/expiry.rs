//! Ends alerts of which nothing is heard any more.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{Endings, StoreError};

/// The longest and the shortest time between two looks.
const SELDOM: Duration = Duration::from_mins(5);
const OFTEN: Duration = Duration::from_millis(250);

/// The part of the time without a word that passes after a start before anything is ended: while this program was away
/// nothing could be heard, and what holds is told again meanwhile.
const HEARING: u32 = 4;

/// Ends what was not heard of for `stale_after`, until cancelled.
pub(super) async fn run(
    store: Arc<dyn Endings>,
    stale_after: Duration,
    started: Timestamp,
    clock: Clock,
    cancel: CancellationToken,
) -> Result<(), StoreError> {
    let every = (stale_after / 24).clamp(OFTEN, SELDOM);
    let hearing = SignedDuration::try_from(stale_after / HEARING).unwrap_or(SignedDuration::MAX);
    let stale_after = SignedDuration::try_from(stale_after).unwrap_or(SignedDuration::MAX);
    while cancel.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        let now = clock.now();
        let Ok(unheard_since) = now.checked_sub(stale_after) else { continue };
        if now.duration_since(started) < hearing {
            continue;
        }
        match store.expire(unheard_since, now).await {
            Ok(0) => {}
            Ok(alerts) => {
                metrics::counter!("marple_alerts_expired_total").increment(u64::try_from(alerts).unwrap_or(u64::MAX));
                tracing::info!(alerts, "not heard of any more, taken to be over");
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "what is not heard of any more could not be ended; it is tried again");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
