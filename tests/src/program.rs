//! The program under test, as a process: started, asked, killed.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long the program may take until it is ready, on a machine that is busy with other tests.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The token that its clients send.
pub const TOKEN: &str = "test-token-of-the-intake";

/// A `marple serve` with a configuration and a store of its own; killed when dropped.
pub struct Program {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
    environment: Vec<(String, String)>,
}

impl Program {
    /// Starts one. `configuration` is YAML without `server` and `store`, which are set here.
    pub async fn serve(configuration: &str, environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("marple-")?;
        let port = free_port()?;
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut program = Self { folder, port, child: None, environment };
        program.configure(configuration)?;
        program.start().await?;
        Ok(program)
    }

    /// Writes another configuration, again without `server` and `store`, for the process to find.
    pub fn configure(&self, configuration: &str) -> anyhow::Result<()> {
        let listen = format!("127.0.0.1:{}", self.port);
        let server = format!("server: {{ listen: \"{listen}\", token: {TOKEN} }}");
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
        ensure!(self.child.is_none(), "it already runs");
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let child = Command::new(binary()?)
            .args(["serve", "--config"])
            .arg(self.folder.path().join("marple.yaml"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("start marple")?;
        self.child = Some(child);
        let started = Instant::now();
        let client = client();
        loop {
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("marple ended with {status}:\n{}", self.log());
            }
            if let Ok(answer) = client.get(self.url("/readyz")).send().await
                && answer.status().is_success()
            {
                return Ok(());
            }
            ensure!(started.elapsed() < READY_WITHIN, "marple was not ready in {READY_WITHIN:?}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Kills the process at once, as `kill -9` does.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        child.kill().await.context("kill marple")
    }

    /// Asks the process to stop, and waits for it.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        let pid = child.id().context("it has ended")?;
        ensure!(Command::new("kill").arg(pid.to_string()).status().await?.success(), "kill {pid}");
        let status =
            tokio::time::timeout(Duration::from_secs(20), child.wait()).await.context("it did not stop in 20 s")??;
        ensure!(status.success(), "marple ended with {status}:\n{}", self.log());
        Ok(())
    }

    /// Its process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
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
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Its folder, for files that it writes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("marple.log")
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
