//! Takes signals and changes to a runner apart, each once and in order, by way of the disk while it is away.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Fingerprint, Signal, Size};
use metrics::counter;
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

use super::parcel::{Content, Lane, Parcel};
use super::spool::{Spool, SpoolError, Waiting};
use super::{DEADLINE, Deliver, DeliverError, HttpDeliver, Sequence, in_time};
use crate::change::{Batch, Chronicle, Kept};
use crate::known::{Known, KnownError, Telling};
use crate::metric;
use crate::pauses::Pauses;
use crate::topology::{self, Atlas};
use crate::tracker::Tracker;

/// How long those who deliver wait where the spool is full or can't be written.
const NO_ROOM: Duration = Duration::from_secs(5);

/// Takes signals and changes to a runner. Each post has a number, so that the runner drops what it has. With a spool, what
/// the runner doesn't take goes to the disk, in the order in which it came, and is delivered from there before anything
/// newer; without one, whoever delivers tries again.
#[derive(Debug)]
pub struct Courier {
    runner: HttpDeliver,
    spool: Option<Spool>,
    signals: Mutex<Order>,
    changes: Mutex<Order>,
    topology: Mutex<Order>,
    spooled: Notify,
    /// Up to this one, what is spooled is of a time since which another may have led.
    former: AtomicI64,
}

/// When the runner was told of each condition, by whomever.
type Tellings = HashMap<Fingerprint, Telling>;

/// The order of a lane.
#[derive(Debug)]
struct Order {
    next: Sequence,
    /// How many parcels of it wait in the spool.
    waiting: u64,
}

impl Courier {
    /// To this runner, without a spool.
    pub fn direct(runner: HttpDeliver) -> Self {
        let order = || Mutex::new(Order { next: Sequence::first(), waiting: 0 });
        let [signals, changes, topology] = [order(), order(), order()];
        Self { runner, spool: None, signals, changes, topology, spooled: Notify::new(), former: AtomicI64::new(0) }
    }

    /// To this runner, by way of a file of at most so many bytes while it is away. [`Self::run`] empties it.
    pub async fn spooling(runner: HttpDeliver, file: &Path, most: Size) -> Result<Self, SpoolError> {
        let spool = Spool::open(file, most).await?;
        let direct = Self::direct(runner);
        direct.signals.lock().await.waiting = spool.count(Lane::Signals).await?;
        direct.changes.lock().await.waiting = spool.count(Lane::Changes).await?;
        Ok(Self { spool: Some(spool), ..direct })
    }

