//! Pauses between tries.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::deliver::DeliverError;

/// The first pause; doubled up to the longest, and up to twice as long by chance, so that not all who wait for a runner
/// or an API server come back at once.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses between tries, each longer than the one before.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Option<ExponentialBackoff>);

impl Pauses {
    /// The next one.
    pub(crate) fn pause(&mut self) -> Duration {
        self.0.get_or_insert_with(pauses).next().unwrap_or(LONGEST)
    }

    /// The next one, after this error: a runner that is full says for how long.
    pub(crate) fn after(&mut self, error: &DeliverError) -> Duration {
        let pause = self.pause();
        match error {
            DeliverError::Busy { retry_after: Some(after) } => *after,
            _ => pause,
        }
    }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST)
        .with_max_delay(LONGEST)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_longer_up_to_a_bound_and_none_is_quite_the_same() {
        let mut pauses = Pauses::default();
        for least in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let pause = pauses.pause();
            let least = Duration::from_millis(least);
            assert!(pause >= least && pause <= 2 * least, "{pause:?}");
        }
        let busy = DeliverError::Busy { retry_after: Some(Duration::from_secs(7)) };
        assert_eq!(pauses.after(&busy), Duration::from_secs(7));
        let firsts: std::collections::BTreeSet<_> = (0..8).map(|_| Pauses::default().pause()).collect();
        assert!(firsts.len() > 1, "{firsts:?}");
    }
}
