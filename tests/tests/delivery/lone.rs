//! What would harm a cluster that others use, under a forwarder that runs: its store is compacted and set back, its server
//! killed, and its network falls silent.

use std::time::Duration;

use anyhow::Result;
use marple_core::ChangeKind;
use marple_tests::cluster::wait_for;
use marple_tests::cluster_or_return;
use marple_tests::forwarding::Forwarding;
use marple_tests::kubeconfig::Kubeconfig;
use marple_tests::lone_server::LoneServer;
use marple_tests::program::Program;
use marple_tests::proxy::Proxy;
use marple_tests::tap::Tap;

use crate::faults::{broken_at_end, turns};
use crate::stage::{ARRIVED_WITHIN, Stage};
use crate::{RUNNER, churn, churn_on, configuration};

/// Between two rounds of writing.
const PAUSE: Duration = Duration::from_millis(100);

/// A watch goes on after as long a silence: two minutes and some seconds, and then the next try.
const HEARD_AGAIN_WITHIN: Duration = Duration::from_mins(5);

/// A forwarder of an API server of its own, which it reaches by a proxy.
struct Alone {
    server: LoneServer,
    api: Proxy,
    stage: Stage,
    program: Program,
    tap: Tap,
    forwarding: Forwarding,
    _kubeconfig: Kubeconfig,
}

impl Alone {
    async fn start(name: &str) -> Result<Self> {
        let server = LoneServer::start().await?;
        let cluster = server.cluster().await?;
        let api = Proxy::to(server.url().trim_start_matches("https://")).await?;
        let stage = Stage::open(&cluster, name).await?;
        let program = Program::serve(RUNNER, &[]).await?;
        let (tap, tapped) = Tap::to(&program.url("")).await?;
        let kubeconfig = Kubeconfig::through(&cluster, &api)?;
        let configuration = configuration(&kubeconfig.path(), &stage.namespace);
        let forwarding = Forwarding::start(&configuration, &format!("http://{tapped}"), &[]).await?;
        stage.known(&program).await?;
        Ok(Self { server, api, stage, program, tap, forwarding, _kubeconfig: kubeconfig })
    }

