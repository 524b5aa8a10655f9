//! The one writer: takes jobs and signals from a bounded queue and commits those that wait together.
//!
//! An answer is given only after the commit. While one group is being synced to disk the next one gathers, so that the
//! number of syncs a second bounds the latency of a write and not the number of writes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use jiff::Timestamp;
use marple_core::Signal;
use marple_forwarder::Sequence;
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::accepting::{Accepting, accept, settle};
use super::arrivals::Arrivals;
use super::checkpoints::{Checkpoints, checkpoint};
use super::fault::{Fault, refused};
use super::signals::Row;
use crate::store::{Accepted, Quarantined, StoreError};

/// How many jobs may wait: more than a second of the posts that one process can read, so that a stalled disk is felt as
/// 503 after that second and not as memory.
const QUEUE: usize = 4_096;

/// How many bytes of signals may wait. Two cores parse them no faster than the writer commits them, so they wait only
/// behind a slow disk.
const BYTES: usize = 32 << 20;

/// How many jobs one transaction takes: its writes are in cache and its answer waits for all of them.
const GROUP: usize = 256;

/// How long a write that may wait waits for its place in the queue.
const PATIENCE: Duration = Duration::from_secs(10);

/// Said to who sends, where too much waits.
const FULL: StoreError = StoreError::Full { waiting: "signals" };

/// A write that waits for its commit.
trait Job: Send {
    /// Does it. Whether it may be committed; if not, it has changed nothing that stays.
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, bool>;

    /// Answers whoever waits, once it is known how the transaction ended.
    fn settle(self: Box<Self>, committed: Result<(), Arc<sqlx::Error>>);
}

struct Pending<T, W> {
    doing: &'static str,
    work: Option<W>,
    outcome: Option<Result<T, Fault>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    /// Room among the bytes that may wait, held until the commit.
    _room: Option<OwnedSemaphorePermit>,
}

/// What waits for its commit.
enum Waiting {
    Signals(Box<Accepting>),
    Job(Box<dyn Job>),
}

impl<T, W> Job for Pending<T, W>
where
    T: Send + 'static,
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
{
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            if let Some(work) = self.work.take() {
                self.outcome = Some(work(connection).await);
            }
            matches!(self.outcome, Some(Ok(_)))
        })
    }

    fn settle(self: Box<Self>, committed: Result<(), Arc<sqlx::Error>>) {
        let doing = self.doing;
        let answer = match (self.outcome, committed) {
            (Some(Err(fault)), _) => Err(fault.during(doing)),
            (_, Err(error)) => Err(refused(doing, error)),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // Who asked may have gone; then nobody needs the answer.
        let _ = self.answer.send(answer);
    }
}

/// The way to the writer.
pub(super) struct Writer {
    queue: mpsc::Sender<Waiting>,
    bytes: Arc<Semaphore>,
    closing: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the writer on its connection, and what brings its log back into the file on another.
    pub(super) fn start(connection: SqliteConnection, beside: SqliteConnection, arrivals: Arc<Arrivals>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let closing = CancellationToken::new();
        let checkpoints = Arc::new(Checkpoints::default());
        let (copying, closed) = (Arc::clone(&checkpoints), closing.clone());
        let tasks = vec![
            tokio::spawn(async move { copying.run(beside, closed).await }),
            tokio::spawn(write(Committer { connection, arrivals }, jobs, checkpoints, closing.clone())),
        ];
        Self { queue, bytes: Arc::new(Semaphore::new(BYTES)), closing, tasks: Mutex::new(tasks) }
    }

