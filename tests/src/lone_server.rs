//! An API server with an etcd of its own and nothing else: no controller, no scheduler, no node, and nobody who watches.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::api_server::{READY_WITHIN, home};
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
        let mut lone = Self { etcd, server, url, token, folder };
        let etcd = lone.start_etcd().await?;
        lone.start_server(port, &etcd).await?;
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "lone",
            "contexts": [{"name": "lone", "context": {"cluster": "lone", "user": "lone"}}],
            "clusters": [{"name": "lone", "cluster": {"server": lone.url, "insecure-skip-tls-verify": true}}],
            "users": [{"name": "lone", "user": {"token": lone.token}}],
        });
        std::fs::write(lone.kubeconfig(), kubeconfig.to_string())?;
        Ok(lone)
    }

    async fn start_etcd(&mut self) -> Result<String> {
        let (client, peer) =
            (format!("http://127.0.0.1:{}", free_port()?), format!("http://127.0.0.1:{}", free_port()?));
        let mut command = bound("etcd".into());
        command.arg("--data-dir").arg(self.folder.path().join("etcd")).arg("--unsafe-no-fsync");
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.arg("--initial-cluster").arg(format!("default={peer}"));
        let (asked, health) = (reqwest::Client::new(), format!("{client}/health"));
        let answers = async || asked.get(&health).send().await.is_ok_and(|answer| answer.status().is_success());
        self.etcd.start(&mut command, ETCD_WITHIN, answers).await?;
        Ok(client)
    }

    async fn start_server(&mut self, port: u16, etcd: &str) -> Result<()> {
        let program = home().join("bin/kube-apiserver");
        ensure!(program.exists(), "{} is missing: run tests/cluster/up once, which builds it", program.display());
        let file = |name: &str| self.folder.path().join(name);
        std::fs::write(file("tokens.csv"), format!("{},admin,admin,system:masters\n", self.token))?;
        std::fs::write(file("accounts.key"), openssl(&["genrsa", "2048"]).await?)?;
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

async fn openssl(arguments: &[&str]) -> Result<String> {
    let ended = Command::new("openssl").args(arguments).output().await?;
    ensure!(ended.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(String::from_utf8(ended.stdout)?.trim().to_owned())
}
