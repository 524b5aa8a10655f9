//! The forwarder at a real API server with many objects, measured from outside:
//! `cargo build --profile bench --workspace --bins && cargo bench --workspace --bench scale -- [pods] [deployments]
//! [updates/s,…] [seconds] [noted|cleared] [storm]`, by default `10000 1000 500 30 noted`. Rates are measured one after
//! another; `noted` or `cleared` says whether the API server notes who writes the fields of pods; with `storm` there come
//! 50,000 warnings in a minute and a ConfigMap of a MiB after that.
//!
//! From the start to the last list, resident memory, the time from a write to the signal that it causes, and the processor
//! time of an update. The API server has an etcd of its own, and nobody but the forwarder watches it; what kubelets would
//! write is written by the benchmark.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs
)]

mod inbox;
mod load;
mod objects;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use marple_tests::forwarding::Forwarding;
use marple_tests::lone_server::LoneServer;
use marple_tests::usage::{memory, processor};

use inbox::Inbox;
use load::{Write, Writer};
use objects::Writers;

/// How long the last signals may take to come.
const LAST: Duration = Duration::from_secs(20);

/// The warnings of a storm, which lasts a minute.
const WARNINGS: usize = 50_000;

/// How long all of it may take.
const DEADLINE: Duration = Duration::from_mins(8);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |at: usize, default: usize| arguments.get(at).map_or(default, |text| text.parse().expect("a number"));
    let rates = arguments.get(2).map_or("500", String::as_str).split(',');
    let rates: Vec<usize> = rates.map(|rate| rate.parse().expect("a rate, or several with commas between")).collect();
    let writers = match arguments.get(4).map_or("noted", String::as_str) {
        "noted" => Writers::Noted,
        "cleared" => Writers::Cleared,
        other => bail!("`noted` or `cleared`, not {other:?}"),
    };
    let (pods, deployments, seconds) = (number(0, 10_000), number(1, 1_000), number(3, 30));
    let storm = arguments.get(5).is_some_and(|word| word == "storm");
    let scale = Scale { pods, deployments, rates, seconds, writers, storm };
    tokio::time::timeout(DEADLINE, scale.measure()).await.context("not done in time")?
}

/// How much there is.
struct Scale {
    pods: usize,
    deployments: usize,
    rates: Vec<usize>,
    seconds: usize,
    writers: Writers,
    storm: bool,
}