    /// Does `work` in a transaction and answers once it is committed. Waits for its place in the queue.
    pub(super) async fn write<T, W>(&self, doing: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
    {
        let (job, answered) = job(doing, None, work);
        match self.queue.send_timeout(job, PATIENCE).await {
            Ok(()) => answered.await.map_err(|_| StoreError::Closed)?,
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(StoreError::Full { waiting: "writes" }),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(StoreError::Closed),
        }
    }

    /// The same for what comes from outside: refused at once where too much waits.
    pub(super) async fn write_now<T, W>(&self, doing: &'static str, bytes: usize, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
    {
        let (job, answered) = job(doing, Some(self.room(bytes)?), work);
        self.submit(job)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Keeps signals, and answers once they are committed: refused at once where too much waits.
    pub(super) async fn accept(
        &self,
        doing: &'static str,
        sequence: Option<Sequence>,
        signals: Vec<Signal>,
        rows: Vec<Row>,
        quarantined: Vec<Quarantined>,
        at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let room = self.room(Accepting::size(&rows, &quarantined))?;
        let (accepting, answered) = Accepting::new(doing, sequence, signals, rows, quarantined, at, room);
        self.submit(Waiting::Signals(Box::new(accepting)))?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// What is larger than the bound takes all of it: it is refused only while others wait.
    fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, StoreError> {
        let wanted = u32::try_from(bytes.min(BYTES)).unwrap_or(u32::MAX);
        Arc::clone(&self.bytes).try_acquire_many_owned(wanted).map_err(|_| FULL)
    }

    fn submit(&self, waiting: Waiting) -> Result<(), StoreError> {
        self.queue.try_send(waiting).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => FULL,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    /// Commits what waits and ends the writer.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "the store's writer ended badly");
            }
        }
    }
}

fn job<T, W>(
    doing: &'static str,
    room: Option<OwnedSemaphorePermit>,
    work: W,
) -> (Waiting, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let job = Pending { doing, work: Some(work), outcome: None, answer, _room: room };
    (Waiting::Job(Box::new(job)), answered)
}

async fn write(
    mut committer: Committer,
    mut queue: mpsc::Receiver<Waiting>,
    checkpoints: Arc<Checkpoints>,
    closing: CancellationToken,
) {
    let mut waiting = Vec::with_capacity(GROUP);
    loop {
        let taken = tokio::select! {
            biased;
            taken = queue.recv_many(&mut waiting, GROUP) => taken,
            () = closing.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        if taken == 0 {
            break;
        }
        metrics::gauge!("marple_store_queue").set(f64::from(u32::try_from(queue.len()).unwrap_or(u32::MAX)));
        let began = Instant::now();
        committer.commit(&mut waiting).await;
        metrics::histogram!("marple_store_commit_seconds").record(began.elapsed().as_secs_f64());
        checkpoints.committed();
        if checkpoints.take_rest()
            && let Err(error) = checkpoint(&mut committer.connection).await
        {
            tracing::warn!(%error, "the store's log could not be brought back into its file");
            metrics::counter!("marple_store_failed_checkpoints_total").increment(1);
        }
    }
    if let Err(error) = committer.connection.close().await {
        tracing::warn!(%error, "closing the store");
    }
}

/// Commits what waits.
struct Committer {
    connection: SqliteConnection,
    arrivals: Arc<Arrivals>,
}

impl Committer {
    /// Writes all that waits in one transaction, and answers all.
    async fn commit(&mut self, waiting: &mut Vec<Waiting>) {
        let (mut signals, mut jobs) = (vec![], vec![]);
        for one in waiting.drain(..) {
            match one {
                Waiting::Signals(accepting) => signals.push(*accepting),
                Waiting::Job(job) => jobs.push(job),
            }
        }
        let ended = match self.transact(&mut signals, &mut jobs).await {
            Ok(()) => Ok(()),
            Err(error) => {
                // SQLite may have rolled back by itself; then there is nothing to undo.
                if let Err(undo) = self.connection.execute("ROLLBACK").await {
                    tracing::debug!(%undo, "rolling back");
                }
                tracing::warn!(%error, signals = signals.len(), jobs = jobs.len(), "the store did not commit");
                metrics::counter!("marple_store_failed_commits_total").increment(1);
                Err(Arc::new(error))
            }
        };
        settle(signals, &ended, &self.arrivals);
        for job in jobs {
            job.settle(ended.clone());
        }
    }

    /// Each job runs behind a savepoint of its own, so that one that fails does not cost the others.
    async fn transact(&mut self, signals: &mut [Accepting], jobs: &mut [Box<dyn Job>]) -> sqlx::Result<()> {
        let connection = &mut self.connection;
        connection.execute("BEGIN IMMEDIATE").await?;
        // One job alone needs no savepoint: when it fails there is nothing else to keep.
        if let ([], [only]) = (&signals, &mut *jobs) {
            let end = if only.run(connection).await { "COMMIT" } else { "ROLLBACK" };
            return connection.execute(end).await.map(|_| ());
        }
        if !signals.is_empty() {
            accept(connection, signals, &self.arrivals).await?;
        }
        for job in jobs {
            connection.execute("SAVEPOINT job").await?;
            if !job.run(connection).await {
                connection.execute("ROLLBACK TO job").await?;
            }
            connection.execute("RELEASE job").await?;
        }
        connection.execute("COMMIT").await.map(|_| ())
    }
}
