//! The task that works on incidents.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use marple_agent::{Ending, fallback};
use marple_core::{Confidence, Incident, IncidentId, Verdict};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Stepped, Waiting};
use super::{Action, Detective, Lookout, Subjects, Work, WorkError, asking};
use crate::clock::Clock;
use crate::config::{Asking, InvestigationConfig};
use crate::correlate::Dependency;
use crate::route::Routes;
use crate::store::{Behind, Captured, ConcludedBy, InvestigationKind, InvestigationRow, Store, StoreError};

/// How many incidents the store names at a time. More wait there; the oldest are due first.
const BATCH: u32 = 5_000;

/// How many of them are read at a time.
const READ: usize = 500;

/// How many incidents are written of at a time: the writes of each are one commit, which is shared.
const WRITES: usize = 32;

/// How many members of an incident are looked at: they decide on routes and symptoms, and the worst come first.
const MEMBERS: u32 = 200;

/// How often the store is asked without being notified, and how long a failed step rests.
const RECHECK: Duration = Duration::from_secs(5);

/// The least time between two readings of what remains: in a storm, many notifications are one reading. What is long
/// to be read is read less often.
const BREATH: Duration = Duration::from_millis(10);
const BREATHS: u32 = 4;

/// The work on incidents can't go on: the store is damaged or gone. Trying again doesn't help.
#[derive(Debug, thiserror::Error)]
#[error("work on incidents: {0}")]
pub struct DispatchError(#[from] StoreError);

/// Is told what depends on what, so that incidents of one cause become one.
#[async_trait]
pub trait Learn: Send + Sync {
    /// Takes dependencies of an incident's objects into account.
    async fn learn(&self, incident: IncidentId, dependencies: Vec<Dependency>);
}

/// Works on incidents.
pub struct Dispatcher {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// What is looked at when one opens.
    pub lookout: Lookout,
    /// Investigates, where a model is set.
    pub detective: Option<Arc<Detective>>,
    /// Who is told.
    pub routes: Routes,
    /// Hears what depends on what.
    pub learn: Arc<dyn Learn>,
    /// When and how.
    pub config: InvestigationConfig,
    /// The cluster's name.
    pub cluster_name: String,
    /// Notified when incidents may have changed.
    pub changed: Arc<Notify>,
    /// Notified when a person has asked for an investigation.
    pub asked: Arc<Notify>,
    /// The time.
    pub clock: Clock,
}

/// What is done at a time.
struct Room {
    captures: Semaphore,
    writes: Semaphore,
    investigations: Semaphore,
}

impl Dispatcher {
    /// Works until cancelled. Steps under way are cancelled too: they are taken up again at the next start.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), DispatchError> {
        let dispatcher = Arc::new(self);
        let room = Room {
            captures: Semaphore::new(dispatcher.config.captures.get()),
            writes: Semaphore::new(WRITES),
            investigations: Semaphore::new(dispatcher.config.concurrency.get()),
        };
        let room = Arc::new(room);
        let mut desk = Desk::default();
        let mut steps = JoinSet::new();
        loop {
            let now = dispatcher.clock.now();
            let began = Instant::now();
            let wake = match dispatcher.survey(&mut desk, now).await {
                Ok(survey) => {
                    for (incident, work, action) in survey.actions {
                        let step =
                            Arc::clone(&dispatcher).step(incident, work, action, Arc::clone(&room), cancel.clone());
                        steps.spawn(step);
                    }
                    for row in survey.investigations {
                        steps.spawn(Arc::clone(&dispatcher).investigate(row, Arc::clone(&room), cancel.clone()));
                    }
                    survey.wake.map_or(RECHECK, |at| until(now, at).min(RECHECK))
                }
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, "incidents can't be read; trying again");
                    RECHECK
                }
                Err(error) => return Err(error.into()),
            };
            let next = Instant::now() + (began.elapsed() * BREATHS).clamp(BREATH, RECHECK);
            tokio::select! {
                () = cancel.cancelled() => break,
                () = dispatcher.changed.notified() => {}
                () = dispatcher.asked.notified() => desk.investigations_known = false,
                Some(ended) = steps.join_next() => desk.settle(ended),
                () = tokio::time::sleep(wake) => {}
            }
            if cancel.run_until_cancelled(tokio::time::sleep_until(next.into())).await.is_none() {
                break;
            }
            while let Some(ended) = steps.try_join_next() {
                desk.settle(ended);
            }
        }
        while steps.join_next().await.is_some() {}
        Ok(())
    }

    /// Reads what remains to be done and decides on it.
    async fn survey(&self, desk: &mut Desk, now: Timestamp) -> Result<Survey, StoreError> {
        let mut survey = Survey::default();
        let due = desk.due(&self.store.incidents_needing_work(BATCH).await?, now);
        let gathering = desk.gathering(&due);
        // Those that open later may be of another cause: in a steady stream of incidents there always are some.
        let gather =
            |id: IncidentId| gathering.is_some_and(|other| other.after(&id) < self.config.group_wait.duration());
        for ids in due.chunks(READ) {
            let behind = self.store.incidents_behind(ids).await?;
            for gone in ids.iter().filter(|id| !behind.iter().any(|behind| behind.incident.id == **id)) {
                desk.waiting.remove(gone);
            }
            for Behind { incident, captured_at, told_revision } in behind {
                let id = incident.id;
                let mut work = match desk.work.get(&id) {
                    Some(work) => *work,
                    None => self.known_work(&incident, captured_at).await?,
                };
                work.told_revision = told_revision;
                desk.work.insert(id, work);
                desk.waiting.remove(&id);
                match work.next(&incident, &self.config, gather(id), now) {
                    Action::WaitUntil(until) => {
                        desk.waiting.insert(id, Waiting { until, revision: incident.revision });
                    }
                    Action::Rest => {}
                    action => {
                        desk.stepping.insert(id);
                        survey.actions.push((incident, work, action));
                    }
                }
            }
        }
        if !desk.recalled {
            self.recall(desk).await?;
            desk.recalled = true;
        }
        survey.wake = desk.waiting.values().map(|waiting| waiting.until).min();
        if self.detective.is_some() && !std::mem::replace(&mut desk.investigations_known, true) {
            for row in self.store.unfinished().await? {
                if row.kind == InvestigationKind::Cause && desk.investigating.insert(row.incident) {
                    survey.investigations.push(row);
                }
            }
        }
        desk.tidy(2 * BATCH as usize);
        Ok(survey)
    }

    async fn step(
        self: Arc<Self>,
        incident: Incident,
        work: Work,
        action: Action,
        room: Arc<Room>,
        cancel: CancellationToken,
    ) -> (IncidentId, Stepped) {
        let id = incident.id;
        let step = async {
            match action {
                Action::Capture => {
                    self.capture(&incident, work, &room, &cancel).await.map(|work| Stepped::Captured { work })
                }
                Action::Tell => self.tell(&incident, &room).await.map(|()| Stepped::Told),
                Action::WaitUntil(_) | Action::Rest => Ok(Stepped::Told),
            }
        };
        let ended = tokio::select! {
            () = cancel.cancelled() => return (id, Stepped::Failed),
            ended = step => ended,
        };
        match ended {
            Ok(stepped) => (id, stepped),
            Err(error) => {
                tracing::warn!(incident = %id.short(), %error, "a step failed; it is taken again");
                metrics::counter!("marple_dispatch_failures_total").increment(1);
                tokio::select! {
                    () = cancel.cancelled() => {}
                    () = tokio::time::sleep(RECHECK) => {}
                }
                (id, Stepped::Failed)
            }
        }
    }

    /// Catches the state, keeps findings and the rules' conclusion, and begins an investigation where one is wanted.
    async fn capture(
        &self,
        incident: &Incident,
        work: Work,
        room: &Room,
        cancel: &CancellationToken,
    ) -> Result<Work, WorkError> {
        let permit = room.captures.acquire().await;
        let now = self.clock.now();
        let started = Instant::now();
        let members = self.store.members(incident.id, MEMBERS).await?;
        let subjects = Subjects::of(incident, &members);
        let evidence = self.store.evidence(incident.id);
        let capture = self.lookout.capture(&subjects, evidence.as_ref(), now, cancel).await?;
        metrics::histogram!("marple_capture_seconds").record(started.elapsed().as_secs_f64());
        tracing::info!(
            incident = %incident.id.short(), title = incident.title, findings = capture.findings.len(),
            verdict = ?capture.conclusion.verdict, summary = capture.conclusion.summary, "captured"
        );
        drop(permit);
        if !capture.dependencies.is_empty() {
            self.learn.learn(incident.id, capture.dependencies).await;
        }
        let _permit = room.writes.acquire().await;
        let conclusion = match &self.detective {
            Some(_) => capture.conclusion.clone(),
            None => fallback(&capture.conclusion, &Ending::NoModel),
        };
        let known = match work.captured_at {
            Some(_) => self.store.conclusion(incident.id).await?,
            None => None,
        };
        // What was seen before may be gone: a look that finds less says nothing against it.
        let less = capture.conclusion.verdict == Verdict::Inconclusive;
        let explained = known.filter(|known| known.conclusion.verdict != Verdict::Inconclusive);
        let kept = explained.as_ref().is_some_and(|known| less || known.by == ConcludedBy::Agent);
        // Where there is nothing to look at, looking again shows no more.
        let looks = self.lookout.cluster.is_some() && !subjects.objects.is_empty();
        let blind = less && looks && capture.unreached;
        // What was just changed isn't judged yet: who fails by it is seen before why.
        let unexplained = looks && (less || capture.conclusion.confidence == Confidence::Low);
        let mut work = Work {
            captured_at: Some(now),
            captured_objects: incident.objects.len(),
            captures: work.captures + u32::from(!blind),
            blind: if blind { work.blind.saturating_add(1) } else { 0 },
            unexplained,
            ..work
        };
        let asking = asking(&self.config, &self.cluster_name, incident, &members, now);
        let investigate = self.detective.is_some() && work.wants_model(incident, asking);
        let captured = Captured {
            findings: (explained.is_none() || !less).then_some(capture.findings.as_slice()),
            conclusion: (!kept).then_some(&conclusion),
            investigate,
            at: now,
        };
        self.store.keep_capture(incident.id, captured).await?;
        if investigate {
            work.investigations += 1;
            work.investigated_objects = incident.objects.len();
            work.investigated_severity = incident.severity;
        }
        Ok(work)
    }

    /// How often the model is asked about an incident.
    pub(super) async fn asking(&self, incident: &Incident) -> Result<Asking, StoreError> {
        let members = self.store.members(incident.id, MEMBERS).await?;
        Ok(asking(&self.config, &self.cluster_name, incident, &members, self.clock.now()))
    }

    /// Puts a row in the outbox for each receiver that the routes name, and for each that was told before.
    async fn tell(&self, incident: &Incident, room: &Room) -> Result<(), WorkError> {
        let _permit = room.writes.acquire().await;
        let members = self.store.members(incident.id, MEMBERS).await?;
        let receivers = self.routes.receivers(incident, &members);
        let receivers: Vec<&str> = receivers.iter().map(String::as_str).collect();
        self.store.outbox_want(incident.id, &receivers, incident.revision, self.clock.now()).await?;
        Ok(())
    }

    async fn investigate(
        self: Arc<Self>,
        row: InvestigationRow,
        room: Arc<Room>,
        cancel: CancellationToken,
    ) -> (IncidentId, Stepped) {
        let id = row.incident;
        let Some(detective) = &self.detective else { return (id, Stepped::Investigated) };
        let work = async {
            self.wait_for_the_group(id).await?;
            let _permit = room.investigations.acquire().await;
            detective.investigate(&row, &cancel).await
        };
        let ended = tokio::select! {
            () = cancel.cancelled() => return (id, Stepped::Investigated),
            ended = work => ended,
        };
        if let Err(error) = ended {
            tracing::warn!(incident = %id.short(), %error, "an investigation was interrupted; it goes on later");
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(RECHECK) => {}
            }
        }
        (id, Stepped::Investigated)
    }

    /// Until the group wait is over, other alerts may show that the cause lies elsewhere: a model's time would be lost.
    async fn wait_for_the_group(&self, id: IncidentId) -> Result<(), WorkError> {
        if let Some(incident) = self.store.incident(id).await? {
            let age = until(incident.opened_at, self.clock.now());
            tokio::time::sleep(self.config.group_wait.duration().saturating_sub(age)).await;
        }
        Ok(())
    }
}

/// What remains to be done.
#[derive(Default)]
struct Survey {
    actions: Vec<(Incident, Work, Action)>,
    investigations: Vec<InvestigationRow>,
    wake: Option<Timestamp>,
}

fn until(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
