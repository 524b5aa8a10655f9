//! A program under test as a process: started, stopped, killed.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};

/// How long a program may take until it answers, on a machine that is busy with other tests.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// How long it may take to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(20);

/// A process that may not run; killed when dropped.
pub(crate) struct Process {
    name: &'static str,
    /// To which it writes what it logs, one start after another.
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// One of this name that does not run yet.
    pub(crate) const fn new(name: &'static str, log: PathBuf) -> Self {
        Self { name, log, child: None }
    }

    /// Starts it, and waits until it answers.
    pub(crate) async fn start(
        &mut self,
        command: &mut Command,
        within: Duration,
        answers: impl AsyncFn() -> bool,
    ) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "{} already runs", self.name);
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true).spawn();
        self.child = Some(child.with_context(|| format!("start {}", self.name))?);
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("{} ended with {status}:\n{}", self.name, self.log());
            }
            if answers().await {
                return Ok(());
            }
            let in_time = started.elapsed() < within;
            ensure!(in_time, "{} did not answer in {within:?}:\n{}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Kills it at once, as `kill -9` does.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().with_context(|| format!("{} does not run", self.name))?;
        child.kill().await.with_context(|| format!("kill {}", self.name))
    }

    /// Asks it to stop, and waits for it.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().with_context(|| format!("{} does not run", self.name))?;
        let pid = child.id().with_context(|| format!("{} has ended", self.name))?;
        ensure!(Command::new("kill").arg(pid.to_string()).status().await?.success(), "kill {pid}");
        let ended = tokio::time::timeout(STOPS_WITHIN, child.wait()).await;
        let status = ended.with_context(|| format!("{} did not stop in {STOPS_WITHIN:?}", self.name))??;
        ensure!(status.success(), "{} ended with {status}:\n{}", self.name, self.log());
        Ok(())
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
