//! The program under test, as a process: started, asked, killed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{ANSWERS_WITHIN, Process};

/// The token that its clients send.
pub const TOKEN: &str = "test-token-of-the-intake";

/// The token of those who may approve calls, where somebody may.
pub const APPROVER: &str = "test-token-of-who-approves";

/// A `marple serve` with a configuration and a store of its own; killed when dropped.
pub struct Program {
    folder: TempDir,
    port: u16,
    process: Process,
    environment: Vec<(String, String)>,
    /// Whether people may approve calls.
    approves: bool,
}

impl Program {
    /// Starts one. `configuration` is YAML without `server` and `store`, which are set here.
    pub async fn serve(configuration: &str, environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::begin(configuration, environment, false).await
    }

    /// The same where calls may be approved by who bears [`APPROVER`].
    pub async fn serve_approving(configuration: &str) -> anyhow::Result<Self> {
        Self::begin(configuration, &[], true).await
    }

    async fn begin(configuration: &str, environment: &[(&str, &str)], approves: bool) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("marple-")?;
        let port = free_port()?;
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let process = Process::new("marple", folder.path().join("marple.log"));
        let mut program = Self { folder, port, process, environment, approves };
        program.configure(configuration)?;
        program.start().await?;
        Ok(program)
    }

    /// Writes another configuration, again without `server` and `store`, for the process to find.
    pub fn configure(&self, configuration: &str) -> anyhow::Result<()> {
        let listen = format!("127.0.0.1:{}", self.port);
        let approver = if self.approves { format!(", approver_token: {APPROVER}") } else { String::new() };
        let server = format!("server: {{ listen: \"{listen}\", token: {TOKEN}{approver} }}");
        self.write(&format!("{server}\nstore: {{ path: {} }}\n{configuration}", self.store().display()))
    }

    /// Writes the whole of another configuration, in one step as a mounted ConfigMap changes.
    pub fn write(&self, configuration: &str) -> anyhow::Result<()> {
        let next = self.folder.path().join("next.yaml");
        std::fs::write(&next, configuration)?;
        std::fs::rename(next, self.folder.path().join("marple.yaml")).context("replace the configuration")
    }

    /// Where its store is.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("marple.db")
    }

    /// Has the process read its configuration at once.
    pub async fn hang_up(&self) -> anyhow::Result<()> {
        let pid = self.pid().context("it does not run")?;
        let sent = Command::new("kill").args(["-HUP", &pid.to_string()]).status().await?;
        ensure!(sent.success(), "kill -HUP {pid}");
        Ok(())
    }

    /// Starts the process again, with the same configuration, store and port.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(binary()?);
        command.args(["serve", "--config"]).arg(self.folder.path().join("marple.yaml"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let (client, ready) = (client(), self.url("/readyz"));
        let answers = async || client.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success());
        self.process.start(&mut command, ANSWERS_WITHIN, answers).await
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

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What a path of its API gives.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = client().get(self.url(path)).bearer_auth(TOKEN).send().await?.error_for_status()?;
        Ok(answer.json().await?)
    }

    /// Posts JSON as Alertmanager would, and gives the status.
    pub async fn post(&self, path: &str, body: &Value) -> reqwest::Result<reqwest::StatusCode> {
        Ok(client().post(self.url(path)).bearer_auth(TOKEN).json(body).send().await?.status())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Its folder, for files that it writes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A client with a deadline.
///
/// # Panics
/// Where the machine gives no client: no test could go on.
#[expect(clippy::expect_used, reason = "as told")]
pub fn client() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client")
}

/// The program, which `cargo test` builds beside the tests.
pub fn binary() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent).context("the folder of built programs")?;
    let binary = folder.join("marple");
    ensure!(binary.exists(), "{} is missing: run `cargo build -p marple` first", binary.display());
    Ok(binary)
}

/// A port of loopback that was free just now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
