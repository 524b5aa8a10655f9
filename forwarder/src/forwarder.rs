//! The forwarder, put together.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Fuse};
use jiff::Timestamp;
use marple_core::{Signal, SignalStatus};
use metrics::{counter, gauge};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::change::{History, Recorder};
use crate::deliver::{Outbox, Pump};
use crate::picture::{Observation, Picture};
use crate::topology::{Survey, Surveyor, Waiting};
use crate::tracker::Tracker;
use crate::watch::{HistoryWatches, PATIENCE, Phase, Phases, Watches};
use crate::{Atlas, Chronicle, Deliver, ForwarderConfig, Known, KnownError, Telling, metric};

/// Observations that wait to be judged: each is an object of some 1 KiB, and judging takes microseconds. When full, the
/// watches wait, and with them the API server.
const OBSERVATIONS: usize = 256;

/// Observations that are judged in one go where so many wait, some microseconds each: of a burst none waits for the timers and
/// the other sources to be looked at in between, and what time brings is late by a few milliseconds at most.
const BURST: usize = 64;

/// How long the runner may take to say what it holds as firing.
const KNOWN_DEADLINE: Duration = Duration::from_secs(5);

/// How long until it is asked again where it didn't say.
const KNOWN_RETRY: Duration = Duration::from_secs(15);

/// Why the forwarder ended. It tries again by itself what may pass; this does not, and the process should end.
#[derive(Debug, thiserror::Error)]
pub enum ForwarderError {
    /// A part of it ended that must not.
    #[error("the forwarder's {part} ended: {reason}")]
    Ended {
        /// Which.
        part: &'static str,
        /// Why.
        reason: String,
    },
}

/// Watches a cluster and delivers what matters.
pub struct Forwarder {
    client: kube::Client,
    cluster: String,
    config: ForwarderConfig,
    deliver: Arc<dyn Deliver>,
    known: Option<Arc<dyn Known>>,
    chronicle: Option<Arc<dyn Chronicle>>,
    atlas: Option<Arc<dyn Atlas>>,
}

impl Forwarder {
    /// A forwarder of what `client` sees of the cluster of this name. Without `known`, what ended while it was down is
    /// not resolved. It resolves nothing of another cluster, nor of namespaces that don't count for it: these may be
    /// another forwarder's.
    pub fn new(
        client: kube::Client,
        cluster: impl Into<String>,
        config: ForwarderConfig,
        deliver: Arc<dyn Deliver>,
        known: Option<Arc<dyn Known>>,
    ) -> Self {
        Self { client, cluster: cluster.into(), config, deliver, known, chronicle: None, atlas: None }
    }

    /// It tells what changes too, as far as the configuration wants it, and keeps it there.
    #[must_use]
    pub fn with_history(self, chronicle: Arc<dyn Chronicle>) -> Self {
        Self { chronicle: Some(chronicle), ..self }
    }

    /// It tells what hangs together with what too, and keeps it there.
    #[must_use]
    pub fn with_topology(self, atlas: Arc<dyn Atlas>) -> Self {
        Self { atlas: Some(atlas), ..self }
    }

