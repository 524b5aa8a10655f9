//! Hands on what hangs together with what.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Atlas, Batch, Waiting};
use crate::deliver::until_taken;
use crate::metric;

/// The most objects of one batch: some 50 KiB, and few MiB of the largest that there may be.
const BATCH: usize = 100;

/// How long what was seen waits for more: a rollout brings several, and a batch is a commit.
const GATHER: Duration = Duration::from_millis(100);

/// How often it is told that all still holds.
const BEAT: Duration = Duration::from_secs(30);

/// Hands on what hangs together with what, in order, one batch at a time.
pub(crate) struct Surveyor {
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) atlas: Arc<dyn Atlas>,
    pub(crate) cluster: String,
    /// Makes the watches list again.
    pub(crate) again: watch::Sender<()>,
    pub(crate) cancel: CancellationToken,
}

impl Surveyor {
    /// Runs until cancelled: what was not handed on by then is told by the list of the next start.
    pub(crate) async fn run(self) {
        let cancel = self.cancel.clone();
        cancel.run_until_cancelled(self.hand_on()).await;
    }

    async fn hand_on(self) {
        loop {
            if tokio::time::timeout(BEAT, self.waiting.filled()).await.is_ok() {
                tokio::time::sleep(GATHER).await;
            }
            loop {
                let batch = self.waiting.take(BATCH, &self.cluster);
                let whole = batch.entries.len() == BATCH;
                self.until_kept(batch).await;
                if !whole {
                    break;
                }
            }
        }
    }

    async fn until_kept(&self, batch: Batch) {
        let objects = batch.entries.len();
        let kept = until_taken("links", || self.atlas.chart(batch.clone()), || self.waiting.failed()).await;
        if let Err(reason) = kept {
            counter!(metric::DROPPED, "reason" => "refused").increment(1);
            tracing::error!(reason, objects, "the runner refuses links; they are dropped");
        } else if self.waiting.succeeded() {
            self.again.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;

    use async_trait::async_trait;
    use marple_core::{Links, ObjectRef};

    use super::super::survey::News;
    use super::super::{Entry, Listing};
    use super::*;
    use crate::deliver::DeliverError;

    /// A runner that is away at first.
    #[derive(Default)]
    struct Runner {
        away: Mutex<bool>,
        batches: Mutex<Vec<usize>>,
    }

    #[async_trait]
    impl Atlas for Runner {
        async fn chart(&self, batch: Batch) -> Result<(), DeliverError> {
            if *self.away.lock().unwrap() {
                return Err(DeliverError::Busy { retry_after: None });
            }
            self.batches.lock().unwrap().push(batch.entries.len());
            Ok(())
        }
    }

    fn entry(number: usize) -> News {
        let object = ObjectRef::namespaced("Pod", "shop", number.to_string());
        News::Entry(Box::new(Entry { object, listing: Listing(1), links: Some(Links::default()), gone_at: None }))
    }

    #[tokio::test(start_paused = true)]
    async fn all_is_handed_on_in_batches_and_a_beat_tells_that_it_holds() {
        let (waiting, runner) = (Arc::new(Waiting::new()), Arc::new(Runner::default()));
        let (again, mut listed_again) = watch::channel(());
        let cancel = CancellationToken::new();
        let atlas = runner.clone();
        let surveyor =
            Surveyor { waiting: waiting.clone(), atlas, cluster: "test".to_owned(), again, cancel: cancel.clone() };
        let running = tokio::spawn(surveyor.run());
        *runner.away.lock().unwrap() = true;
        (0..150).for_each(|number| waiting.put(entry(number)));
        tokio::time::sleep(Duration::from_secs(5)).await;
        // More than fits while the runner is away: all is listed again.
        (0..5_000).for_each(|number| waiting.put(entry(number)));
        assert!(!listed_again.has_changed().unwrap());
        *runner.away.lock().unwrap() = false;
        listed_again.changed().await.unwrap();
        tokio::time::sleep(BEAT + GATHER).await;
        assert_eq!(runner.batches.lock().unwrap()[..], [100, 0, 0]);
        cancel.cancel();
        running.await.unwrap();
    }
}
