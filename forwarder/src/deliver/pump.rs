//! Takes signals from the outbox and delivers them until each is taken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use marple_core::Signal;
use metrics::{counter, histogram};
use tokio_util::sync::CancellationToken;

use super::{Deliver, DeliverError, Outbox, in_time};
use crate::metric;
use crate::pauses::Pauses;

/// The most signals of one delivery: some 100 KiB.
const BATCH: usize = 100;

/// How long the last delivery may take when the process ends.
const LAST_DEADLINE: Duration = Duration::from_secs(5);

/// Delivers what is in the outbox, in order, one batch at a time.
pub(crate) struct Pump {
    outbox: Arc<Outbox>,
    deliver: Arc<dyn Deliver>,
    /// How many signals the next batch may hold; fewer after a refusal, to find out which is refused.
    batch: usize,
    pauses: Pauses,
}

impl Pump {
    pub(crate) fn new(outbox: Arc<Outbox>, deliver: Arc<dyn Deliver>) -> Self {
        Self { outbox, deliver, batch: BATCH, pauses: Pauses::default() }
    }

    /// Runs until cancelled; then what waits is tried once more.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                () = self.outbox.filled() => {}
            }
            let batch = self.outbox.take(self.batch);
            // Cancelled in the middle, the batch goes back: what the runner had taken of it is the same signal to it.
            let ended = tokio::select! {
                () = cancel.cancelled() => None,
                ended = self.attempt(&batch) => Some(ended),
            };
            let wait = match ended {
                None => {
                    self.outbox.put_back(batch);
                    break;
                }
                Some(Ok(())) => {
                    (self.batch, self.pauses) = (BATCH, Pauses::default());
                    continue;
                }
                Some(Err(error)) => self.failed(batch, &error),
            };
            tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.last().await;
    }

    async fn attempt(&self, batch: &[Signal]) -> Result<(), DeliverError> {
        let start = Instant::now();
        let ended = in_time(self.deliver.deliver(batch.to_vec())).await;
        histogram!(metric::DELIVERY_SECONDS).record(start.elapsed());
        if ended.is_ok() {
            counter!(metric::DELIVERED).increment(u64::try_from(batch.len()).unwrap_or(u64::MAX));
        }
        ended
    }

    /// Puts the batch back, and says how long to wait.
    fn failed(&mut self, batch: Vec<Signal>, error: &DeliverError) -> Duration {
        counter!(metric::DELIVERY_FAILURES, "class" => error.class()).increment(1);
        if let DeliverError::Refused(reason) = error {
            if batch.len() > 1 {
                self.batch = batch.len().div_ceil(2);
                self.outbox.put_back(batch);
            } else {
                counter!(metric::DROPPED, "reason" => "refused").increment(1);
                let signal = batch.first().map(|signal| signal.name.as_str());
                tracing::error!(signal, reason, "the runner refuses a signal; it is dropped");
                self.batch = BATCH;
            }
            return Duration::ZERO;
        }
        let signals = batch.len();
        self.outbox.put_back(batch);
        let wait = self.pauses.after(error);
        tracing::warn!(%error, signals, ?wait, "signals are not delivered; they are tried again");
        wait
    }

    /// One last try for all that waits.
    async fn last(self) {
        let batches = async {
            loop {
                let batch = self.outbox.take(BATCH);
                if batch.is_empty() {
                    break;
                }
                let signals = batch.len();
                if let Err(error) = self.attempt(&batch).await {
                    tracing::warn!(%error, signals, "signals are left undelivered at the end; the next start tells them again");
                    break;
                }
            }
        };
        if tokio::time::timeout(LAST_DEADLINE, batches).await.is_err() {
            tracing::warn!("signals are left undelivered at the end; the next start tells them again");
        }
    }
}

#[cfg(test)]
mod tests;
