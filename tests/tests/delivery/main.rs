//! What a forwarder apart sees reaches the runner whatever fails between: each change once, and in the end the picture of
//! the cluster as it is.
//!
//! Needs `MARPLE_TEST_CONTEXT`, the name of a kubeconfig context; without it each test says so and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]

mod faults;
mod lone;
mod replicas;
mod stage;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context as _, Result};
use kube::api::DeleteParams;
use marple_core::{Change, ChangeKind};
use marple_tests::api_server::{ApiServer, compact_etcd};
use marple_tests::chance::Chance;
use marple_tests::cluster::{Namespace, TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::forwarding::Forwarding;
use marple_tests::kubeconfig::Kubeconfig;
use marple_tests::program::Program;
use marple_tests::proxy::Proxy;
use marple_tests::tap::Tap;

use faults::{AT_ONCE, breaks, broken_at_end, full_name, turns};
use stage::{ARRIVED_WITHIN, MAPS, Stage, step};

/// How often each object is altered without pause.
const WRITES: usize = 60;

/// How often each is altered while the runner is away: together 20 times a second for five minutes, which pass faster here.
const AWAY_WRITES: usize = 20 * 300 / MAPS;

/// How long all of that may take to arrive.
const ALL_WITHIN: Duration = Duration::from_mins(10);

/// More than may wait in memory for a runner that is away, in bytes.
const BEYOND_MEMORY: f64 = 4.0 * 1024.0 * 1024.0;

/// A runner that watches nothing itself.
const RUNNER: &str = "cluster: { name: test, enabled: false }\nforwarder: { enabled: false }";

/// What the forwarder watches: one namespace, with a resync that mends nothing within the test.
fn configuration(kubeconfig: &str, namespace: &Namespace) -> String {
    format!(
        "cluster: {{ name: test, kubeconfig: {kubeconfig} }}\n\
         forwarder: {{ namespaces: {{ include: [{}] }}, resync: 1h, conditions: {{ {AT_ONCE} }} }}",
        namespace.name()
    )
}

/// Writes counts into all maps until each has so many, with a pause after each round, and gives up to which.
async fn churn(stage: &Stage, writes: usize, pause: Duration) -> Result<BTreeMap<usize, usize>> {
    churn_on(stage, 1..=writes, pause).await
}

/// The same from one count on.
async fn churn_on(stage: &Stage, writes: RangeInclusive<usize>, pause: Duration) -> Result<BTreeMap<usize, usize>> {
    let last = *writes.end();
    for count in writes {
        futures::future::try_join_all((0..MAPS).map(|map| stage.write(map, count))).await?;
        let (at, broken) = breaks(count);
        stage.faults.set(at, broken).await?;
        tokio::time::sleep(pause).await;
    }
    Ok((0..MAPS).map(|map| (map, last)).collect())
}

/// What fails, one after the other, at random while objects change.
async fn fail(
    program: &mut Program,
    forwarding: &mut Forwarding,
    (api, runner): (&mut Proxy, &mut Proxy),
    chance: &mut Chance,
) -> Result<()> {
    let mut moment = |least, most| tokio::time::sleep(Duration::from_millis(chance.between(least, most)));
    for _ in 0..3 {
        moment(100, 1_000).await;
        forwarding.kill().await?;
        forwarding.begin().await?;
        moment(300, 1_100).await;
        runner.cut().await?;
        moment(500, 1_300).await;
        // Killed while the runner is away: what it saw is on the disk.
        forwarding.kill().await?;
        forwarding.begin().await?;
        moment(100, 800).await;
        runner.mend().await?;
        moment(100, 900).await;
        api.cut().await?;
        moment(200, 1_000).await;
        api.mend().await?;
        moment(50, 600).await;
        program.kill().await?;
        moment(100, 900).await;
        program.start().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_arrives_once_and_the_picture_is_right_whatever_is_cut_and_killed() -> Result<()> {
    let cluster = cluster_or_return!();
    let stage = Stage::open(&cluster, "delivery-faults").await?;
    let mut program = Program::serve(RUNNER, &[]).await?;
    let mut api = Proxy::to(&address(&cluster)?).await?;
    let (tap, tapped) = Tap::to(&program.url("")).await?;
    let mut runner = Proxy::to(&tapped.to_string()).await?;
    let kubeconfig = Kubeconfig::through(&cluster, &api)?;
    let configuration = configuration(&kubeconfig.path(), &stage.namespace);
    let mut forwarding = Forwarding::start(&configuration, &format!("http://{}", runner.address()), &[]).await?;
    stage.known(&program).await?;

    let mut chance = Chance::default();
    eprintln!("seed {}", chance.seed());
    let failing = fail(&mut program, &mut forwarding, (&mut api, &mut runner), &mut chance);
    let (counts, failed) = tokio::join!(churn(&stage, WRITES, Duration::from_millis(150)), failing);
    failed?;
    let counts = counts?;
    wait_for("every change once", ARRIVED_WITHIN, || stage.has_all(&program, &counts)).await?;
    let held = stage.faults.holds(&program, &broken_at_end(WRITES)).await;
    held.with_context(|| format!("told: {}", stage.faults.history(&tap.signals())))?;
    // What began and ended while the forwarder was down, nobody has seen; all else is told, and once.
    let (told, turns) = (stage.faults.counted(&tap.signals()).map_err(anyhow::Error::msg)?, turns(WRITES));
    for (name, (begun, ended)) in &turns {
        let (told_begun, told_ended) = told.get(name).copied().unwrap_or_default();
        assert!((1..=*begun).contains(&told_begun), "{name} began {begun} times: {told:?}");
        assert_eq!(told_begun - told_ended, begun - ended, "{name} is over, or not: {told:?}");
    }
    assert!(forwarding.metric("marple_forwarder_dropped_total").await? == 0.0, "nothing is dropped");
    forwarding.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_runner_is_away_for_five_minutes_of_churn_what_happens_waits_on_the_disk_and_comes_in_order()
-> Result<()> {
    let cluster = cluster_or_return!();
    let stage = Stage::open(&cluster, "delivery-away").await?;
    let program = Program::serve(RUNNER, &[]).await?;
    let (tap, tapped) = Tap::to(&program.url("")).await?;
    let mut runner = Proxy::to(&tapped.to_string()).await?;
    let api = Proxy::to(&address(&cluster)?).await?;
    let kubeconfig = Kubeconfig::through(&cluster, &api)?;
    let configuration = configuration(&kubeconfig.path(), &stage.namespace);
    let mut forwarding = Forwarding::start(&configuration, &format!("http://{}", runner.address()), &[]).await?;
    stage.known(&program).await?;

    // A condition that begins and ends while the runner is away is told too, and its incident is over.
    runner.cut().await?;
    stage.faults.set(1, true).await?;
    wait_for("the spool", ARRIVED_WITHIN, || async {
        let bytes = forwarding.metric("marple_forwarder_spool_bytes").await.map_err(|error| error.to_string())?;
        if bytes > 0.0 { Ok(()) } else { Err(format!("{bytes} bytes")) }
    })
    .await?;
    stage.faults.set(1, false).await?;
    // `MARPLE_TEST_OUTAGE_SECONDS=300` has it last as long as it stands for.
    let outage =
        std::env::var("MARPLE_TEST_OUTAGE_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(20);
    let pause = Duration::from_secs(outage) / u32::try_from(AWAY_WRITES)?;
    let counts = churn(&stage, AWAY_WRITES, pause).await?;
    let total = (MAPS * AWAY_WRITES) as f64;
    wait_for("all that happened on the disk", ALL_WITHIN, || async {
        let metric = async |name: &str| forwarding.metric(name).await.map_err(|error| error.to_string());
        let (seen, bytes) =
            (metric("marple_forwarder_changes_total").await?, metric("marple_forwarder_spool_bytes").await?);
        let spooled = seen >= total && bytes > BEYOND_MEMORY;
        if spooled { Ok(()) } else { Err(format!("{seen} changes are seen, {bytes} bytes are on the disk")) }
    })
    .await?;
    assert!(forwarding.metric("marple_forwarder_watch_lag_seconds_count").await? > 0.0, "how late it sees is measured");
    let tries = forwarding.metric("marple_forwarder_delivery_failures_total").await?;
    assert!((2.0..=60.0).contains(&tries), "{tries} tries: slower each time");
    assert_eq!(stage.changes(&program).await?.len(), 0, "nothing arrives while it is away");
    runner.mend().await?;
    wait_for("every change once", ALL_WITHIN, || stage.has_all(&program, &counts)).await?;
    wait_for("an incident that is over", ARRIVED_WITHIN, || async {
        let incidents = program.get("/api/incidents?limit=100").await.map_err(|error| error.to_string())?;
        let of_pod = incidents.as_array().into_iter().flatten().any(|one| one.to_string().contains("pod-1"));
        if of_pod { Ok(()) } else { Err(format!("{incidents:#}")) }
    })
    .await?;
    stage.faults.holds(&program, &broken_at_end(AWAY_WRITES)).await?;
    // Each that began and ended is told each time.
    let mut expected = turns(AWAY_WRITES);
    let first = expected.entry(full_name(1)).or_default();
    (first.0, first.1) = (first.0 + 1, first.1 + 1);
    assert_eq!(stage.faults.counted(&tap.signals()).map_err(anyhow::Error::msg)?, expected);
    assert!(forwarding.metric("marple_forwarder_dropped_total").await? == 0.0, "nothing is dropped");
    wait_for("an empty spool", ARRIVED_WITHIN, || async {
        let bytes = forwarding.metric("marple_forwarder_spool_bytes").await.map_err(|error| error.to_string())?;
        if bytes == 0.0 { Ok(()) } else { Err(format!("{bytes} bytes")) }
    })
    .await?;
    forwarding.stop().await
}

fn address(cluster: &TestCluster) -> Result<String> {
    let url = &cluster.config().cluster_url;
    Ok(format!("{}:{}", url.host().context("a host")?, url.port_u16().unwrap_or(443)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_before_a_version_that_is_gone_is_found_by_a_list() -> Result<()> {
    let cluster = cluster_or_return!();
    let Some(mut server) = ApiServer::start(&cluster).await? else { return Ok(()) };
    let stage = Stage::open(&cluster, "delivery-gone").await?;
    let program = Program::serve(RUNNER, &[]).await?;
    let kubeconfig = server.kubeconfig().display().to_string();
    let configuration = configuration(&kubeconfig, &stage.namespace);
    let mut forwarding = Forwarding::start(&configuration, program.url("").as_str(), &[]).await?;
    stage.known(&program).await?;
    stage.write(0, 1).await?;
    let first: BTreeMap<usize, usize> = [(0, 1)].into();
    wait_for("the first change", ARRIVED_WITHIN, || stage.has_all(&program, &first)).await?;

    forwarding.kill().await?;
    for count in [2, 3] {
        stage.write(0, count).await?;
    }
    stage.maps.delete("map-1", &DeleteParams::default()).await?;
    // A server that has just begun remembers nothing from before, and etcd has forgotten it.
    server.kill().await?;
    compact_etcd().await?;
    server.begin().await?;
    forwarding.begin().await?;
    let found = wait_for("what changed meanwhile", ARRIVED_WITHIN, || async {
        let changes = stage.changes(&program).await.map_err(|error| format!("{error:#}"))?;
        let late: Vec<Change> = changes.into_iter().filter(|change| change.found_late).collect();
        let gone = late.iter().any(|change| change.object.name == "map-1" && change.kind == ChangeKind::Deleted);
        let altered =
            late.iter().any(|change| change.object.name == "map-0" && step(change).is_some_and(|(_, to)| to == 3));
        if gone && altered { Ok(late) } else { Err(format!("{late:#?}")) }
    })
    .await?;
    assert!(found.len() <= 3, "{found:#?}");
    // The watches go on behind the list.
    stage.write(2, 1).await?;
    let next: BTreeMap<usize, usize> = [(2, 1)].into();
    wait_for("the next change", ARRIVED_WITHIN, || stage.has_all(&program, &next)).await?;
    forwarding.stop().await
}
