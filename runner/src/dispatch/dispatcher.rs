//! The task that works on incidents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_agent::{Ending, fallback};
use marple_core::{Incident, IncidentId, Verdict};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Action, Detective, Lookout, Subjects, Work, WorkError};
use crate::clock::Clock;
use crate::config::InvestigationConfig;
use crate::correlate::Dependency;
use crate::route::Routes;
use crate::store::{ConcludedBy, InvestigationKind, InvestigationRow, Store, StoreError};

/// How many incidents are read from the store at a time. More wait there; the oldest are due first.
const BATCH: u32 = 1_000;

/// How many incidents are routed and put in the outbox at a time: each is a few commits that are grouped with others.
const TELLS: usize = 32;

/// How many members of an incident are looked at: they decide on routes and symptoms, and the worst come first.
const MEMBERS: u32 = 200;

/// How often the store is asked without being notified, and how long a failed step rests.
const RECHECK: Duration = Duration::from_secs(5);

/// The least time between two readings of what remains: in a storm, many notifications are one reading.
const BREATH: Duration = Duration::from_millis(20);

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
    /// Notified when incidents may have changed.
    pub changed: Arc<Notify>,
    /// The time.
    pub clock: Clock,
}

/// What a step left for the dispatcher to remember.
enum Stepped {
    /// Caught, with what is known of the work since.
    Captured { work: Work },
    /// In the outbox.
    Told,
    /// To be taken again.
    Failed,
    /// An investigation ended, or was interrupted and goes on from its last saved step.
    Investigated,
}

/// What is being worked on, beyond what the store knows.
#[derive(Default)]
struct Desk {
    work: BTreeMap<IncidentId, Work>,
    stepping: BTreeSet<IncidentId>,
    investigating: BTreeSet<IncidentId>,
    /// Whether every investigation that has begun is being worked on.
    investigations_known: bool,
    /// Incidents that were told and still gather objects.
    gathering: BTreeSet<IncidentId>,
}

