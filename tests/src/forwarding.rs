//! A `marple forward` as a process: started, killed, asked for its metrics.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::program::{TOKEN, binary, client, free_port};

/// How long the process may take until it answers, on a machine that is busy with other tests.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// A `marple forward` with a configuration and a spool of its own; killed when dropped.
pub struct Forwarding {
    folder: TempDir,
    to: String,
    arguments: Vec<String>,
    port: u16,
    child: Option<Child>,
}

impl Forwarding {
    /// Starts one that delivers to a runner at this URL. `configuration` is YAML.
    pub async fn start(configuration: &str, to: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("marple-forward-")?;
        std::fs::write(folder.path().join("marple.yaml"), configuration)?;
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut forwarding = Self { folder, to: to.to_owned(), arguments, port: free_port()?, child: None };
        forwarding.begin().await?;
        Ok(forwarding)
    }

    /// Starts the process again, with the same configuration and spool.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "it already runs");
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let child = Command::new(binary()?)
            .args(["forward", "--to", &self.to, "--listen", &format!("127.0.0.1:{}", self.port), "--config"])
            .arg(self.folder.path().join("marple.yaml"))
            .arg("--spool")
            .arg(self.folder.path().join("spool.db"))
            .args(&self.arguments)
            .env("MARPLE_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("start marple forward")?;
        self.child = Some(child);
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("marple forward ended with {status}:\n{}", self.log());
            }
            if self.metrics().await.is_ok() {
                return Ok(());
            }
            ensure!(started.elapsed() < ANSWERS_WITHIN, "marple forward does not answer:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills the process at once, as `kill -9` does.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        child.kill().await.context("kill marple forward")
    }

    /// Asks the process to stop, and waits for it.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        let pid = child.id().context("it has ended")?;
        ensure!(Command::new("kill").arg(pid.to_string()).status().await?.success(), "kill {pid}");
        let status =
            tokio::time::timeout(Duration::from_secs(20), child.wait()).await.context("it did not stop in 20 s")??;
        ensure!(status.success(), "marple forward ended with {status}:\n{}", self.log());
        Ok(())
    }

    /// Its process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// What it shows to Prometheus.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let url = format!("http://127.0.0.1:{}/metrics", self.port);
        Ok(client().get(url).send().await?.error_for_status()?.text().await?)
    }

    /// The sum of a metric's values over all labels; 0 where it has none yet.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.metrics().await?;
        let of = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            let known = series == name || series.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'));
            known.then(|| value.parse::<f64>().ok()).flatten()
        };
        Ok(text.lines().filter_map(of).sum())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Where its spool is.
    pub fn spool(&self) -> PathBuf {
        self.folder.path().join("spool.db")
    }

    fn log_path(&self) -> PathBuf {
        Path::new(self.folder.path()).join("marple.log")
    }
}
