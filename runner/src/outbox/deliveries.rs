//! Takes due rows to their sinks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::decide::later;
use super::delivery::{Delivery, Ended, STORE_PAUSE};
use super::{DeliveryConfig, Views};
use crate::sinks::Sink;
use crate::store::{Outbox, OutboxRow, StoreError};

/// Rows asked for at once. The store gives so many for each receiver, so that one that hangs hides none of the others'.
const BATCH: u32 = 64;
/// The longest sleep: a clock that was set back, or a change that went unnoticed, delays a message by no more.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// How long deliveries under way may take to end at a shutdown. What doesn't end is resumed at the next start.
const GRACE: Duration = Duration::from_secs(5);

/// Delivers what is to be said. One delivery at a time for each incident and receiver; receivers don't wait for each
/// other.
pub struct Deliveries {
    outbox: Arc<dyn Outbox>,
    views: Arc<dyn Views>,
    config: Arc<DeliveryConfig>,
    lanes: BTreeMap<String, Lane>,
}

/// What goes to one receiver.
struct Lane {
    sink: Arc<dyn Sink>,
    under_way: usize,
    /// Nothing is begun before: the receiver asked to be left alone.
    held_until: Timestamp,
}

impl Deliveries {
    /// Deliveries to these sinks, by the receivers' names. An `Arc<dyn Store>` is also an `Arc<dyn Outbox>`.
    pub fn new(
        outbox: Arc<dyn Outbox>,
        sinks: BTreeMap<String, Arc<dyn Sink>>,
        views: Arc<dyn Views>,
        config: DeliveryConfig,
    ) -> Self {
        let lane = |sink| Lane { sink, under_way: 0, held_until: Timestamp::MIN };
        let lanes = sinks.into_iter().map(|(name, sink)| (name, lane(sink))).collect();
        Self { outbox, views, config: Arc::new(config), lanes }
    }

    /// Delivers until cancelled; what is under way then has five seconds to end. An error says that the store can't be
    /// used any more.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), StoreError> {
        let interrupted = self.outbox.outbox_interrupted(Timestamp::now()).await?;
        if interrupted > 0 {
            tracing::info!("{interrupted} deliveries were interrupted and are taken up again");
        }
        let outbox = Arc::clone(&self.outbox);
        let mut under_way: JoinSet<Ended> = JoinSet::new();
        loop {
            // Registered before the rows are read, so that a change in between is not missed.
            let mut changed = std::pin::pin!(outbox.outbox_changed().notified());
            changed.as_mut().enable();
            let sleep = match self.start_due(&mut under_way).await {
                Ok(sleep) => sleep,
                Err(error) if error.is_transient() => {
                    tracing::warn!("due messages could not be read: {error}");
                    STORE_PAUSE
                }
                Err(error) => return Err(error),
            };
            tokio::select! {
                () = cancel.cancelled() => break,
                () = changed => {}
                () = tokio::time::sleep(sleep) => {}
                Some(ended) = under_way.join_next() => self.settle(ended)?,
            }
            while let Some(ended) = under_way.try_join_next() {
                self.settle(ended)?;
            }
        }
        let all = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::info!("deliveries under way are left to the next start");
        }
        Ok(())
    }

    /// Begins what is due and has room. Gives how long to sleep unless something happens.
    async fn start_due(&mut self, under_way: &mut JoinSet<Ended>) -> Result<Duration, StoreError> {
        let now = Timestamp::now();
        let due = self.outbox.outbox_due(now, BATCH).await?;
        let mut wake = later(now, LONGEST_SLEEP);
        let mut chosen = Vec::new();
        for row in due {
            let Some(lane) = self.lanes.get_mut(&row.receiver) else {
                match self.bury_unknown(&row).await {
                    Ok(()) | Err(StoreError::Missing { .. }) => {}
                    Err(error) => return Err(error),
                }
                continue;
            };
            if lane.held_until > now {
                wake = wake.min(lane.held_until);
                continue;
            }
            // A full lane goes on when one of its deliveries ends, which wakes the loop.
            if lane.under_way >= self.config.concurrency.get() {
                continue;
            }
            lane.under_way += 1;
            chosen.push((row, Arc::clone(&lane.sink)));
        }
        // Together, so that they share a commit.
        let begun = join_all(chosen.iter().map(|(row, _)| self.outbox.outbox_begin(row.id, now))).await;
        let mut failed = None;
        for ((row, sink), begun) in chosen.into_iter().zip(begun) {
            if let Err(error) = begun {
                if let Some(lane) = self.lanes.get_mut(&row.receiver) {
                    lane.under_way = lane.under_way.saturating_sub(1);
                }
                // A row is gone where its incident became part of another since the rows were read.
                failed = failed.or((!matches!(error, StoreError::Missing { .. })).then_some(error));
                continue;
            }
            let (outbox, views, config) = (Arc::clone(&self.outbox), Arc::clone(&self.views), Arc::clone(&self.config));
            under_way.spawn(Delivery { outbox, views, sink, config, row }.run(now));
        }
        if let Some(error) = failed {
            return Err(error);
        }
        // A row that is due but waits for its lane would have us spin.
        let next = self.outbox.next_due_at().await?.filter(|next| *next > now);
        wake = next.map_or(wake, |next| wake.min(next));
        let sleep = Duration::try_from(wake.duration_since(Timestamp::now())).unwrap_or_default();
        Ok(sleep.max(Duration::from_millis(1)))
    }

    async fn bury_unknown(&self, row: &OutboxRow) -> Result<(), StoreError> {
        let reason = format!(
            "there is no receiver {:?} in the configuration any more; put it back and resend, or let it rest",
            row.receiver
        );
        tracing::error!(id = %row.id, incident = %row.incident, "given up: {reason}");
        metrics::counter!("marple_outbox_dead_total", "receiver" => "unknown").increment(1);
        self.outbox.outbox_bury(row.id, &reason).await
    }

    /// Takes note of an end. An error says that the store can't be used any more.
    fn settle(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> Result<(), StoreError> {
        let Ended { receiver, pause, kept } = match ended {
            Ok(ended) => ended,
            // A panic in a sink is a fault of this program; it must end where everybody sees it.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Ok(()),
            },
        };
        if let Some(lane) = self.lanes.get_mut(&receiver) {
            lane.under_way = lane.under_way.saturating_sub(1);
            if let Some(pause) = pause {
                lane.held_until = lane.held_until.max(later(Timestamp::now(), pause));
            }
        }
        kept
    }
}
