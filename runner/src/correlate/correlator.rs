//! The task that folds what comes in.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use marple_core::{IncidentId, ObjectRef, Signal, SignalStatus};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

use super::alive::{Alive, Life};
use super::shared_change::SHORTLY;
use super::{Batch, Book, CorrelateConfig, Dependency, Owners, Related};
use crate::store::{SignalSeq, Store, StoreError};

/// Signals that are folded and kept together: the transaction takes some 10 ms, and fewer owners are asked for twice.
const BATCH: u32 = 500;

/// What may wait to be learned: each capture of an incident gives one.
const LESSONS: usize = 64;

/// The longest wait for owners, on top of what the resolver promises.
const OWNERS: Duration = Duration::from_secs(3);

/// Kinds of which conditions are told that are about a workload which doesn't own them.
const DEPENDING: [&str; 2] = ["HorizontalPodAutoscaler", "HelmRelease"];

/// When objects are asked for again whose owners could not be told: soon after they came in, since a first message waits
/// for it, and then ever more rarely, up to `SLOWEST`, while nothing is told.
const SOON: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_secs(5);
const SLOWEST: Duration = Duration::from_mins(1);

/// How many of them at a time.
const UNRESOLVED: usize = 500;

/// How often the book is looked through for incidents that nothing reopens any more.
const SWEEP: Duration = Duration::from_secs(15);

/// How long resolved incidents are read back at start, on top of the window in which they are opened again: their
/// signals ended before they were told to have.
const TOLD_LATE: Duration = Duration::from_mins(15);

