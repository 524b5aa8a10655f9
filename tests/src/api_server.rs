//! A second API server of the test cluster, which a test may kill.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use tempfile::TempDir;
use tokio::process::Command;

use crate::cluster::TestCluster;
use crate::process::Process;
use crate::program::free_port;

/// How long it may take until it answers, on a machine that is busy with other tests.
pub(crate) const READY_WITHIN: Duration = Duration::from_mins(2);

/// Where `cluster/up` has etcd.
const ETCD: &str = "http://127.0.0.1:2379";

/// Where `cluster/up` keeps what it has built and the state of the cluster.
pub(crate) fn home() -> PathBuf {
    match (env::var_os("TEST_CLUSTER"), env::var_os("HOME")) {
        (Some(home), _) => PathBuf::from(home),
        (None, Some(home)) => Path::new(&home).join(".cache/test-cluster"),
        (None, None) => PathBuf::new(),
    }
}

/// Has the cluster's etcd forget all versions before the present one, as the API server has it do every five minutes for
/// those that are older.
pub async fn compact_etcd() -> Result<()> {
    compact(ETCD).await
}

/// The same of the etcd at this address.
pub(crate) async fn compact(etcd: &str) -> Result<()> {
    let etcdctl = async |arguments: &[&str]| -> Result<Vec<u8>> {
        let ended = Command::new("etcdctl").args(["--endpoints", etcd]).args(arguments).output().await?;
        ensure!(ended.status.success(), "etcdctl {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
        Ok(ended.stdout)
    };
    let status: serde_json::Value = serde_json::from_slice(&etcdctl(&["endpoint", "status", "-w", "json"]).await?)?;
    let revision = status.pointer("/0/Status/header/revision").and_then(serde_json::Value::as_u64);
    let revision = revision.ok_or_else(|| anyhow::anyhow!("etcd tells no revision: {status}"))?;
    etcdctl(&["compact", &revision.to_string()]).await.map(drop)
}

/// An API server of the test cluster on a port of its own, over the same etcd; killed when dropped.
pub struct ApiServer {
    folder: TempDir,
    port: u16,
    process: Process,
}

impl ApiServer {
    /// Starts one, where `cluster/up` has raised the cluster on this machine; else says that the test is left out.
    #[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was left out")]
    pub async fn start(cluster: &TestCluster) -> Result<Option<Self>> {
        let home = home();
        if !home.join("pki/apiserver.key").exists() {
            eprintln!("left out: it needs the API server's own keys, and the cluster is not one of tests/cluster/up");
            return Ok(None);
        }
        let folder = TempDir::with_prefix("marple-api-server-")?;
        let port = free_port()?;
        let kubeconfig = std::fs::read_to_string(home.join("admin.kubeconfig"))?;
        let server = cluster.config().cluster_url.to_string();
        let server = server.trim_end_matches('/');
        ensure!(kubeconfig.contains(server), "the kubeconfig of tests/cluster/up names another server than {server}");
        let beside = kubeconfig.replace(server, &format!("https://127.0.0.1:{port}"));
        std::fs::write(folder.path().join("kubeconfig"), beside)?;
        let process = Process::new("an API server", folder.path().join("log"));
        let mut started = Self { folder, port, process };
        started.begin().await?;
        Ok(Some(started))
    }

    /// A kubeconfig of it, with all rights.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Kills the process at once, as the loss of its machine does.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Starts the process, again on the same port, and waits until it is ready.
    pub async fn begin(&mut self) -> Result<()> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/api-server");
        let mut command = Command::new(script);
        command.arg(self.port.to_string());
        // The cluster's Service leads to its own server, whatever becomes of this one.
        command.args(["--endpoint-reconciler-type", "none", "--bind-address", "127.0.0.1"]);
        command.arg("--cert-dir").arg(self.folder.path());
        let kubeconfig = kube::config::Kubeconfig::read_from(self.kubeconfig())?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config)?;
        let answers = async || {
            let Ok(ready) = http::Request::get("/readyz").body(Vec::new()) else { return false };
            client.request_text(ready).await.is_ok()
        };
        self.process.start(&mut command, READY_WITHIN, answers).await
    }
}
