//! A `marple forward` as a process: started, killed, asked for its metrics.

use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{ANSWERS_WITHIN, Process};
use crate::program::{TOKEN, binary, client, free_port};

/// A `marple forward` with a configuration and a spool of its own; killed when dropped.
pub struct Forwarding {
    folder: TempDir,
    to: String,
    arguments: Vec<String>,
    port: u16,
    process: Process,
}

impl Forwarding {
    /// Starts one that delivers to a runner at this URL. `configuration` is YAML.
    pub async fn start(configuration: &str, to: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("marple-forward-")?;
        std::fs::write(folder.path().join("marple.yaml"), configuration)?;
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let process = Process::new("marple forward", folder.path().join("marple.log"));
        let mut forwarding = Self { folder, to: to.to_owned(), arguments, port: free_port()?, process };
        forwarding.begin().await?;
        Ok(forwarding)
    }

    /// Starts the process again, with the same configuration and spool.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(binary()?);
        command.args(["forward", "--to", &self.to, "--listen", &format!("127.0.0.1:{}", self.port), "--config"]);
        command.arg(self.folder.path().join("marple.yaml")).arg("--spool").arg(self.folder.path().join("spool.db"));
        command.args(&self.arguments).env("MARPLE_TOKEN", TOKEN);
        let port = self.port;
        self.process.start(&mut command, ANSWERS_WITHIN, async || metrics(port).await.is_ok()).await
    }

    /// Kills the process at once, as `kill -9` does.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().await
    }

    /// Asks the process to stop, and waits for it.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.stop().await
    }

    /// Its process id.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// The sum of a metric's values over all labels; 0 where it has none yet.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = metrics(self.port).await?;
        let of = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            let known = series == name || series.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'));
            known.then(|| value.parse::<f64>().ok()).flatten()
        };
        Ok(text.lines().filter_map(of).sum())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// What a process shows to Prometheus.
async fn metrics(port: u16) -> anyhow::Result<String> {
    let url = format!("http://127.0.0.1:{port}/metrics");
    Ok(client().get(url).send().await?.error_for_status()?.text().await?)
}