    /// Runs until cancelled; then what is left to deliver is tried once more.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), ForwarderError> {
        metric::describe();
        let stop = cancel.child_token();
        let _stop_on_drop = stop.clone().drop_guard();
        let outbox = Arc::new(Outbox::new());
        let (sender, observations) = mpsc::channel(OBSERVATIONS);
        let (phase, opened) = watch::channel(Phase::Surroundings);
        let mut tasks = JoinSet::new();
        let pump = Pump::new(outbox.clone(), self.deliver);
        let pumping = stop.clone();
        tasks.spawn(async move {
            pump.run(pumping).await;
            "delivery"
        });
        if let Some(chronicle) = self.chronicle.filter(|_| self.config.changes.enabled) {
            let recorder = Recorder { chronicle, cluster: self.cluster.clone(), cancel: stop.clone() };
            let history = History::new(&*self.cluster, &self.config);
            let families = self.config.changes.families();
            let (client, config, cancel) = (self.client.clone(), self.config.clone(), stop.clone());
            let watches = HistoryWatches { client, config, cancel: cancel.clone() };
            let mut phase = opened.clone();
            tasks.spawn(async move {
                // What is broken comes first; and two listings at once would take the memory of both.
                let known = phase.wait_for(|phase| *phase == Phase::Complete);
                if cancel.run_until_cancelled(known).await.is_some_and(|known| known.is_ok()) {
                    recorder.run(history, families, watches).await;
                }
                "change history"
            });
        }
        let (again, listed_again) = watch::channel(());
        let topology = self.atlas.map(|atlas| {
            let waiting = Arc::new(Waiting::new());
            let (cluster, cancel) = (self.cluster.clone(), stop.clone());
            let surveyor = Surveyor { waiting: waiting.clone(), atlas, cluster, again, cancel };
            tasks.spawn(async move {
                surveyor.run().await;
                "topology"
            });
            (Survey::new(self.config.namespaces.clone()), waiting)
        });
        let mut run = Run {
            picture: Picture::new(self.cluster, self.config.clone()),
            outbox,
            topology,
            known: self.known,
            asking: Fuse::terminated(),
            ask_at: Instant::now(),
            resync: self.config.resync.duration(),
            resync_at: Instant::now() + self.config.resync.duration(),
            phase,
            phases: Phases::new(),
            phase_ends: Instant::now() + PATIENCE,
        };
        run.know_first(&cancel).await;
        let watches = Watches {
            client: self.client,
            config: &self.config,
            sender,
            phase: opened,
            again: listed_again,
            cancel: stop.clone(),
            phases: Phases::new(),
        };
        run.phases = watches.start(&mut tasks);
        run.phase_ends = Instant::now() + PATIENCE;
        let ended = run.judge(observations, &mut tasks, &cancel).await;
        stop.cancel();
        while tasks.join_next().await.is_some() {}
        ended
    }
}

/// What the runner said: what holds, and when each condition was told.
type Answer = Result<(Vec<Signal>, Vec<Telling>), KnownError>;

/// The state of a run.
struct Run {
    picture: Picture,
    outbox: Arc<Outbox>,
    /// Which links are known, and those that wait to be told; where they are told.
    topology: Option<(Survey, Arc<Waiting>)>,
    known: Option<Arc<dyn Known>>,
    asking: Fuse<BoxFuture<'static, Answer>>,
    /// When the runner is asked again.
    ask_at: Instant,
    resync: Duration,
    /// When what holds is delivered again.
    resync_at: Instant,
    phase: watch::Sender<Phase>,
    phases: Phases,
    /// When the phase of now waits no longer.
    phase_ends: Instant,
}

impl Run {
    /// Asks the runner once before anything is told, so that what it holds goes on under its start.
    async fn know_first(&mut self, cancel: &CancellationToken) {
        let Some(known) = self.known.clone() else { return };
        tokio::select! {
            () = cancel.cancelled() => {}
            answer = ask(known) => self.answered(answer),
        }
    }

    async fn judge(
        &mut self,
        mut observations: mpsc::Receiver<Observation>,
        tasks: &mut JoinSet<&'static str>,
        cancel: &CancellationToken,
    ) -> Result<(), ForwarderError> {
        let waiting = self.topology.as_ref().map(|(_, waiting)| Arc::clone(waiting));
        loop {
            let due = self.picture.next_due().map(until);
            let observed = async {
                if let Some(waiting) = &waiting {
                    waiting.room().await;
                }
                observations.recv().await
            };
            tokio::select! {
                // The end first, for it ends the tasks too; then what time brings, which observations must not delay.
                biased;
                () = cancel.cancelled() => return Ok(()),
                Some(ended) = tasks.join_next() => {
                    let (part, reason) = match ended {
                        Ok(part) => (part, "it was not to".to_owned()),
                        Err(error) => ("task", error.to_string()),
                    };
                    return Err(ForwarderError::Ended { part, reason });
                }
                () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => {
                    let signals = self.picture.due(Timestamp::now());
                    self.tell(signals);
                    self.measure();
                }
                () = tokio::time::sleep_until(self.phase_ends), if self.phases.now() < Phase::Complete => {
                    let advanced = self.phases.give_up();
                    self.enter(advanced);
                }
                () = tokio::time::sleep_until(self.resync_at) => self.resync(),
                () = tokio::time::sleep_until(self.ask_at), if self.known.is_some() => self.ask(),
                answer = &mut self.asking => self.answered(answer),
                Some(observation) = observed => {
                    self.observed(observation);
                    self.observed_too(&mut observations);
                }
            }
        }
    }