    /// Says that it leads from now on. What is in the spool is from before, and another may have told since how things are:
    /// of that only what is still news is delivered. A signal is, unless the runner was told later of the same condition; a
    /// change always is, with its time, but up to where all was seen is for the runner to say.
    pub async fn lead(&self) -> Result<(), SpoolError> {
        if let Some(spool) = &self.spool {
            self.former.store(spool.last().await?, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Delivers what is in the spool until cancelled; what is left then waits for the next time. Only who leads may.
    pub async fn run(&self, cancel: CancellationToken) {
        let Some(spool) = &self.spool else { return cancel.cancelled().await };
        let mut pauses = Pauses::default();
        let mut told = None;
        let empty = async {
            loop {
                match self.deliver_first(spool, &mut told).await {
                    Ok(true) => pauses = Pauses::default(),
                    Ok(false) => self.spooled.notified().await,
                    Err(error) => {
                        counter!(metric::DELIVERY_FAILURES, "class" => error.class()).increment(1);
                        let wait = pauses.after(&error);
                        tracing::warn!(%error, ?wait, "what is spooled is not delivered; it is tried again");
                        tokio::time::sleep(wait).await;
                    }
                }
            }
        };
        tokio::select! {
            () = cancel.cancelled() => {}
            () = empty => {}
        }
    }

    /// Closes the spool. What is in it is delivered by the next process.
    pub async fn close(&self) {
        if let Some(spool) = &self.spool {
            spool.close().await;
        }
    }

    /// Delivers the parcel that waits longest. False where none does.
    async fn deliver_first(&self, spool: &Spool, told: &mut Option<Tellings>) -> Result<bool, DeliverError> {
        let unusable = |error: SpoolError| DeliverError::Unreachable(Box::new(error));
        let Some((waiting, mut parcel)) = spool.first().await.map_err(unusable)? else { return Ok(false) };
        let is_former = waiting.id <= self.former.load(Ordering::Relaxed);
        if is_former {
            self.keep_news(&mut parcel.content, told).await?;
        }
        if !(is_former && parcel.content.is_empty()) {
            match self.post(&parcel).await {
                Err(DeliverError::Refused(reason)) => self.parts(parcel.content.clone(), &reason).await?,
                ended => ended?,
            }
        }
        self.delivered(spool, &waiting, parcel.content.lane()).await.map_err(unusable)?;
        Ok(true)
    }

    async fn delivered(&self, spool: &Spool, waiting: &Waiting, lane: Lane) -> Result<(), SpoolError> {
        // Under the lock, so that nothing newer is posted before this one is out.
        let mut order = self.order(lane).lock().await;
        spool.remove(waiting).await?;
        if waiting.id >= self.former.load(Ordering::Relaxed) {
            // All of that time is out; names begin anew where nothing waits.
            self.former.store(0, Ordering::Relaxed);
        }
        order.waiting = order.waiting.saturating_sub(1);
        Ok(())
    }

    /// Takes out of what was spooled before another may have led what that one may have told better.
    async fn keep_news(&self, content: &mut Content, told: &mut Option<Tellings>) -> Result<(), DeliverError> {
        match content {
            Content::Signals(signals) => {
                // Asked once, before any of it is delivered: what this one delivers must not outdate what follows.
                let told = match told {
                    Some(told) => told,
                    None => told.insert(self.tellings().await?),
                };
                let before = signals.len();
                signals.retain(|signal| told.get(&signal.fingerprint).is_none_or(|telling| is_news(signal, telling)));
                let count = before - signals.len();
                if count > 0 {
                    tracing::info!(
                        count,
                        "signals of the spool are left out: another forwarder has told later of the same"
                    );
                }
            }
            Content::Changes(batch) => batch.reached.clear(),
            Content::Topology(_) => {}
        }
        Ok(())
    }

    async fn tellings(&self) -> Result<Tellings, DeliverError> {
        let told = tokio::time::timeout(DEADLINE, self.runner.told(Tracker::memory(Timestamp::now()))).await;
        let told = told.map_err(|late| DeliverError::Unreachable(Box::new(late)))?;
        let told = told.map_err(|error| DeliverError::Unreachable(Box::new(error)))?;
        Ok(told.into_iter().map(|telling| (telling.fingerprint, telling)).collect())
    }

    /// Delivers the parts of what was refused as a whole, and drops those that are refused.
    async fn parts(&self, content: Content, reason: &str) -> Result<(), DeliverError> {
        let refused = |what: &str, count: usize, reason: &str| {
            counter!(metric::DROPPED, "reason" => "refused").increment(u64::try_from(count).unwrap_or(u64::MAX));
            tracing::error!(what, count, reason, "the runner refuses it; it is dropped");
        };
        match content {
            Content::Signals(signals) if signals.len() > 1 => {
                for signal in signals {
                    let name = signal.name.clone();
                    let part = Parcel { sequence: None, content: Content::Signals(vec![signal]) };
                    match self.post(&part).await {
                        Err(DeliverError::Refused(reason)) => refused(&name, 1, &reason),
                        ended => ended?,
                    }
                }
            }
            whole => refused(whole.lane().as_str(), whole.len(), reason),
        }
        Ok(())
    }

    async fn post(&self, parcel: &Parcel) -> Result<(), DeliverError> {
        in_time(self.runner.post(parcel)).await
    }

    const fn order(&self, lane: Lane) -> &Mutex<Order> {
        match lane {
            Lane::Signals => &self.signals,
            Lane::Changes => &self.changes,
            Lane::Topology => &self.topology,
        }
    }

    /// Hands on, to the runner or to the disk. `Ok` when it is safe in either.
    async fn take(&self, content: Content) -> Result<(), DeliverError> {
        let mut order = self.order(content.lane()).lock().await;
        let sequence = order.next;
        order.next = sequence.next();
        let parcel = Parcel { sequence: Some(sequence), content };
        if order.waiting == 0 {
            let error = match self.post(&parcel).await {
                ended @ (Ok(()) | Err(DeliverError::Refused(_))) => return ended,
                Err(error) if self.spool.is_none() => return Err(error),
                Err(error) => error,
            };
            counter!(metric::DELIVERY_FAILURES, "class" => error.class()).increment(1);
            tracing::warn!(%error, lane = parcel.content.lane().as_str(), "not delivered: it is spooled from now on");
        }
        let Some(spool) = &self.spool else { return Ok(()) };
        spool.push(&parcel).await.map_err(|error| {
            tracing::error!(%error, "what happens in the cluster waits for room in the spool; is the runner up?");
            DeliverError::Busy { retry_after: Some(NO_ROOM) }
        })?;
        order.waiting += 1;
        self.spooled.notify_one();
        Ok(())
    }

    /// What the runner says is true only once it has all that was seen.
    async fn emptied(&self) -> Result<(), KnownError> {
        let waiting = self.signals.lock().await.waiting + self.changes.lock().await.waiting;
        if waiting > 0 {
            return Err(KnownError::away(format!("{waiting} posts in the spool come first")));
        }
        Ok(())
    }
}

#[async_trait]
impl Deliver for Courier {
    async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError> {
        self.take(Content::Signals(signals)).await
    }
}

#[async_trait]
impl Chronicle for Courier {
    async fn record(&self, batch: Batch) -> Result<(), DeliverError> {
        self.take(Content::Changes(batch)).await
    }

    async fn kept(&self, cluster: &str, kind: &str) -> Result<Kept, KnownError> {
        self.emptied().await?;
        self.runner.kept(cluster, kind).await
    }
}

#[async_trait]
impl Atlas for Courier {
    /// Never by way of the disk: what is lost is told anew, and the room there is for what can't be.
    async fn chart(&self, batch: topology::Batch) -> Result<(), DeliverError> {
        let mut order = self.topology.lock().await;
        let sequence = order.next;
        order.next = sequence.next();
        self.post(&Parcel { sequence: Some(sequence), content: Content::Topology(batch) }).await
    }
}

#[async_trait]
impl Known for Courier {
    async fn firing(&self) -> Result<Vec<Signal>, KnownError> {
        self.emptied().await?;
        self.runner.firing().await
    }

    async fn told(&self, since: Timestamp) -> Result<Vec<Telling>, KnownError> {
        self.emptied().await?;
        self.runner.told(since).await
    }
}

/// Whether a signal tells of a later time than what the runner was told of the same condition.
fn is_news(signal: &Signal, telling: &Telling) -> bool {
    signal.ends_at.unwrap_or(signal.starts_at) >= telling.ended_at.unwrap_or(telling.told_at)
}

#[cfg(test)]
mod tests;
