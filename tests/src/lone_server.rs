//! An API server with an etcd of its own and nothing else: no controller, no scheduler, no node, and nobody who watches. What
//! would harm other tests on a shared cluster is done to this one: it is killed, compacted and set back.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::api_server::{READY_WITHIN, compact, home};
use crate::cluster::TestCluster;
use crate::process::Process;
use crate::program::free_port;

/// How long etcd may take until it answers.
const ETCD_WITHIN: Duration = Duration::from_secs(30);

/// With which share of garbage over what lives both programs collect it, in per cent: on a machine with memory, what they
/// spend on it is no part of what is measured.
const GARBAGE: &str = "400";

/// An API server and an etcd, both on loopback; killed when dropped, and with the thread that started them.
pub struct LoneServer {
    etcd: Process,
    server: Process,
    /// Where etcd serves clients.
    store: String,
    /// Where etcd would serve others of its kind.
    peer: String,
    port: u16,
    url: String,
    token: String,
    /// Last, for they write into it until they have ended.
    folder: TempDir,
}

impl LoneServer {
    /// Starts both, from the programs that `cluster/up` has built.
    pub async fn start() -> Result<Self> {
        rustls::crypto::ring::default_provider().install_default().ok();
        let folder = TempDir::with_prefix("marple-lone-server-")?;
        let port = free_port()?;
        let (url, token) = (format!("https://127.0.0.1:{port}"), openssl(&["rand", "-hex", "16"]).await?);
        let etcd = Process::new("etcd", folder.path().join("etcd.log"));
        let server = Process::new("kube-apiserver", folder.path().join("server.log"));
        let of_etcd = || free_port().map(|port| format!("http://127.0.0.1:{port}"));
        let (store, peer) = (of_etcd()?, of_etcd()?);
        let mut lone = Self { etcd, server, store, peer, port, url, token, folder };
        lone.start_etcd().await?;
        lone.begin().await?;
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "lone",
            "contexts": [{"name": "lone", "context": {"cluster": "lone", "user": "lone"}}],
            "clusters": [{"name": "lone", "cluster": {"server": lone.url, "insecure-skip-tls-verify": true}}],
            "users": [{"name": "lone", "user": {"token": lone.token}}],
        });
        std::fs::write(lone.kubeconfig(), kubeconfig.to_string())?;
        Ok(lone)
    }

    async fn start_etcd(&mut self) -> Result<()> {
        let (client, peer) = (&self.store, &self.peer);
        let mut command = bound("etcd".into());
        command.arg("--data-dir").arg(self.folder.path().join("etcd")).arg("--unsafe-no-fsync");
        command.args(["--listen-client-urls", client, "--advertise-client-urls", client]);
        command.args(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]);
        command.arg("--initial-cluster").arg(format!("default={peer}"));
        let (asked, health) = (reqwest::Client::new(), format!("{client}/health"));
        let answers = async || asked.get(&health).send().await.is_ok_and(|answer| answer.status().is_success());
        self.etcd.start(&mut command, ETCD_WITHIN, answers).await
    }

    /// Kills the API server at once.
    pub async fn kill(&mut self) -> Result<()> {
        self.server.kill().await
    }

    /// Has etcd forget all versions before the present one.
    pub async fn compact(&self) -> Result<()> {
        compact(&self.store).await
    }

    /// Kills both, has `meanwhile` done to etcd's files and a copy of them, and starts both again.
    async fn stopped(&mut self, meanwhile: impl AsyncFnOnce(&Path, &Path) -> Result<()>) -> Result<()> {
        self.server.kill().await?;
        self.etcd.kill().await?;
        meanwhile(&self.folder.path().join("etcd"), &self.folder.path().join("saved")).await?;
        self.start_etcd().await?;
        self.begin().await
    }

    /// Copies what etcd holds, as a backup does. Both restart.
    pub async fn save(&mut self) -> Result<()> {
        self.stopped(async |etcd, saved| run("cp", &["-a".as_ref(), etcd.as_os_str(), saved.as_os_str()]).await).await
    }

    /// Restores the copy: what was written since has not been. Both restart.
    pub async fn set_back(&mut self) -> Result<()> {
        let restored = async |etcd: &Path, saved: &Path| {
            std::fs::remove_dir_all(etcd)?;
            Ok(std::fs::rename(saved, etcd)?)
        };
        self.stopped(restored).await
    }

    /// Starts the API server, again on the same port, and waits until it is ready.
    pub async fn begin(&mut self) -> Result<()> {
        let (port, etcd) = (self.port, self.store.clone());
        let program = home().join("bin/kube-apiserver");
        ensure!(program.exists(), "{} is missing: run tests/cluster/up once, which builds it", program.display());
        let file = |name: &str| self.folder.path().join(name);
        std::fs::write(file("tokens.csv"), format!("{},admin,admin,system:masters\n", self.token))?;
        if !file("accounts.key").exists() {
            std::fs::write(file("accounts.key"), openssl(&["genrsa", "2048"]).await?)?;
        }
        let mut command = bound(program);
        command.arg("--etcd-servers").arg(etcd).arg("--cert-dir").arg(file("certificates"));
        command.arg("--token-auth-file").arg(file("tokens.csv"));
        command.arg("--service-account-key-file").arg(file("accounts.key"));
        command.arg("--service-account-signing-key-file").arg(file("accounts.key"));
        command.args(["--secure-port", &port.to_string(), "--bind-address", "127.0.0.1"]);
        // An address of documentation (RFC 5737): it leads nowhere, and nobody asks for it.
        command.args(["--advertise-address", "192.0.2.1", "--endpoint-reconciler-type", "none"]);
        command.args(["--service-cluster-ip-range", "10.96.0.0/16", "--authorization-mode", "RBAC"]);
        command.args(["--service-account-issuer", "https://kubernetes.default.svc", "--anonymous-auth=false"]);
        // No controller makes the accounts that pods are refused without.
        command.args(["--disable-admission-plugins", "ServiceAccount"]);
        command.args(["--enable-priority-and-fairness=false", "--profiling=false"]);
        let (client, ready) = (self.client()?, format!("{}/readyz", self.url));
        let answers = async || {
            let answer = client.get(&ready).bearer_auth(&self.token).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        };
        self.server.start(&mut command, READY_WITHIN, answers).await
    }

    /// A client of it; requests need the [`Self::token`].
    pub fn client(&self) -> Result<reqwest::Client> {
        Ok(reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build()?)
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bearer token of one who has all rights.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A kubeconfig of it, with all rights.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// It as a cluster of tests.
    pub async fn cluster(&self) -> Result<TestCluster> {
        TestCluster::alone(self.kubeconfig()).await
    }

    /// The process ids of the API server and of etcd.
    pub fn pids(&self) -> (Option<u32>, Option<u32>) {
        (self.server.pid(), self.etcd.pid())
    }
}

/// A program that ends with the thread that starts it, also where that is killed.
fn bound(program: PathBuf) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program).env("GOGC", GARBAGE);
    command
}

async fn run(program: &str, arguments: &[&OsStr]) -> Result<()> {
    let ended = Command::new(program).args(arguments).output().await?;
    ensure!(ended.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

async fn openssl(arguments: &[&str]) -> Result<String> {
    let ended = Command::new("openssl").args(arguments).output().await?;
    ensure!(ended.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(String::from_utf8(ended.stdout)?.trim().to_owned())
}