    /// Takes what else has come, as far as there is room for what it tells of links.
    fn observed_too(&mut self, observations: &mut mpsc::Receiver<Observation>) {
        for _ in 1..BURST {
            let room = self.topology.as_ref().is_none_or(|(_, waiting)| waiting.has_room());
            let Some(observation) = room.then(|| observations.try_recv().ok()).flatten() else { break };
            self.observed(observation);
        }
        self.measure();
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of objects are far below 2^52")]
    fn measure(&self) {
        gauge!(metric::OBJECTS).set(self.picture.objects() as f64);
        gauge!(metric::CONDITIONS).set(self.picture.conditions() as f64);
    }

    fn observed(&mut self, observation: Observation) {
        let listed = matches!(observation, Observation::Listed(..));
        let advanced = self.phases.note(&observation);
        if let Some((survey, waiting)) = &mut self.topology
            && let Some(news) = survey.take(&observation, Timestamp::now())
        {
            waiting.put(news);
        }
        let signals = self.picture.take(observation, Timestamp::now());
        self.tell(signals);
        self.enter(advanced);
        if listed {
            self.settle();
        }
    }

    /// Opens the phase that has come.
    fn enter(&mut self, advanced: bool) {
        if advanced {
            self.phase.send_replace(self.phases.now());
            self.phase_ends = Instant::now() + PATIENCE;
            if self.phases.now() == Phase::Complete {
                tracing::info!(objects = self.picture.objects(), "the cluster is known");
                self.settle();
            }
        }
    }

    /// Resolves what the runner holds and isn't so, once the cluster is known.
    fn settle(&mut self) {
        if self.phases.now() == Phase::Complete {
            let signals = self.picture.settle(Timestamp::now());
            self.tell(signals);
        }
    }

    fn tell(&self, signals: Vec<Signal>) {
        if signals.is_empty() {
            return;
        }
        for signal in &signals {
            let status = match signal.status {
                SignalStatus::Firing => "firing",
                SignalStatus::Resolved => "resolved",
            };
            counter!(metric::SIGNALS, "name" => signal.name.clone(), "status" => status).increment(1);
            // Its texts are the cluster's, and secrets are taken out of them where they are received.
            let subject = signal.subject.as_ref().map(ToString::to_string).unwrap_or_default();
            tracing::info!(name = signal.name, status, subject, "signal");
        }
        self.outbox.put(signals);
    }

    fn resync(&mut self) {
        self.outbox.put(self.picture.firing().cloned());
        self.resync_at = Instant::now() + self.resync;
    }

    fn ask(&mut self) {
        self.ask_at = Instant::now() + self.resync;
        if let Some(known) = self.known.clone() {
            self.asking = ask(known).boxed().fuse();
        }
    }

    fn answered(&mut self, answer: Answer) {
        match answer {
            Ok((signals, told)) => {
                self.ask_at = Instant::now() + self.resync;
                self.picture.adopt(signals, told);
                self.settle();
            }
            Err(error) => {
                self.ask_at = Instant::now() + KNOWN_RETRY;
                tracing::warn!(%error, retry = ?KNOWN_RETRY, "what ended while the forwarder was down is not resolved yet");
            }
        }
    }
}

async fn ask(known: Arc<dyn Known>) -> Answer {
    let late = |_| Err(KnownError { source: format!("no answer in {} s", KNOWN_DEADLINE.as_secs()).into() });
    let since = Tracker::memory(Timestamp::now());
    let answer = async { Ok((known.firing().await?, known.told(since).await?)) };
    tokio::time::timeout(KNOWN_DEADLINE, answer).await.unwrap_or_else(late)
}

/// How long until then; a millisecond at least, so that a clock that stands doesn't make the loop spin.
fn until(at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default().max(Duration::from_millis(1))
}
