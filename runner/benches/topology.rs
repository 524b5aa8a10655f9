//! Look-ups in the topology of 10,000 pods in 1,000 Deployments, and how long it takes to keep all of it.
//!
//! `cargo bench -p marple-runner --bench topology`. Each look-up is timed from the call to its answer, in a store on disk.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use marple_core::links::Owner;
use marple_core::{Labels, Links, Need, ObjectRef, Selector};
use marple_forwarder::topology::{Batch, Entry, Listing};
use marple_runner::store::{SqliteStore, Topology as _};

const DEPLOYMENTS: usize = 1_000;
/// Of each Deployment.
const PODS: usize = 10;
/// Pods on each node.
const ON_NODE: usize = 100;
/// Namespaces among which Deployments are.
const NAMESPACES: usize = 50;
/// Objects of one batch, as the forwarder sends them.
const BATCH: usize = 100;
/// Times that each look-up is made.
const TIMES: usize = 2_000;

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(run());
}

async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    let entries = entries();
    let (began, mut slowest) = (Instant::now(), Duration::ZERO);
    for entries in entries.chunks(BATCH) {
        let batch = Batch { cluster: "bench".to_owned(), entries: entries.to_vec(), listed: vec![] };
        let began = Instant::now();
        store.chart(None, &batch, Timestamp::now()).await.unwrap();
        slowest = slowest.max(began.elapsed());
    }
    println!("{} objects kept in {:.1?}, {BATCH} a batch, the slowest {slowest:.1?}", entries.len(), began.elapsed());
    store.close().await;
    drop(store);
    let bytes = std::fs::metadata(folder.path().join("marple.db")).unwrap().len();
    println!("{} bytes of the file an object", bytes / u64::try_from(entries.len()).unwrap());
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();

    let pod = |at: usize| object("Pod", at % DEPLOYMENTS, &format!("app-{}-1-{}", at % DEPLOYMENTS, at % PODS));
    time("owners of a pod, to the top", async |at| {
        assert_eq!(store.chains("bench", &[pod(at)]).await.unwrap().first().map(Vec::len), Some(3));
    })
    .await;
    time("owners of 100 pods at once", async |at| {
        let pods: Vec<ObjectRef> = (at..at + 100).map(pod).collect();
        assert_eq!(store.chains("bench", &pods).await.unwrap().len(), 100);
    })
    .await;
    time("what needs a ConfigMap", async |at| {
        let map = object("ConfigMap", at % DEPLOYMENTS, &format!("settings-{}", at % DEPLOYMENTS));
        assert_eq!(store.dependents("bench", &map, 500).await.unwrap().len(), 1 + PODS);
    })
    .await;
    time("what runs on a node", async |at| {
        let node = ObjectRef::cluster("Node", format!("node-{}", at % (DEPLOYMENTS * PODS / ON_NODE)));
        assert_eq!(store.dependents("bench", &node, 500).await.unwrap().len(), ON_NODE);
    })
    .await;
    time("what selects a pod", async |at| {
        let labels = labels(at % DEPLOYMENTS);
        assert_eq!(store.selecting("bench", &namespace(at % DEPLOYMENTS), &labels).await.unwrap().len(), 1);
    })
    .await;
}

async fn time(what: &str, look: impl AsyncFn(usize)) {
    let mut times = Vec::with_capacity(TIMES);
    for at in 0..TIMES {
        // Neighbours are in the same page: far ones are looked at one after another.
        let at = at * 7_919;
        let began = Instant::now();
        look(at).await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let of = |percent: usize| times.get((TIMES - 1) * percent / 100).copied().unwrap_or_default();
    println!("{what}: p50 {:.2?}, p99 {:.2?}", of(50), of(99));
}

fn namespace(deployment: usize) -> String {
    format!("team-{}", deployment % NAMESPACES)
}

fn object(kind: &str, deployment: usize, name: &str) -> ObjectRef {
    ObjectRef::namespaced(kind, namespace(deployment), name)
}

fn labels(deployment: usize) -> Labels {
    let own = [("app".to_owned(), format!("app-{deployment}"))];
    own.into_iter().chain((0..7).map(|at| (format!("example.com/label-{at}"), format!("value-{at}")))).collect()
}

fn owner(kind: &str, name: String) -> Owner {
    Owner { api_version: "apps/v1".to_owned(), kind: kind.to_owned(), name }
}

/// Each Deployment with its ReplicaSet, pods, Service and autoscaler.
fn entries() -> Vec<Entry> {
    let entry =
        |object: ObjectRef, links: Links| Entry { object, listing: Listing(1), links: Some(links), gone_at: None };
    let mut entries = Vec::new();
    for at in 0..DEPLOYMENTS {
        let (name, set) = (format!("app-{at}"), format!("app-{at}-1"));
        let needs = || [Need::new("ConfigMap", format!("settings-{at}")), Need::new("Secret", "registry")].into();
        let links = Links { needs: needs(), labels: labels(at), ..Links::default() };
        entries.push(entry(object("Deployment", at, &name), links));
        entries.push(entry(
            object("ReplicaSet", at, &set),
            Links { owner: Some(owner("Deployment", name.clone())), ..Links::default() },
        ));
        let selector = Selector { labels: [("app", &name)].into_iter().collect(), ..Selector::default() };
        entries.push(entry(object("Service", at, &name), Links { selector: Some(selector), ..Links::default() }));
        let scales = Some(Need::new("Deployment", &name));
        entries.push(entry(object("HorizontalPodAutoscaler", at, &name), Links { scales, ..Links::default() }));
        for pod in 0..PODS {
            let links = Links {
                uid: format!("00000000-0000-0000-{at:04}-{pod:012}"),
                owner: Some(owner("ReplicaSet", set.clone())),
                node: Some(format!("node-{}", (at * PODS + pod) / ON_NODE)),
                needs: needs(),
                labels: labels(at),
                ..Links::default()
            };
            entries.push(entry(object("Pod", at, &format!("{set}-{pod}")), links));
        }
    }
    entries
}
