//! Hands on what changed until it is kept.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use metrics::{counter, gauge, histogram};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Batch, Chronicle, Family, History, Kept};
use crate::deliver::{DEADLINE, until_taken};
use crate::metric;
use crate::pauses::Pauses;
use crate::watch::HistoryWatches;

/// What was seen and waits to be compared, which takes microseconds: an object may have a MiB. When full, the watches wait,
/// and with them the API server: once a watch is too far behind it lists again, and what differs from the states that are
/// known is found.
const GLIMPSES: usize = 8;

/// Objects that wait to be kept: each has some KiB, and at most [`super::state::TEXTS`] twice over. When full, nothing more
/// is compared.
const WAITING: usize = 128;

/// The most objects of one delivery, and how many texts of full size that may be: some MiB.
const BATCH: usize = 50;

/// The history's part of a forwarder.
pub(crate) struct Recorder {
    pub(crate) chronicle: Arc<dyn Chronicle>,
    pub(crate) cluster: String,
    pub(crate) cancel: CancellationToken,
}

impl Recorder {
    /// What is kept of each kind; asked until it is answered, for without it a change during downtime can't be found.
    /// Nothing where it is cancelled before.
    async fn kept(&self, family: &Family) -> Option<Kept> {
        let mut pauses = Pauses::default();
        loop {
            let wait = pauses.pause();
            let asked = tokio::time::timeout(DEADLINE, self.chronicle.kept(&self.cluster, &family.name));
            let answer = tokio::select! {
                () = self.cancel.cancelled() => return None,
                answer = asked => answer,
            };
            match answer {
                Ok(Ok(kept)) => return Some(kept),
                Ok(Err(error)) => tracing::warn!(kind = %family.name, %error, ?wait, "the change history waits"),
                Err(_) => {
                    tracing::warn!(kind = %family.name, ?wait, "the change history waits: the runner gave no answer");
                }
            }
            self.pause(wait).await;
        }
    }

    /// Learns how objects were, watches, compares and hands on what changed. Runs until cancelled: what was not handed on
    /// by then is found by comparing at the next start.
    pub(crate) async fn run(self, mut history: History, families: Vec<Arc<Family>>, watches: HistoryWatches) {
        for family in &families {
            let Some(kept) = self.kept(family).await else { return };
            history.know(family, kept);
        }
        let (sender, mut glimpses) = mpsc::channel(GLIMPSES);
        let mut watching = watches.start(&families, |family, scope| history.reached(family, scope), &sender);
        drop(sender);
        let (sender, waiting) = mpsc::channel(WAITING);
        let compare = async {
            while let Some(glimpse) = glimpses.recv().await {
                let batch = history.take(glimpse, Timestamp::now());
                noted(&batch, history.len());
                if !batch.is_empty() && sender.send(batch).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = self.cancel.cancelled() => {}
            // The end of a watch before that is the end of the history, which ends the process.
            _ = watching.join_next() => {}
            () = compare => {}
            () = self.deliver(waiting) => {}
        }
    }

    async fn deliver(&self, mut waiting: mpsc::Receiver<Batch>) {
        while let Some(mut batch) = waiting.recv().await {
            while batch.entries.len() < BATCH
                && !batch.begins_anew()
                && let Ok(later) = waiting.try_recv()
            {
                batch.append(later);
            }
            // A listing may find more to be gone than one post should hold.
            while batch.entries.len() > BATCH {
                let rest = batch.entries.split_off(BATCH);
                let first = Batch { entries: std::mem::replace(&mut batch.entries, rest), ..Batch::of(&self.cluster) };
                self.until_kept(first).await;
            }
            self.until_kept(batch).await;
        }
    }

    async fn until_kept(&self, batch: Batch) {
        let kept = until_taken("changes", || self.chronicle.record(batch.clone()), || ()).await;
        if let Err(reason) = kept {
            let changes = u64::try_from(batch.changes()).unwrap_or(u64::MAX);
            counter!(metric::DROPPED, "reason" => "refused").increment(changes);
            tracing::error!(reason, changes, "the runner refuses changes; they are dropped");
        }
    }

    async fn pause(&self, wait: Duration) {
        self.cancel.run_until_cancelled(tokio::time::sleep(wait)).await;
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of objects are far below 2^52")]
fn noted(batch: &Batch, objects: usize) {
    gauge!(metric::HISTORY_OBJECTS).set(objects as f64);
    for change in batch.entries.iter().flat_map(|entry| &entry.changes) {
        counter!(metric::CHANGES, "kind" => change.object.kind.clone()).increment(1);
        if let (false, Ok(lag)) = (change.found_late, Duration::try_from(Timestamp::now().duration_since(change.at))) {
            histogram!(metric::LAG_SECONDS).record(lag);
        }
        tracing::debug!(object = %change.object, by = %change.by, fields = change.fields.len(), "changed");
    }
}

#[cfg(test)]
mod tests;
