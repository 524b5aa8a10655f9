//! What a forwarder does with what its watches see: judges it, and tells what it comes to.

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

use super::ForwarderError;
use crate::deliver::Outbox;
use crate::picture::{Observation, Picture};
use crate::topology::{Survey, Waiting};
use crate::tracker::{ConditionKey, Tracker};
use crate::watch::{PATIENCE, Phase, Phases};
use crate::{Known, KnownError, Telling, metric};

/// Observations that are judged in one go where so many wait, some microseconds each: of a burst none waits for the timers and
/// the other sources to be looked at in between, and what time brings is late by a few milliseconds at most.
const BURST: usize = 64;

/// How long the runner may take to say what it holds as firing.
const KNOWN_DEADLINE: Duration = Duration::from_secs(5);

/// How long until it is asked again where it didn't say.
const KNOWN_RETRY: Duration = Duration::from_secs(15);

/// The same while all waits for the answer.
const HELD_RETRY: Duration = Duration::from_secs(1);

/// How many conditions are delivered again at once: a few deliveries, so that what is new never waits behind all that holds.
const AGAIN: usize = 256;

/// What the runner said: what holds, and when each condition was told.
type Answer = Result<(Vec<Signal>, Vec<Telling>), KnownError>;

/// The state of a run.
pub(super) struct Run {
    picture: Picture,
    outbox: Arc<Outbox>,
    /// Which links are known, and those that wait to be told; where they are told.
    pub(super) topology: Option<(Survey, Arc<Waiting>)>,
    pub(super) known: Option<Arc<dyn Known>>,
    asking: Fuse<BoxFuture<'static, Answer>>,
    /// When the runner is asked again.
    ask_at: Instant,
    resync: Duration,
    /// When what holds is delivered again.
    resync_at: Instant,
    /// How far that has come, while it is under way.
    again: Option<Again>,
    phase: watch::Sender<Phase>,
    phases: Phases,
    /// When the phase of now waits no longer.
    phase_ends: Instant,
}

/// How far the delivery of what holds has come.
enum Again {
    Begins,
    After(ConditionKey),
}

impl Run {
    pub(super) fn new(picture: Picture, outbox: Arc<Outbox>, resync: Duration, phase: watch::Sender<Phase>) -> Self {
        Self {
            picture,
            outbox,
            topology: None,
            known: None,
            asking: Fuse::terminated(),
            ask_at: Instant::now(),
            resync,
            resync_at: Instant::now() + resync,
            again: None,
            phase,
            phases: Phases::new(),
            phase_ends: Instant::now() + PATIENCE,
        }
    }

    /// Begins with what has to be listed in which phase.
    pub(super) fn expect(&mut self, phases: Phases) {
        self.phases = phases;
        self.phase_ends = Instant::now() + PATIENCE;
    }

    /// Asks the runner before anything is told, so that what it holds goes on under its start. Where it is away, what is
    /// told meanwhile waits in the outbox until it has answered.
    pub(super) async fn know_first(&mut self, cancel: &CancellationToken) {
        let Some(known) = self.known.clone() else { return };
        self.picture.awaits();
        self.outbox.hold();
        tokio::select! {
            () = cancel.cancelled() => {}
            answer = ask(known) => self.answered(answer),
        }
    }

    pub(super) async fn judge(
        &mut self,
        mut observations: mpsc::Receiver<Observation>,
        tasks: &mut JoinSet<&'static str>,
        cancel: &CancellationToken,
    ) -> Result<(), ForwarderError> {
        let waiting = self.topology.as_ref().map(|(_, waiting)| Arc::clone(waiting));
        let outbox = Arc::clone(&self.outbox);
        loop {
            let due = self.picture.next_due().map(until);
            // Nothing is judged for which there is no room: the watches wait, and nothing is lost.
            let fell_due = async {
                tokio::time::sleep(due.unwrap_or_default()).await;
                outbox.room().await;
            };
            let observed = async {
                outbox.room().await;
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
                () = fell_due, if due.is_some() => {
                    let signals = self.picture.due(Timestamp::now());
                    self.tell(signals);
                    self.measure();
                }
                () = tokio::time::sleep_until(self.phase_ends), if self.phases.now() < Phase::Complete => {
                    let advanced = self.phases.give_up();
                    self.enter(advanced);
                }
                () = tokio::time::sleep_until(self.resync_at), if self.again.is_none() => self.again = Some(Again::Begins),
                () = outbox.nearly_empty(AGAIN), if self.again.is_some() => self.resync(),
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
            let room = self.topology.as_ref().is_none_or(|(_, waiting)| waiting.has_room()) && self.outbox.has_room();
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

    /// Delivers some of what holds again. The rest follows once the outbox is nearly empty.
    fn resync(&mut self) {
        let after = match self.again.take() {
            Some(Again::After(key)) => Some(key),
            Some(Again::Begins) | None => None,
        };
        let mut last = None;
        let mut count = 0;
        let some = self.picture.firing_after(after.as_ref()).take(AGAIN).map(|(key, signal)| {
            (last, count) = (Some(key), count + 1);
            signal.clone()
        });
        self.outbox.put(some.collect::<Vec<_>>());
        match last.filter(|_| count == AGAIN) {
            Some(key) => self.again = Some(Again::After(key.clone())),
            None => self.resync_at = Instant::now() + self.resync,
        }
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
                let goes_on = self.picture.adopt(signals, told);
                self.outbox.put(goes_on);
                self.settle();
                self.outbox.open();
            }
            Err(error) => {
                if error.answered {
                    self.outbox.open();
                }
                let retry = if self.outbox.is_held() { HELD_RETRY } else { KNOWN_RETRY };
                self.ask_at = Instant::now() + retry;
                tracing::warn!(%error, ?retry, "what ended while the forwarder was down is not resolved yet");
            }
        }
    }
}

async fn ask(known: Arc<dyn Known>) -> Answer {
    let late = |_| Err(KnownError::away(format!("no answer in {} s", KNOWN_DEADLINE.as_secs())));
    let since = Tracker::memory(Timestamp::now());
    let answer = async { Ok((known.firing().await?, known.told(since).await?)) };
    tokio::time::timeout(KNOWN_DEADLINE, answer).await.unwrap_or_else(late)
}

/// How long until then; a millisecond at least, so that a clock that stands doesn't make the loop spin.
fn until(at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default().max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests;