/// Why correlation has ended. Trying again doesn't help: what is kept can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum CorrelateError {
    /// The incidents could not be read at start.
    #[error("correlation could not begin: {0}")]
    Begin(#[source] StoreError),
    /// Signals could not be read.
    #[error("correlation could not read what came in: {0}")]
    Read(#[source] StoreError),
    /// Changes could not be kept.
    #[error("correlation could not keep what it decided: {0}")]
    Keep(#[source] StoreError),
}

/// Correlation has ended: nothing is learned any more.
#[derive(Debug, thiserror::Error)]
#[error("correlation has ended")]
pub struct Ended;

struct Lesson {
    incident: IncidentId,
    dependencies: Vec<Dependency>,
    kept: oneshot::Sender<()>,
}

/// The way to tell correlation what was found out about an incident.
#[derive(Clone)]
pub struct Teacher(mpsc::Sender<Lesson>);

impl Teacher {
    /// Tells what the objects of an incident depend on: other incidents of those may be part of the same, now or later.
    /// Returns once it is kept. An incident that has gone is passed over.
    pub async fn learn(&self, incident: IncidentId, dependencies: Vec<Dependency>) -> Result<(), Ended> {
        let (kept, answered) = oneshot::channel();
        self.0.send(Lesson { incident, dependencies, kept }).await.map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }
}

/// Folds what comes in into incidents, in batches: each is one transaction with the cursor, so that a signal is taken
/// account of exactly once.
pub struct Correlator {
    store: Arc<dyn Store>,
    owners: Arc<dyn Owners>,
    config: CorrelateConfig,
    changed: Arc<Notify>,
    clock: Clock,
    lessons: mpsc::Receiver<Lesson>,
    life: Life,
}

impl Correlator {
    /// A correlator, and the way to teach it. `changed` is notified when incidents have changed; what is to be done for
    /// them is asked of the store.
    pub fn new(
        store: Arc<dyn Store>,
        owners: Arc<dyn Owners>,
        config: CorrelateConfig,
        changed: Arc<Notify>,
        clock: Clock,
    ) -> (Self, Teacher) {
        let (lesson, lessons) = mpsc::channel(LESSONS);
        (Self { store, owners, config, changed, clock, lessons, life: Life::default() }, Teacher(lesson))
    }

    /// Tells whether it still runs.
    pub fn alive(&self) -> Alive {
        self.life.watch()
    }

    /// Folds until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), CorrelateError> {
        tokio::select! {
            () = cancel.cancelled() => Ok(()),
            ended = self.fold_all() => ended,
        }
    }

    async fn fold_all(&mut self) -> Result<(), CorrelateError> {
        let reopen = self.config.reopen.duration() + TOLD_LATE;
        let since = self.clock.now().checked_sub(reopen).unwrap_or(Timestamp::MIN);
        let snapshot =
            retried("reading incidents", || self.store.snapshot(since)).await.map_err(CorrelateError::Begin)?;
        let mut book = Book::new(self.config.clone(), snapshot);
        let mut again = Again::new();
        let store = Arc::clone(&self.store);
        loop {
            let folded = book.len();
            while self.fold_some(&mut book).await? {}
            if book.len() > folded && !book.unresolved(1).is_empty() {
                again.hasten();
            }
            metrics::gauge!("marple_incidents_held").set(f64::from(u32::try_from(book.len()).unwrap_or(u32::MAX)));
            let taught = tokio::select! {
                () = store.arrived().notified() => vec![],
                Some(lesson) = self.lessons.recv() => vec![lesson],
                () = tokio::time::sleep(until(book.next_tick(), self.clock.now())) => vec![],
                () = tokio::time::sleep_until(again.at.into()) => {
                    self.ask_again(&mut book, &mut again).await;
                    vec![]
                }
            };
            let mut kept = vec![];
            for Lesson { incident, dependencies, kept: done } in taught {
                book.learn(incident, dependencies, self.clock.now());
                kept.push(done);
            }
            book.tick(self.clock.now());
            self.keep(&mut book).await?;
            for done in kept {
                // Who taught may have gone.
                let _ = done.send(());
            }
        }
    }

    /// Folds a batch of signals; whether there may be more.
    async fn fold_some(&self, book: &mut Book) -> Result<bool, CorrelateError> {
        let signals =
            retried("reading signals", || self.store.unprocessed(BATCH)).await.map_err(CorrelateError::Read)?;
        if signals.is_empty() {
            return Ok(false);
        }
        let began = Instant::now();
        let related = self.relate(&signals).await;
        let now = self.clock.now();
        for (seq, signal) in &signals {
            let related = Related::of(signal, signal.subject.as_ref().and_then(|subject| related.get(subject)));
            book.fold(*seq, signal, &related, now);
        }
        for dependency in self.depend(&signals).await {
            let object = dependency.from.clone();
            book.learn_of(&object, vec![dependency], now);
        }
        let owners =
            signals.iter().filter(|(_, signal)| signal.status == SignalStatus::Firing).filter_map(|(_, signal)| {
                let told = signal.subject.as_ref().and_then(|subject| related.get(subject));
                Related::of(signal, told).owner
            });
        self.look_back(book, owners.collect()).await;
        let count = u64::try_from(signals.len()).unwrap_or(u64::MAX);
        let more = signals.len() == usize::try_from(BATCH).unwrap_or(usize::MAX);
        drop(signals);
        self.keep(book).await?;
        metrics::counter!("marple_signals_folded_total").increment(count);
        metrics::histogram!("marple_fold_seconds").record(began.elapsed().as_secs_f64());
        Ok(more)
    }

    /// What the subjects of those that hold belong to, where it can be told.
    async fn relate(&self, signals: &[(SignalSeq, Signal)]) -> HashMap<ObjectRef, Related> {
        let holding = signals
            .iter()
            .map(|(_, signal)| signal)
            .filter(|signal| signal.status == SignalStatus::Firing && !self.config.ignore.contains(&signal.name));
        let subjects: BTreeSet<&ObjectRef> = holding.filter_map(|signal| signal.subject.as_ref()).collect();
        let subjects: Vec<ObjectRef> = subjects.into_iter().cloned().collect();
        self.ask(subjects).await
    }

    /// What the subjects of those that hold depend on though nothing owns them.
    async fn depend(&self, signals: &[(SignalSeq, Signal)]) -> Vec<Dependency> {
        let holding = signals.iter().map(|(_, signal)| signal).filter(|signal| signal.status == SignalStatus::Firing);
        let subjects: BTreeSet<&ObjectRef> = holding
            .filter_map(|signal| signal.subject.as_ref())
            .filter(|subject| DEPENDING.contains(&subject.kind.as_str()))
            .collect();
        if subjects.is_empty() {
            return vec![];
        }
        let subjects: Vec<ObjectRef> = subjects.into_iter().cloned().collect();
        let told = tokio::time::timeout(OWNERS, self.owners.dependencies(&subjects)).await;
        told.unwrap_or_else(|_| {
            metrics::counter!("marple_owners_timeouts_total").increment(1);
            vec![]
        })
    }

    /// Joins what needs the same object, where that was changed before.
    async fn look_back(&self, book: &mut Book, owners: BTreeSet<ObjectRef>) {
        if owners.is_empty() {
            return;
        }
        let now = self.clock.now();
        // What is told now may have begun a while ago, and its cause before that.
        let since = now.checked_sub(SHORTLY + SHORTLY).unwrap_or(Timestamp::MIN);
        let owners: Vec<ObjectRef> = owners.into_iter().collect();
        let Ok(changes) = tokio::time::timeout(OWNERS, self.owners.changes(&owners, since)).await else {
            metrics::counter!("marple_owners_timeouts_total").increment(1);
            return;
        };
        for change in changes {
            book.learn_change(&change, now);
        }
    }

    async fn ask(&self, objects: Vec<ObjectRef>) -> HashMap<ObjectRef, Related> {
        if objects.is_empty() {
            return HashMap::new();
        }
        let Ok(related) = tokio::time::timeout(OWNERS, self.owners.related(&objects)).await else {
            metrics::counter!("marple_owners_timeouts_total").increment(1);
            return HashMap::new();
        };
        objects.into_iter().zip(related).filter_map(|(object, related)| Some((object, related?))).collect()
    }

    /// Asks again for what objects belong to that could not be told.
    async fn ask_again(&self, book: &mut Book, again: &mut Again) {
        let unresolved = book.unresolved(UNRESOLVED);
        if unresolved.is_empty() {
            again.soon();
            return;
        }
        let related = self.ask(unresolved).await;
        if related.is_empty() {
            again.later();
            return;
        }
        let now = self.clock.now();
        let mut related: Vec<_> = related.into_iter().collect();
        related.sort_by(|(a, _), (b, _)| a.cmp(b));
        let owners = related.iter().filter_map(|(_, related)| related.owner.clone()).collect();
        for (object, related) in related {
            book.relate(&object, &related, now);
        }
        self.look_back(book, owners).await;
        again.soon();
    }

    /// Keeps what the book has decided, and says that there is work.
    async fn keep(&self, book: &mut Book) -> Result<(), CorrelateError> {
        let Some(batch) = book.drain(self.clock.now()) else { return Ok(()) };
        let changed = !batch.changes.is_empty();
        let batch: Arc<Batch> = Arc::new(batch);
        retried("keeping incidents", || self.store.apply(Arc::clone(&batch))).await.map_err(CorrelateError::Keep)?;
        if changed {
            self.changed.notify_one();
        }
        Ok(())
    }
}

/// When objects are asked for again.
struct Again {
    at: Instant,
    wait: Duration,
}

impl Again {
    fn new() -> Self {
        Self { at: Instant::now() + AGAIN, wait: AGAIN }
    }

    fn soon(&mut self) {
        *self = Self::new();
    }

    /// Something new could not be told.
    fn hasten(&mut self) {
        self.at = self.at.min(Instant::now() + SOON);
    }

    fn later(&mut self) {
        self.wait = (self.wait * 2).min(SLOWEST);
        self.at = Instant::now() + self.wait;
    }
}

/// How long to sleep until a time, or until the next sweep.
fn until(at: Option<Timestamp>, now: Timestamp) -> Duration {
    at.map_or(SWEEP, |at| Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO).min(SWEEP))
}

/// Tries until it succeeds or trying doesn't help. Ends with the task that awaits it.
async fn retried<T, F: Future<Output = Result<T, StoreError>>>(
    doing: &'static str,
    mut attempt: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let mut wait = Duration::from_millis(100);
    loop {
        match attempt().await {
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, doing, "the store did not do it; trying again");
                metrics::counter!("marple_correlation_retries_total").increment(1);
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(5));
            }
            ended => return ended,
        }
    }
}
