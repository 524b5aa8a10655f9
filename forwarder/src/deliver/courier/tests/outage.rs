//! The runner is away for five minutes while much happens, and the forwarder is killed meanwhile: the time is compressed, what
//! happens in it is not.

use std::collections::BTreeMap;

use marple_core::SignalStatus::Resolved;
use marple_core::{Change, ObjectRef};

use super::*;
use crate::change::Entry;

/// Twenty changes a second for five minutes.
const CHANGES: usize = 20 * 300;
/// The most objects of one post, as the history hands them on.
const POST: usize = 50;
/// Two conditions a second that begin or end, of so many pods.
const FLIPS: u64 = 2 * 300;
const PODS: u64 = 40;
/// So many are handed on together.
const TOGETHER: u64 = 10;
/// More than may wait in memory for a runner that is away.
const BEYOND_MEMORY: u64 = 4 << 20;

/// What changed in one ConfigMap, with a file of some size.
fn entry(number: usize) -> Entry {
    let object = ObjectRef::namespaced("ConfigMap", "shop", number.to_string());
    let change = json!({"cluster": "test", "object": object, "uid": "u", "version": number.to_string(),
        "at": "2026-01-02T03:04:05Z", "kind": "altered",
        "fields": [{"path": "data.app.yaml", "before": "b".repeat(500), "after": "a".repeat(500)}]});
    let change: Change = serde_json::from_value(change).unwrap();
    Entry { object, changes: vec![change], state: None }
}

fn flip(number: u64) -> Signal {
    signal(number % PODS, if (number / PODS).is_multiple_of(2) { Firing } else { Resolved })
}

/// A forwarder: its courier, and what empties the spool.
struct Process {
    courier: Arc<Courier>,
    running: tokio::task::JoinHandle<()>,
}

impl Process {
    async fn start(runner: &Runner, folder: &TempDir) -> Self {
        let courier = spooling(runner, folder, "64MiB").await;
        let running = run(&courier).1;
        Self { courier, running }
    }

    /// Nothing is closed and nothing is waited for.
    async fn kill(self) {
        self.running.abort();
        assert!(self.running.await.unwrap_err().is_cancelled());
    }

    /// What a tenth of the outage brings.
    async fn tenth(&self, nth: usize) {
        for post in 0..CHANGES / 10 / POST {
            let first = nth * CHANGES / 10 + post * POST;
            let batch = Batch { entries: (first..first + POST).map(entry).collect(), ..changes("test") };
            self.courier.record(batch).await.unwrap();
        }
        let first = u64::try_from(nth).unwrap() * FLIPS / 10;
        for post in 0..FLIPS / 10 / TOGETHER {
            let first = first + post * TOGETHER;
            self.courier.deliver((first..first + TOGETHER).map(flip).collect()).await.unwrap();
        }
    }
}

/// What a runner keeps of what it took: of each stream each number once.
fn kept(took: Vec<(String, Option<Sequence>)>) -> Vec<String> {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let news = took.into_iter().filter(|(_, sequence)| {
        let Sequence { stream, number } = sequence.unwrap();
        let last = last.entry(stream.to_string()).or_default();
        let is_new = number > *last;
        *last = number.max(*last);
        is_new
    });
    news.map(|(content, _)| content).collect()
}

#[tokio::test]
async fn five_minutes_of_churn_wait_on_the_disk_and_arrive_once_and_in_order_though_the_forwarder_is_killed_twice() {
    let (runner, folder) = (Runner::default(), tempfile::tempdir().unwrap());
    runner.away(true);
    let mut process = Process::start(&runner, &folder).await;
    for nth in 0..10 {
        process.tenth(nth).await;
        if nth == 6 {
            process.kill().await;
            process = Process::start(&runner, &folder).await;
        }
    }
    let spooled = std::fs::metadata(folder.path().join("spool.db")).unwrap().len();
    assert!(spooled > BEYOND_MEMORY, "{spooled} bytes are on the disk");
    let posts = CHANGES / POST + usize::try_from(FLIPS / TOGETHER).unwrap();
    runner.away(false);
    // It is killed again where some is delivered and some is not.
    tokio::time::timeout(Duration::from_mins(2), until_took(&runner, posts / 3)).await.unwrap();
    process.kill().await;
    process = Process::start(&runner, &folder).await;
    let emptied = async {
        while process.courier.emptied().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), emptied).await.unwrap();

    let (signals, changes): (Vec<String>, Vec<String>) =
        kept(runner.took()).into_iter().partition(|content| content.starts_with('['));
    let numbers: Vec<usize> = changes.iter().flat_map(|names| names.split(' ')).map(|it| it.parse().unwrap()).collect();
    assert_eq!(numbers, (0..CHANGES).collect::<Vec<_>>(), "each change once and in order");
    let told: Vec<u64> = signals.iter().flat_map(|list| serde_json::from_str::<Vec<u64>>(list).unwrap()).collect();
    assert_eq!(
        told,
        (0..FLIPS).map(|number| number % PODS).collect::<Vec<_>>(),
        "each condition each time that it began or ended, in order"
    );
    process.kill().await;
}

async fn until_took(runner: &Runner, count: usize) {
    while runner.took().len() < count {
        tokio::task::yield_now().await;
    }
}
