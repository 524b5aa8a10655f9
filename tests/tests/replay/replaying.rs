//! `marple record`, and `marple replay` of what it recorded.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use marple_tests::cluster::{TestCluster, wait_for};
use marple_tests::program::binary;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const RECORDED_WITHIN: Duration = Duration::from_mins(2);
const REPLAYED_WITHIN: Duration = Duration::from_secs(20);

/// Records a namespace with the tests' own rights.
pub(crate) async fn record(cluster: &TestCluster, namespace: &str, file: &Path) -> Result<()> {
    let mut record = recording(namespace, file)?;
    record.args(["--context", cluster.context()]);
    record.args(["--prometheus", cluster.prometheus_url(), "--alertmanager", cluster.alertmanager_url()]);
    ended(record).await
}

/// Records a namespace with the rights of a kubeconfig.
pub(crate) async fn record_with(kubeconfig: &Path, namespace: &str, file: &Path) -> Result<()> {
    let mut record = recording(namespace, file)?;
    record.env("KUBECONFIG", kubeconfig);
    ended(record).await
}

fn recording(namespace: &str, file: &Path) -> Result<Command> {
    let mut record = Command::new(binary()?);
    record.args(["record", "--namespace", namespace, "--since", "15m", "--out"]).arg(file);
    Ok(record)
}

async fn ended(mut record: Command) -> Result<()> {
    let ended = tokio::time::timeout(RECORDED_WITHIN, record.output()).await??;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

/// `marple replay`, until it is dropped.
pub(crate) struct Replaying {
    _process: Child,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) prometheus: String,
    /// In seconds since 1970.
    pub(crate) recorded_at: i64,
}

impl Replaying {
    pub(crate) async fn start(file: &Path, folder: &Path) -> Result<Self> {
        let kubeconfig = folder.join("replay.kubeconfig");
        let mut process = Command::new(binary()?)
            .arg("replay")
            .arg(file)
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("its output")?).lines();
        let (mut recorded_at, mut prometheus) = (None, None);
        let read = async {
            while prometheus.is_none() {
                let line = lines.next_line().await?.context("it ended")?;
                if let Some(at) = line.strip_prefix("Recorded at ") {
                    recorded_at = Some(at.trim_end_matches('.').parse::<jiff::Timestamp>()?.as_second());
                }
                prometheus = line.trim().strip_prefix("Prometheus").map(|url| url.trim().to_owned());
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(REPLAYED_WITHIN, read).await.context("a replay starts at once")??;
        // It is read to its end, for it would end where nobody hears it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        wait_for("the kubeconfig of the replay", REPLAYED_WITHIN, || async {
            if kubeconfig.exists() { Ok(()) } else { Err("it is not there") }
        })
        .await?;
        Ok(Self {
            _process: process,
            kubeconfig,
            prometheus: prometheus.context("no Prometheus")?,
            recorded_at: recorded_at.context("no time")?,
        })
    }
}
