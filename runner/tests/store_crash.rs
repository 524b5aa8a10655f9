//! The program is killed between intake and correlation, at many points: nothing that was answered is lost, and nothing
//! is taken account of twice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Fingerprint, Labels, ObjectRef, Severity, Signal, SignalSource, SignalStatus};
use marple_runner::clock::Clock;
use marple_runner::correlate::{CorrelateConfig, Correlator, Known, Owners, Related};
use marple_runner::store::{IncidentFilter, Incidents as _, Signals as _, SqliteStore};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const FOLDER: &str = "MARPLE_TEST_CRASH_FOLDER";
const POSTS: usize = 60;
const EACH: usize = 10;
const WORKLOADS: usize = 12;

/// Pods are of the workload that their number tells.
struct Numbered;

#[async_trait]
impl Owners for Numbered {
    async fn related(&self, objects: &[ObjectRef]) -> Vec<Option<Related>> {
        let owner = |object: &ObjectRef| {
            let number: usize = object.name.trim_start_matches('p').parse().unwrap();
            let owner = ObjectRef::namespaced("Deployment", "shop", format!("w{}", number % WORKLOADS));
            Some(Related { owner: Some(owner), node: None, known: Known::Owners })
        };
        objects.iter().map(owner).collect()
    }
}

fn post(number: usize) -> Vec<Signal> {
    (0..EACH).map(|index| signal(number * EACH + index)).collect()
}

fn signal(number: usize) -> Signal {
    let pod = format!("p{number}");
    let labels: Labels = [("alertname", "X"), ("namespace", "shop"), ("pod", &pod)].into_iter().collect();
    Signal {
        source: SignalSource::Alertmanager,
        fingerprint: Fingerprint::of(&labels),
        status: SignalStatus::Firing,
        name: "X".to_owned(),
        severity: Severity::Warning,
        subject: Some(ObjectRef::namespaced("Pod", "shop", pod)),
        labels,
        annotations: Labels::new(),
        starts_at: Timestamp::from_second(1_800_000_000).unwrap(),
        ends_at: None,
        generator_url: None,
    }
}

async fn open(folder: &Path) -> (SqliteStore, CancellationToken, tokio::task::JoinHandle<()>, Arc<Notify>) {
    let store = SqliteStore::open(&folder.join("marple.db")).await.unwrap();
    let (cancel, changed) = (CancellationToken::new(), Arc::new(Notify::new()));
    let config = CorrelateConfig::default();
    let (correlator, _) =
        Correlator::new(Arc::new(store.clone()), Arc::new(Numbered), config, Arc::clone(&changed), Clock::system());
    let running = cancel.clone();
    let task = tokio::spawn(async move { correlator.run(running).await.unwrap() });
    (store, cancel, task, changed)
}

/// The program that is killed: it accepts posts and says so, while it folds.
#[test]
fn the_program_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (store, ..) = open(Path::new(&folder)).await;
        for number in 0..POSTS {
            store.accept(post(number), vec![], Timestamp::now()).await.unwrap();
            println!("answered {number}");
            std::io::stdout().flush().unwrap();
        }
        std::future::pending::<()>().await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_and_nothing_is_told_twice_when_the_program_is_killed() {
    for kill_after in [1, 2, 3, 5, 8, 13, 21, 34, 47, POSTS] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["the_program_that_is_killed", "--exact", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let answered = lines.map_while(Result::ok).filter(|line| line.contains("answered")).take(kill_after).count();
        assert_eq!(answered, kill_after);
        child.kill().unwrap();
        child.wait().unwrap();

        let (store, cancel, task, changed) = open(folder.path()).await;
        let kept = store.firing(SignalSource::Alertmanager).await.unwrap();
        for number in 0..answered {
            for signal in post(number) {
                assert!(kept.contains(&signal), "{:?} was answered and is lost", signal.subject);
            }
        }
        // Alertmanager sends again what was not answered, and some of what was.
        for number in 0..POSTS {
            store.accept(post(number), vec![], Timestamp::now()).await.unwrap();
        }
        let done = async {
            while !store.unprocessed(1).await.unwrap().is_empty() {
                changed.notified().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), done).await.unwrap();
        let incidents = store.incidents(&IncidentFilter { limit: 500, ..Default::default() }).await.unwrap();
        let mut members = BTreeMap::new();
        for incident in &incidents {
            let held = store.members(incident.id, 10_000).await.unwrap();
            assert_eq!((held.len(), incident.signals, incident.firing), (50, 50, 50), "{}", incident.title);
            members.extend(held.into_iter().map(|member| (member.fingerprint, incident.id)));
        }
        assert_eq!((incidents.len(), members.len()), (WORKLOADS, POSTS * EACH), "killed after {kill_after} posts");
        cancel.cancel();
        task.await.unwrap();
        store.close().await;
    }
}