    /// What holds is held, after so many writings, and nothing was told twice or oftener than it was.
    async fn has_signals(&self, writes: usize) -> Result<()> {
        self.stage.faults.holds(&self.program, &broken_at_end(writes)).await?;
        let told = self.stage.faults.counted(&self.tap.signals()).map_err(anyhow::Error::msg)?;
        for (name, (begun, ended)) in &turns(writes) {
            let (told_begun, told_ended) = told.get(name).copied().unwrap_or_default();
            assert!((1..=*begun).contains(&told_begun), "{name} began {begun} times: {told:?}");
            assert_eq!(told_begun - told_ended, begun - ended, "{name} is over, or not: {told:?}");
        }
        assert!(self.forwarding.metric("marple_forwarder_dropped_total").await? == 0.0, "nothing is dropped");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_that_restarts_and_a_store_that_is_compacted_under_churn_lose_nothing() -> Result<()> {
    let _ = cluster_or_return!();
    let mut alone = Alone::start("lone-restart").await?;
    // A server that begins anew may have forgotten what came just before and after: then it is listed, and what changed
    // meanwhile is told as one.
    let counts = churn(&alone.stage, 20, PAUSE).await?;
    alone.server.kill().await?;
    alone.server.begin().await?;
    let counts = churn_on(&alone.stage, counts[&0] + 1..=40, PAUSE).await?;
    {
        let (stage, program) = (&alone.stage, &alone.program);
        wait_for("how each came to its count", ARRIVED_WITHIN, || stage.has_way(program, &counts)).await?;
    }
    alone.has_signals(40).await?;

    // What happens while the watches are cut off, the store forgets before they come back.
    let listed = alone.forwarding.metric("marple_forwarder_listings_total").await?;
    for round in 1..=2 {
        alone.api.cut().await?;
        churn_on(&alone.stage, 20 + 20 * round + 1..=30 + 20 * round, PAUSE).await?;
        alone.server.compact().await?;
        alone.server.kill().await?;
        alone.server.begin().await?;
        let seen = churn_on(&alone.stage, 30 + 20 * round + 1..=35 + 20 * round, PAUSE);
        let (counts, mended) = tokio::join!(seen, alone.api.mend());
        mended?;
        counts?;
        let counts = churn_on(&alone.stage, 35 + 20 * round + 1..=40 + 20 * round, PAUSE).await?;
        let (stage, program) = (&alone.stage, &alone.program);
        wait_for("how each came to its count", ARRIVED_WITHIN, || stage.has_way(program, &counts)).await?;
    }
    assert!(alone.forwarding.metric("marple_forwarder_listings_total").await? > listed, "it had to list");
    alone.has_signals(80).await?;
    alone.forwarding.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_network_has_swallowed_all_in_silence_the_picture_is_right() -> Result<()> {
    let _ = cluster_or_return!();
    let mut alone = Alone::start("lone-silence").await?;
    churn(&alone.stage, 15, PAUSE).await?;
    alone.api.silence();
    churn_on(&alone.stage, 16..=45, PAUSE).await?;
    alone.api.speak();
    let counts = churn_on(&alone.stage, 46..=50, PAUSE).await?;
    let (stage, program) = (&alone.stage, &alone.program);
    wait_for("how each came to its count", HEARD_AGAIN_WITHIN, || stage.has_way(program, &counts)).await?;
    wait_for("the conditions that hold", HEARD_AGAIN_WITHIN, || async {
        let held = alone.stage.faults.held(&alone.program).await?;
        if held == broken_at_end(50) { Ok(()) } else { Err(format!("{held:?}")) }
    })
    .await?;
    alone.has_signals(50).await?;
    alone.forwarding.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_store_was_set_back_what_happens_is_told_on() -> Result<()> {
    let _ = cluster_or_return!();
    let mut alone = Alone::start("lone-back").await?;
    alone.server.save().await?;
    let counts = churn(&alone.stage, 40, Duration::ZERO).await?;
    let (stage, program) = (&alone.stage, &alone.program);
    wait_for("how each came to its count", ARRIVED_WITHIN, || stage.has_way(program, &counts)).await?;
    // The forwarder runs on, and finds all as it was.
    alone.server.set_back().await?;
    // The store gives versions anew that it gave before: of several writes of an object one may be taken for an earlier one.
    let back = async |to: std::ops::RangeInclusive<usize>| {
        let changes = alone.stage.changes(&alone.program).await.map_err(|error| format!("{error:#}"))?;
        let found = changes.iter().any(|change| {
            change.kind == ChangeKind::Altered
                && crate::stage::step(change).is_some_and(|(_, after)| to.contains(&after))
        });
        if found { Ok(()) } else { Err(format!("{changes:#?}")) }
    };
    wait_for("what was set back", ARRIVED_WITHIN, || back(0..=0)).await?;
    wait_for("no condition", ARRIVED_WITHIN, || async {
        let held = alone.stage.faults.held(&alone.program).await?;
        if held.is_empty() { Ok(()) } else { Err(format!("{held:?}")) }
    })
    .await?;
    for count in 1_000..=1_003 {
        alone.stage.write(0, count).await?;
    }
    alone.stage.faults.set(0, true).await?;
    wait_for("the next change", ARRIVED_WITHIN, || back(1_000..=1_003)).await?;
    let crashing = [crate::faults::full_name(0)].into();
    alone.stage.faults.holds(&alone.program, &crashing).await?;
    // One that starts then goes on from there.
    alone.forwarding.kill().await?;
    for count in 2_000..=2_003 {
        alone.stage.write(0, count).await?;
    }
    alone.forwarding.begin().await?;
    wait_for("what changed meanwhile", ARRIVED_WITHIN, || back(2_000..=2_003)).await?;
    alone.forwarding.stop().await
}