impl Scale {
    async fn measure(&self) -> Result<()> {
        let server = LoneServer::start().await?;
        let writer = Writer::to(&server)?;
        let began = Instant::now();
        writer.fill(self.pods, self.deployments, self.writers).await?;
        println!("{} pods and {} Deployments made in {:.0?}", self.pods, self.deployments, began.elapsed());
        let inbox = Inbox::default();
        let url = inbox.start().await?;
        let configuration = format!("cluster: {{ name: scale, kubeconfig: {} }}", server.kubeconfig().display());
        let began = Instant::now();
        let mut forwarding = Forwarding::start(&configuration, &url, &[]).await?;
        while !forwarding.log().contains("the cluster is known") {
            ensure!(began.elapsed() < Duration::from_mins(2), "not known in two minutes:\n{}", forwarding.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        report("from the start until all is listed", began.elapsed().as_secs_f64(), "s", Some(10.0));
        self.history(&forwarding).await?;
        let pid = forwarding.pid().context("it runs")?;
        report("resident memory, all known", memory(pid, "VmRSS:")?, "MiB", Some(60.0));
        report("resident memory, at most", memory(pid, "VmHWM:")?, "MiB", Some(60.0));
        let mut broken = 0;
        for rate in &self.rates {
            println!("{rate} updates/s for {} s", self.seconds);
            broken += self.at(*rate, broken, &server, &writer, &forwarding, &inbox).await?;
        }
        if self.storm {
            self.storm(&writer, &forwarding).await?;
        }
        report("dropped", forwarding.metric("marple_forwarder_dropped_total").await?, "", Some(0.0));
        forwarding.stop().await
    }

    /// Waits until the change history, which lists last, knows all Deployments.
    async fn history(&self, forwarding: &Forwarding) -> Result<()> {
        let began = Instant::now();
        while forwarding.metric("marple_forwarder_history_objects").await? < self.deployments as f64 {
            ensure!(began.elapsed() < Duration::from_mins(1), "the history is not known:\n{}", forwarding.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Its last kinds, and what is told of the links.
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(())
    }

    /// 50,000 warnings in a minute, with a ConfigMap of a MiB among them.
    async fn storm(&self, writer: &Writer, forwarding: &Forwarding) -> Result<()> {
        let seen = async || forwarding.metric("marple_forwarder_observations_total").await;
        let changes = async || forwarding.metric("marple_forwarder_changes_total").await;
        let errors = async || forwarding.metric("marple_forwarder_watch_errors_total").await;
        let (before, changes_before, errors_before) = (seen().await?, changes().await?, errors().await?);
        let warn = writer.warn(self.pods, WARNINGS / 60, WARNINGS);
        let (written, large) = tokio::join!(warn, writer.large());
        large?;
        let took = written?.iter().map(|write| write.answered - write.due).max().unwrap_or_default();
        println!("{WARNINGS} warnings in a minute, the last answered {took:.1?} after it was due");
        let began = Instant::now();
        while seen().await? - before < WARNINGS as f64 {
            ensure!(began.elapsed() < LAST, "not all warnings were seen:\n{}", forwarding.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        report("  from the last answer until all were seen", began.elapsed().as_secs_f64(), "s", None);
        report("  changes told", changes().await? - changes_before, "", None);
        report("  errors of watches", errors().await? - errors_before, "", Some(0.0));
        let pid = forwarding.pid().context("it runs")?;
        report("  resident memory, at most", memory(pid, "VmHWM:")?, "MiB", None);
        Ok(())
    }

    /// Measures at one rate, and gives how many pods it broke.
    async fn at(
        &self,
        rate: usize,
        broken: usize,
        server: &LoneServer,
        writer: &Writer,
        forwarding: &Forwarding,
        inbox: &Inbox,
    ) -> Result<usize> {
        let pid = forwarding.pid().context("it runs")?;
        let (api_server, etcd) = server.pids();
        let processes = [
            ("the forwarder", pid),
            ("the API server", api_server.context("it runs")?),
            ("etcd", etcd.context("it runs")?),
            ("the benchmark", std::process::id()),
        ];
        let spent = || processes.iter().map(|(_, pid)| processor(*pid)).collect::<Result<Vec<_>>>();
        let (before, began) = (spent()?, Instant::now());
        let written = writer.update(self.pods, self.writers, rate, self.seconds, broken).await?;
        let took = began.elapsed();
        let breaking: Vec<&Write> = written.iter().filter(|write| write.broke.is_some()).collect();
        let deadline = Instant::now() + LAST;
        while inbox.count() < broken + breaking.len() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let after = spent()?;
        report("  updates that the API server took", written.len() as f64 / took.as_secs_f64(), "/s", None);
        percentiles("  the wait for a connection", &written, None, |write| write.sent - write.due);
        percentiles("  from sending to the API server's answer", &written, None, |write| write.answered - write.sent);
        let told = inbox.told();
        let arrived = |write: &Write| told.get(write.broke.as_deref()?).copied();
        let came: Vec<(&Write, Instant)> =
            breaking.iter().filter_map(|write| Some((*write, arrived(write)?))).collect();
        report("  signals that did not come", (breaking.len() - came.len()) as f64, "", Some(0.0));
        let bar = Some(200.0);
        percentiles("  from when it was due to the signal", &came, None, |(write, at)| *at - write.due);
        percentiles("  from sending to the signal", &came, bar, |(write, at)| *at - write.sent);
        percentiles("  from the API server's answer to the signal", &came, bar, |(write, at)| {
            at.saturating_duration_since(write.answered)
        });
        for ((name, _), (before, after)) in processes.iter().zip(before.iter().zip(&after)) {
            let each = after.saturating_sub(*before).as_secs_f64() * 1_000.0 / written.len() as f64;
            println!("  {:<66} {each:>9.3} ms", format!("processor time of {name}, an update"));
        }
        report("  resident memory, after the updates", memory(pid, "VmRSS:")?, "MiB", Some(60.0));
        report("  resident memory, at most", memory(pid, "VmHWM:")?, "MiB", Some(60.0));
        Ok(breaking.len())
    }
}

/// Tells the median and the 99th percentile of a time, in milliseconds; the bar is the latter's.
fn percentiles<T>(what: &str, all: &[T], bar: Option<f64>, time: impl Fn(&T) -> Duration) {
    let mut times: Vec<f64> = all.iter().map(|one| time(one).as_secs_f64() * 1_000.0).collect();
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get(times.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default();
    report(&format!("{what}, p50"), at(50), "ms", None);
    report(&format!("{what}, p99"), at(99), "ms", bar);
}

fn report(what: &str, figure: f64, unit: &str, bar: Option<f64>) {
    let bar =
        bar.map_or(String::new(), |bar| format!(" (bar {bar} {unit}){}", if figure <= bar { "" } else { "  MISSED" }));
    // A sum of nothing is a negative zero.
    println!("{what:<68} {:>9.2} {unit:<4}{bar}", figure + 0.0);
}
