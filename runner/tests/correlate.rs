//! The correlator over a real store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Fingerprint, IncidentStatus, Labels, ObjectRef, Severity, Signal, SignalSource, SignalStatus};
use marple_runner::clock::Clock;
use marple_runner::correlate::{CorrelateConfig, Correlator, Dependency, Known, Owners, Related, Teacher};
use marple_runner::store::{IncidentFilter, Incidents as _, Moment, Signals as _, SqliteStore};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Owners by the first letter of the pod's name, while the cluster can be asked.
#[derive(Default)]
struct Lettered {
    away: AtomicBool,
}

#[async_trait]
impl Owners for Lettered {
    async fn related(&self, objects: &[ObjectRef]) -> Vec<Option<Related>> {
        let owner = |object: &ObjectRef| {
            let owner = ObjectRef::namespaced("Deployment", "shop", &object.name[..1]);
            Related { owner: Some(owner), node: None, known: Known::Owners }
        };
        objects.iter().map(|object| (!self.away.load(Ordering::SeqCst)).then(|| owner(object))).collect()
    }
}

struct Runner {
    folder: TempDir,
    store: SqliteStore,
    owners: Arc<Lettered>,
    changed: Arc<Notify>,
    teacher: Teacher,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Runner {
    async fn start(folder: TempDir) -> Self {
        let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
        let (owners, changed, cancel) =
            (Arc::new(Lettered::default()), Arc::new(Notify::new()), CancellationToken::new());
        let config = CorrelateConfig::default();
        let asked: Arc<dyn Owners> = Arc::clone(&owners) as _;
        let (correlator, teacher) =
            Correlator::new(Arc::new(store.clone()), asked, config, Arc::clone(&changed), Clock::system());
        let running = cancel.clone();
        let task = tokio::spawn(async move { correlator.run(running).await.unwrap() });
        Self { folder, store, owners, changed, teacher, cancel, task }
    }

    /// Ends it, and starts it again on what it kept.
    async fn restart(self) -> Self {
        self.cancel.cancel();
        self.task.await.unwrap();
        self.store.close().await;
        drop(self.store);
        Self::start(self.folder).await
    }

    async fn accept(&self, signals: &[Signal]) {
        self.store.accept(signals.to_vec(), vec![], Timestamp::now()).await.unwrap();
    }

    /// Waits until what the incidents are, as title, state and signals that hold, oldest first.
    async fn until(&self, expected: &[(&str, IncidentStatus, u32)]) {
        let mut seen = vec![];
        let wait = async {
            loop {
                let mut incidents = self.store.incidents(&IncidentFilter::default()).await.unwrap();
                incidents.reverse();
                seen = incidents.into_iter().map(|one| (one.title, one.status, one.firing)).collect::<Vec<_>>();
                if seen
                    .iter()
                    .map(|(title, status, firing)| (title.as_str(), *status, *firing))
                    .eq(expected.iter().copied())
                {
                    return;
                }
                self.changed.notified().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        assert!(waited.is_ok(), "expected {expected:#?}, there are {seen:#?}");
    }
}

fn signal(pod: &str, status: SignalStatus) -> Signal {
    let labels: Labels = [("alertname", "X"), ("namespace", "shop"), ("pod", pod)].into_iter().collect();
    let now = Timestamp::now();
    Signal {
        source: SignalSource::Alertmanager,
        fingerprint: Fingerprint::of(&labels),
        status,
        name: "X".to_owned(),
        severity: Severity::Warning,
        subject: Some(ObjectRef::namespaced("Pod", "shop", pod)),
        labels,
        annotations: Labels::new(),
        starts_at: Timestamp::from_second(1_800_000_000).unwrap().min(now),
        ends_at: (status == SignalStatus::Resolved).then_some(now),
        generator_url: None,
    }
}

const OPEN: IncidentStatus = IncidentStatus::Open;

#[tokio::test]
async fn what_was_folded_before_a_restart_goes_on_after_it() {
    let runner = Runner::start(tempfile::tempdir().unwrap()).await;
    runner.accept(&[signal("a1", SignalStatus::Firing), signal("b1", SignalStatus::Firing)]).await;
    runner.until(&[("Deployment shop/a: X", OPEN, 1), ("Deployment shop/b: X", OPEN, 1)]).await;
    let runner = runner.restart().await;
    runner.accept(&[signal("a2", SignalStatus::Firing), signal("b1", SignalStatus::Resolved)]).await;
    runner.until(&[("Deployment shop/a: X", OPEN, 2), ("Deployment shop/b: X", IncidentStatus::Resolved, 0)]).await;
}

#[tokio::test]
async fn owners_that_could_not_be_told_are_asked_for_again_and_incidents_joined() {
    let runner = Runner::start(tempfile::tempdir().unwrap()).await;
    runner.owners.away.store(true, Ordering::SeqCst);
    runner.accept(&[signal("a1", SignalStatus::Firing), signal("a2", SignalStatus::Firing)]).await;
    runner.until(&[("Pod shop/a1: X", OPEN, 1), ("Pod shop/a2: X", OPEN, 1)]).await;
    // Also over a restart, it is known what is not known.
    let runner = runner.restart().await;
    runner.until(&[("Deployment shop/a: X", OPEN, 2)]).await;
    let merged = IncidentFilter { status: vec![IncidentStatus::Merged], ..IncidentFilter::default() };
    assert_eq!(runner.store.incidents(&merged).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_learned_of_dependencies_lasts_over_a_restart() {
    let runner = Runner::start(tempfile::tempdir().unwrap()).await;
    runner.accept(&[signal("a1", SignalStatus::Firing)]).await;
    runner.until(&[("Deployment shop/a: X", OPEN, 1)]).await;
    let id = runner.store.open_incidents().await.unwrap()[0].id;
    let deployment = |name: &str| ObjectRef::namespaced("Deployment", "shop", name);
    let dependency = Dependency { from: deployment("a"), to: deployment("b"), how: "env URL names it".to_owned() };
    runner.teacher.learn(id, vec![dependency]).await.unwrap();
    let runner = runner.restart().await;
    runner.accept(&[signal("b1", SignalStatus::Firing)]).await;
    runner.until(&[("Deployment shop/a and 1 more: X", OPEN, 2)]).await;
    let story = runner.store.timeline(id, 10).await.unwrap();
    assert_eq!(story[0].moment, Moment::Opened { name: "X".to_owned() });
    let members = runner.store.members(id, 10).await.unwrap();
    assert!(
        members.iter().any(|one| one.reason.to_string().contains("depends on Deployment shop/b: env URL names it"))
    );
}
