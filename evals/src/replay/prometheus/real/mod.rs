//! A real Prometheus on the recorded samples.

mod write;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::bundle::{Bundle, PrometheusState};
use crate::replay::RealPrometheus;

/// How long it may take to start and to take the samples in.
const START: Duration = Duration::from_mins(1);

/// How long a query may take: its own default for `--query.timeout` is longer.
const QUERY: Duration = Duration::from_secs(30);

/// The most that it may answer, in bytes.
const ANSWER: usize = 64 * 1024 * 1024;

/// It gave no answer. Trying again helps where it was slow.
#[derive(Debug, thiserror::Error)]
pub(super) enum RealError {
    /// Its folder could not be made, or it could not be run.
    #[error("run {}: {source}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended, or said nothing in time.
    #[error("{} did not begin to serve: {said}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Its last line, or how long it was waited for.
        said: String,
    },
    /// It could not be asked.
    #[error("ask Prometheus: {0}")]
    Ask(#[source] reqwest::Error),
    /// It refused samples, or answered too much.
    #[error("Prometheus: {0}")]
    Answer(String),
}

/// A Prometheus that is started when it is first asked, or beside the first queries, and ends when it is dropped.
pub(super) struct Real {
    wanted: RealPrometheus,
    running: OnceCell<Running>,
    begun: AtomicBool,
}

pub(super) struct Running {
    url: String,
    client: reqwest::Client,
    _process: Child,
    _folder: tempfile::TempDir,
}

impl Real {
    pub(super) fn new(wanted: RealPrometheus) -> Self {
        Self { wanted, running: OnceCell::new(), begun: AtomicBool::new(false) }
    }

    /// Whether it answers before others, once it is ready.
    pub(super) fn is_first(&self) -> bool {
        self.wanted.first
    }

    /// It, where it is ready.
    pub(super) fn ready(&self) -> Option<&Running> {
        self.running.get()
    }

    /// Starts it beside what is going on, once: one that does not start is told, and not started again.
    pub(super) fn begin(self: &Arc<Self>, bundle: &Arc<Bundle>, cancel: &CancellationToken) {
        if self.begun.swap(true, Ordering::Relaxed) {
            return;
        }
        let (real, bundle, cancel) = (Arc::clone(self), Arc::clone(bundle), cancel.clone());
        // It ends by itself: starting has a deadline.
        tokio::spawn(async move {
            let Some(state) = &bundle.prometheus else { return };
            if let Some(Err(error)) = cancel.run_until_cancelled(real.running(state)).await {
                tracing::warn!(%error, "queries are evaluated without Prometheus");
            }
        });
    }

    async fn running(&self, state: &PrometheusState) -> Result<&Running, RealError> {
        self.running.get_or_try_init(|| Running::start(&self.wanted.program, state)).await
    }

    /// Its answer to a request of the API, as `/api/v1/query` with its parameters; it is started first.
    pub(super) async fn ask(
        &self,
        state: &PrometheusState,
        path: &str,
        parameters: &[(String, String)],
    ) -> Result<(StatusCode, Value), RealError> {
        self.running(state).await?.ask(path, parameters).await
    }
}

impl Running {
    /// Its answer to a request of the API.
    pub(super) async fn ask(
        &self,
        path: &str,
        parameters: &[(String, String)],
    ) -> Result<(StatusCode, Value), RealError> {
        let request = self.client.post(format!("{}{path}", self.url)).timeout(QUERY);
        let form = form_urlencoded(parameters);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let mut answer = request.send().await.map_err(RealError::Ask)?;
        let code = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(RealError::Ask)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER {
                return Err(RealError::Answer(format!("its answer is larger than {} MiB", ANSWER / 1024 / 1024)));
            }
        }
        let body = serde_json::from_slice(&body).map_err(|error| RealError::Answer(format!("no JSON: {error}")))?;
        Ok((code, body))
    }

    async fn start(program: &Path, state: &PrometheusState) -> Result<Self, RealError> {
        let run = |source| RealError::Run { program: program.to_owned(), source };
        let folder = tempfile::TempDir::with_prefix("marple-prometheus-").map_err(run)?;
        let configuration = folder.path().join("prometheus.yml");
        // A subquery without a step takes it.
        let interval = format!("global: {{ evaluation_interval: {}ms }}\n", state.evaluation_interval_ms.max(1));
        std::fs::write(&configuration, interval).map_err(run)?;
        let mut process = Command::new(program)
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            // The samples are as old as the recording.
            .args(["--storage.tsdb.retention.time=100y", "--web.enable-remote-write-receiver"])
            .args(["--enable-feature=promql-experimental-functions", "--web.listen-address=127.0.0.1:0"])
            .env_clear()
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(run)?;
        let started = async {
            let url = listening(program, process.stderr.take()).await?;
            let client = reqwest::Client::builder().no_proxy().build().map_err(RealError::Ask)?;
            ready(&client, &url).await?;
            write::all(&client, &url, &state.series).await?;
            Ok((url, client))
        };
        let late = || RealError::Start { program: program.to_owned(), said: format!("not in {} s", START.as_secs()) };
        let (url, client) = tokio::time::timeout(START, started).await.map_err(|_| late())??;
        Ok(Self { url, client, _process: process, _folder: folder })
    }
}

/// Reads where it listens from what it says: it takes a free port by itself.
async fn listening(program: &Path, stderr: Option<ChildStderr>) -> Result<String, RealError> {
    let failed = |said: String| RealError::Start { program: program.to_owned(), said };
    let stderr = stderr.ok_or_else(|| failed("it has no output".to_owned()))?;
    let mut lines = BufReader::new(stderr).lines();
    let mut last = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = address(&line) {
            let url = format!("http://{address}");
            // It is read to its end, for a program stops where nobody takes what it says.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(url);
        }
        last = line;
    }
    Err(failed(last))
}

/// The address in `… msg="Listening on" component=web address=127.0.0.1:41234`.
fn address(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("\"Listening on\"")?;
    let address = rest.split_once("address=")?.1;
    address.split(' ').next().map(|address| address.trim_matches('"'))
}

fn form_urlencoded(parameters: &[(String, String)]) -> String {
    let url = reqwest::Url::parse_with_params("http://form/", parameters);
    url.ok().and_then(|url| url.query().map(str::to_owned)).unwrap_or_default()
}

async fn ready(client: &reqwest::Client, url: &str) -> Result<(), RealError> {
    // The caller's deadline ends it.
    loop {
        let answer = client.get(format!("{url}/-/ready")).timeout(QUERY).send().await.map_err(RealError::Ask)?;
        if answer.status().is_success() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_what_it_says() {
        let line = "time=2026-01-01T00:00:00Z level=INFO source=tls_config.go:347 msg=\"Listening on\" component=web address=127.0.0.1:41234";
        assert_eq!(address(line), Some("127.0.0.1:41234"));
        assert_eq!(address("msg=\"Start listening for connections\" address=127.0.0.1:0"), None);
    }
}