impl Dispatcher {
    /// Works until cancelled. Steps under way are cancelled too: they are taken up again at the next start.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), DispatchError> {
        let dispatcher = Arc::new(self);
        let captures = Arc::new(Semaphore::new(dispatcher.config.captures.get()));
        let tells = Arc::new(Semaphore::new(TELLS));
        let investigations = Arc::new(Semaphore::new(dispatcher.config.concurrency.get()));
        let mut desk = Desk::default();
        let mut steps = JoinSet::new();
        loop {
            let now = dispatcher.clock.now();
            let wake = match dispatcher.survey(&mut desk, now).await {
                Ok(survey) => {
                    for (incident, work, action) in survey.actions {
                        let permits = if action == Action::Capture { &captures } else { &tells };
                        steps.spawn(Arc::clone(&dispatcher).step(
                            incident,
                            work,
                            action,
                            Arc::clone(permits),
                            cancel.clone(),
                        ));
                    }
                    for row in survey.investigations {
                        steps.spawn(Arc::clone(&dispatcher).investigate(
                            row,
                            Arc::clone(&investigations),
                            cancel.clone(),
                        ));
                    }
                    survey.wake.map_or(RECHECK, |at| until(now, at).min(RECHECK))
                }
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, "incidents can't be read; trying again");
                    RECHECK
                }
                Err(error) => return Err(error.into()),
            };
            tokio::select! {
                () = cancel.cancelled() => break,
                () = dispatcher.changed.notified() => {}
                Some(ended) = steps.join_next() => settle(&mut desk, ended),
                () = tokio::time::sleep(wake) => {}
            }
            while let Some(ended) = steps.try_join_next() {
                settle(&mut desk, ended);
            }
            tokio::time::sleep(BREATH).await;
        }
        while steps.join_next().await.is_some() {}
        Ok(())
    }

    /// Reads what remains to be done and decides on it.
    async fn survey(&self, desk: &mut Desk, now: Timestamp) -> Result<Survey, StoreError> {
        let mut survey = Survey::default();
        let mut incidents = Vec::new();
        for behind in self.store.incidents_needing_work(BATCH).await? {
            let objects = behind.incident.objects.len();
            // After a restart what was captured is taken to be what there is now.
            if let std::collections::btree_map::Entry::Vacant(e) = desk.work.entry(behind.incident.id) {
                let concluded = self.store.conclusion(behind.incident.id).await?;
                let work = Work {
                    unexplained: self.lookout.cluster.is_some()
                        && concluded.is_some_and(|known| known.conclusion.verdict == Verdict::Inconclusive),
                    captured_at: behind.captured_at,
                    captured_objects: objects,
                    captures: u32::from(behind.captured_at.is_some()),
                    investigated_objects: objects,
                    investigations: self.store.begun(behind.incident.id).await?.all,
                    ..Work::default()
                };
                e.insert(work);
            }
            if let Some(work) = desk.work.get_mut(&behind.incident.id) {
                work.told_revision = behind.told_revision;
            }
            desk.gathering.remove(&behind.incident.id);
            incidents.push(behind.incident);
        }
        for id in desk.gathering.clone() {
            match self.store.incident(id).await? {
                Some(incident) => incidents.push(incident),
                None => _ = desk.gathering.remove(&id),
            }
        }
        for incident in incidents {
            if desk.stepping.contains(&incident.id) {
                continue;
            }
            let id = incident.id;
            let work = desk.work.get(&id).copied().unwrap_or_default();
            match work.next(&incident, &self.config, now) {
                Action::WaitUntil(at) => {
                    survey.wake = Some(survey.wake.map_or(at, |wake| wake.min(at)));
                    if work.told_revision >= incident.revision {
                        desk.gathering.insert(id);
                    }
                }
                Action::Rest => _ = desk.gathering.remove(&id),
                action => {
                    desk.stepping.insert(id);
                    survey.actions.push((incident, work, action));
                }
            }
        }
        if self.detective.is_some() && !std::mem::replace(&mut desk.investigations_known, true) {
            for row in self.store.unfinished().await? {
                if row.kind == InvestigationKind::Cause && desk.investigating.insert(row.incident) {
                    survey.investigations.push(row);
                }
            }
        }
        // What is known of incidents that nobody works on any more is dropped; the store has what matters.
        if desk.work.len() > 4 * BATCH as usize {
            let open: BTreeSet<IncidentId> =
                self.store.open_incidents().await?.iter().map(|incident| incident.id).collect();
            desk.work.retain(|id, _| open.contains(id) || desk.stepping.contains(id));
        }
        Ok(survey)
    }

    async fn step(
        self: Arc<Self>,
        incident: Incident,
        work: Work,
        action: Action,
        permits: Arc<Semaphore>,
        cancel: CancellationToken,
    ) -> (IncidentId, Stepped) {
        let id = incident.id;
        let step = async {
            let _permit = permits.acquire_owned().await;
            match action {
                Action::Capture => self.capture(&incident, work, &cancel).await.map(|work| Stepped::Captured { work }),
                Action::Tell => self.tell(&incident).await.map(|()| Stepped::Told),
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
    async fn capture(&self, incident: &Incident, work: Work, cancel: &CancellationToken) -> Result<Work, WorkError> {
        let now = self.clock.now();
        let started = std::time::Instant::now();
        let members = self.store.members(incident.id, MEMBERS).await?;
        let subjects = Subjects::of(incident, &members);
        let evidence = self.store.evidence(incident.id);
        let capture = self.lookout.capture(&subjects, evidence.as_ref(), now, cancel).await?;
        metrics::histogram!("marple_capture_seconds").record(started.elapsed().as_secs_f64());
        tracing::info!(
            incident = %incident.id.short(), title = incident.title, findings = capture.findings.len(),
            verdict = ?capture.conclusion.verdict, summary = capture.conclusion.summary, "captured"
        );
        if !capture.dependencies.is_empty() {
            self.learn.learn(incident.id, capture.dependencies).await;
        }
        let conclusion = match &self.detective {
            Some(_) => capture.conclusion.clone(),
            None => fallback(&capture.conclusion, &Ending::NoModel),
        };
        let explained =
            self.store.conclusion(incident.id).await?.is_some_and(|known| {
                known.by == ConcludedBy::Agent && known.conclusion.verdict != Verdict::Inconclusive
            });
        let conclude = async {
            if !explained {
                self.store.set_conclusion(incident.id, &conclusion, ConcludedBy::Rules, now).await?;
            }
            Ok(())
        };
        // Together, so that they share a commit.
        tokio::try_join!(self.store.set_findings(incident.id, &capture.findings), conclude)?;
        // Where there is nothing to look at, looking again shows no more.
        let unexplained = capture.conclusion.verdict == Verdict::Inconclusive
            && self.lookout.cluster.is_some()
            && !subjects.objects.is_empty();
        let blind = unexplained && capture.unreached;
        let mut work = Work {
            captured_at: Some(now),
            captured_objects: incident.objects.len(),
            captures: work.captures + u32::from(!blind),
            blind: if blind { work.blind.saturating_add(1) } else { 0 },
            unexplained,
            ..work
        };
        if self.detective.is_some() && work.wants_model(incident, self.config.model_from) {
            if self.store.begun(incident.id).await?.unfinished == 0 {
                self.store.begin_investigation(incident.id, InvestigationKind::Cause, now).await?;
            }
            work.investigations += 1;
            work.investigated_objects = incident.objects.len();
        }
        self.store.mark_captured(incident.id, now).await?;
        Ok(work)
    }

    /// Puts a row in the outbox for each receiver that the routes name, and for each that was told before.
    async fn tell(&self, incident: &Incident) -> Result<(), WorkError> {
        let now = self.clock.now();
        let members = self.store.members(incident.id, MEMBERS).await?;
        let told = self.store.outbox_receivers(incident.id).await?;
        let receivers: BTreeSet<String> = self.routes.receivers(incident, &members).into_iter().chain(told).collect();
        for receiver in receivers {
            self.store.outbox_want(incident.id, &receiver, incident.revision, now).await?;
        }
        self.store.mark_told(incident.id, incident.revision).await?;
        Ok(())
    }

    async fn investigate(
        self: Arc<Self>,
        row: InvestigationRow,
        permits: Arc<Semaphore>,
        cancel: CancellationToken,
    ) -> (IncidentId, Stepped) {
        let id = row.incident;
        let Some(detective) = &self.detective else { return (id, Stepped::Investigated) };
        let work = async {
            self.wait_for_the_group(id).await?;
            let _permit = permits.acquire_owned().await;
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

fn settle(desk: &mut Desk, ended: Result<(IncidentId, Stepped), tokio::task::JoinError>) {
    // A step that panicked can't say which it was; the process ends with it (`panic = "abort"`).
    let Ok((id, stepped)) = ended else { return };
    match stepped {
        Stepped::Investigated => {
            desk.investigating.remove(&id);
            desk.investigations_known = false;
        }
        Stepped::Captured { work } => {
            desk.investigations_known = false;
            desk.stepping.remove(&id);
            desk.work.insert(id, work);
            desk.gathering.insert(id);
        }
        Stepped::Told => {
            desk.stepping.remove(&id);
            desk.gathering.insert(id);
        }
        Stepped::Failed => _ = desk.stepping.remove(&id),
    }
}

fn until(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
