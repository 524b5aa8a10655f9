//! Several forwarders, of which one leads.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use marple_tests::cluster::wait_for;
use marple_tests::cluster_or_return;
use marple_tests::forwarding::Forwarding;
use marple_tests::kubeconfig::Kubeconfig;
use marple_tests::program::Program;
use marple_tests::proxy::Proxy;
use marple_tests::tap::Tap;

use crate::faults::{FAULTS, full_name};
use crate::stage::{ARRIVED_WITHIN, Stage};
use crate::{RUNNER, address, configuration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_forwarders_one_leads_and_the_other_takes_over_and_nothing_is_told_twice() -> Result<()> {
    let cluster = cluster_or_return!();
    let stage = Stage::open(&cluster, "delivery-leads").await?;
    let program = Program::serve(RUNNER, &[]).await?;
    let api = Proxy::to(&address(&cluster)?).await?;
    let kubeconfig = Kubeconfig::through(&cluster, &api)?;
    let configuration = configuration(&kubeconfig.path(), &stage.namespace);
    let lease = ["--lease", "marple-forward", "--lease-namespace", stage.namespace.name()];
    let (tap, tapped) = Tap::to(&program.url("")).await?;
    let url = format!("http://{tapped}");
    let mut first = Forwarding::start(&configuration, &url, &lease).await?;
    leads(&first).await?;
    stage.known(&program).await?;
    let mut second = Forwarding::start(&configuration, &url, &lease).await?;
    stage.write(0, 1).await?;
    let all = 0..FAULTS.len();
    for at in all.clone() {
        stage.faults.set(at, true).await?;
    }
    stage.faults.holds(&program, &all.clone().map(full_name).collect()).await?;
    assert!(second.metric("marple_forwarder_leads").await? == 0.0);
    assert!(second.metric("marple_forwarder_observations_total").await? == 0.0, "who stands by asks for nothing");

    first.kill().await?;
    stage.write(0, 2).await?;
    // Half of them end while nobody leads.
    for at in all.clone().step_by(2) {
        stage.faults.set(at, false).await?;
    }
    leads(&second).await?;
    stage.write(0, 3).await?;
    let counts: BTreeMap<usize, usize> = [(0, 3)].into();
    wait_for("every change once", ARRIVED_WITHIN, || stage.has_all(&program, &counts)).await?;
    stage.faults.holds(&program, &all.clone().skip(1).step_by(2).map(full_name).collect()).await?;
    // One that is asked to stop lets the other lead at once.
    first.begin().await?;
    let asked = tokio::time::Instant::now();
    second.stop().await?;
    leads(&first).await?;
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    for at in all.clone().skip(1).step_by(2) {
        stage.faults.set(at, false).await?;
    }
    stage.faults.holds(&program, &BTreeSet::new()).await?;
    let once: BTreeMap<String, (usize, usize)> = all.map(|at| (full_name(at), (1, 1))).collect();
    assert_eq!(stage.faults.counted(&tap.signals()).map_err(anyhow::Error::msg)?, once, "each begins and ends once");
    first.stop().await
}

async fn leads(forwarding: &Forwarding) -> Result<()> {
    wait_for("a leader", ARRIVED_WITHIN, || async {
        let leads = forwarding.metric("marple_forwarder_leads").await.map_err(|error| error.to_string())?;
        if leads > 0.5 { Ok(()) } else { Err(forwarding.log()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_that_led_before_has_on_its_disk_takes_nothing_back_that_another_has_told_since() -> Result<()> {
    let cluster = cluster_or_return!();
    let stage = Stage::open(&cluster, "delivery-former").await?;
    let program = Program::serve(RUNNER, &[]).await?;
    let (tap, tapped) = Tap::to(&program.url("")).await?;
    let (mut api, mut runner) = (Proxy::to(&address(&cluster)?).await?, Proxy::to(&tapped.to_string()).await?);
    let (far, near) = (Kubeconfig::through(&cluster, &api)?, Proxy::to(&address(&cluster)?).await?);
    let near = Kubeconfig::through(&cluster, &near)?;
    let lease = ["--lease", "marple-forward", "--lease-namespace", stage.namespace.name()];
    let to = format!("http://{}", runner.address());
    let mut first = Forwarding::start(&configuration(&far.path(), &stage.namespace), &to, &lease).await?;
    leads(&first).await?;
    stage.known(&program).await?;
    let to = format!("http://{tapped}");
    let mut second = Forwarding::start(&configuration(&near.path(), &stage.namespace), &to, &lease).await?;

    // What the first sees goes to its disk, and then it is cut off from the cluster too.
    runner.cut().await?;
    stage.faults.set(0, true).await?;
    stage.write(0, 1).await?;
    spooled(&first, true).await?;
    api.cut().await?;
    leads(&second).await?;
    stage.faults.holds(&program, &[full_name(0)].into()).await?;
    stage.faults.set(0, false).await?;
    stage.write(0, 2).await?;
    stage.faults.holds(&program, &BTreeSet::new()).await?;

    // It stands by, and keeps what it has to itself.
    runner.mend().await?;
    api.mend().await?;
    stage.write(0, 3).await?;
    let counts: BTreeMap<usize, usize> = [(0, 3)].into();
    wait_for("every change once", ARRIVED_WITHIN, || stage.has_all(&program, &counts)).await?;
    spooled(&first, true).await?;
    assert!(first.metric("marple_forwarder_leads").await? == 0.0);

    // It leads again.
    second.stop().await?;
    leads(&first).await?;
    spooled(&first, false).await?;
    stage.write(0, 4).await?;
    let counts: BTreeMap<usize, usize> = [(0, 4)].into();
    wait_for("every change once", ARRIVED_WITHIN, || stage.has_all(&program, &counts)).await?;
    stage.faults.holds(&program, &BTreeSet::new()).await?;
    let once: BTreeMap<String, (usize, usize)> = [(full_name(0), (1, 1))].into();
    assert_eq!(stage.faults.counted(&tap.signals()).map_err(anyhow::Error::msg)?, once, "it begins and ends once");
    first.stop().await
}

/// Waits until something is on its disk, or nothing.
async fn spooled(forwarding: &Forwarding, wanted: bool) -> Result<()> {
    wait_for("its spool", ARRIVED_WITHIN, || async {
        let bytes = forwarding.metric("marple_forwarder_spool_bytes").await.map_err(|error| error.to_string())?;
        if (bytes > 0.0) == wanted { Ok(()) } else { Err(format!("{bytes} bytes")) }
    })
    .await
}
