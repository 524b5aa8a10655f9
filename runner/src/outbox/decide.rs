//! What follows from a failed attempt.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};

use super::DeliveryConfig;
use crate::sinks::SinkError;
use crate::store::OutboxRow;

/// What follows from a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another attempt, at this time.
    Retry { at: Timestamp },
    /// None.
    Bury { reason: String },
}

/// What follows from an attempt that failed with `error` at `now`. The row is as it was before the attempt.
pub(super) fn after(error: &SinkError, row: &OutboxRow, now: Timestamp, config: &DeliveryConfig) -> Next {
    let failing = row.failing_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
    let too_long = failing >= signed(config.give_up_after.duration());
    let pause = match error {
        SinkError::Permanent { reason } => return Next::Bury { reason: reason.clone() },
        error if too_long => {
            let reason = format!("given up after {} of trying: {error}", config.give_up_after);
            return Next::Bury { reason };
        }
        SinkError::Settings { .. } => config.longest_pause.duration(),
        SinkError::Retry { after, .. } => backoff(row.attempts, config).max(after.unwrap_or_default()),
    };
    Next::Retry { at: later(now, pause) }
}

/// The pause after so many earlier attempts.
fn backoff(attempts: u32, config: &DeliveryConfig) -> Duration {
    let mut pauses = ExponentialBuilder::new()
        .with_min_delay(config.first_pause.duration())
        .with_max_delay(config.longest_pause.duration())
        .without_max_times()
        .with_jitter()
        .build();
    // Long before the thirtieth it stands at the longest.
    pauses.nth(usize::try_from(attempts.min(30)).unwrap_or(30)).unwrap_or(config.longest_pause.duration())
}

/// So much later; the end of time where there is no such moment.
pub(super) fn later(now: Timestamp, pause: Duration) -> Timestamp {
    now.checked_add(signed(pause)).unwrap_or(Timestamp::MAX)
}

fn signed(length: Duration) -> SignedDuration {
    SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX)
}
