//! Records incidents for a marple that serves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use marple_evals::record::{Limits, told};
use marple_evals::{RecordOptions, record};
use marple_runner::recordings::{Known, Recorder, RecordingError};
use marple_tools::Redact;
use marple_tools::prometheus::Prometheus;
use marple_tools::trace::TraceStore;
use tokio_util::sync::CancellationToken;

/// Writes bundles of what the cluster and its monitoring hold.
pub(crate) struct Bundles {
    pub(crate) client: kube::Client,
    /// The cluster's name.
    pub(crate) cluster: String,
    pub(crate) prometheus: Option<Prometheus>,
    pub(crate) alertmanager: Option<String>,
    pub(crate) traces: Option<TraceStore>,
    pub(crate) redact: Arc<dyn Redact>,
}

#[async_trait]
impl Recorder for Bundles {
    async fn record(&self, known: Known, file: &Path, cancel: &CancellationToken) -> Result<(), RecordingError> {
        let Known { incident, members, conclusion, changes, since } = known;
        let options = RecordOptions {
            client: self.client.clone(),
            cluster: self.cluster.clone(),
            prometheus: self.prometheus.clone(),
            alertmanager_url: self.alertmanager.clone(),
            namespaces: incident.namespaces(Some(&conclusion)),
            since,
            watch: Duration::ZERO,
            traces: self.traces.clone(),
            payloads: told::payloads(&members),
            signals: told::signals(&members),
            changes: told::history(changes),
            limits: Limits::default(),
        };
        let progress = |what: &str| tracing::debug!(incident = %incident.id.short(), what, "recording");
        let bundle = record(options, self.redact.as_ref(), &progress, cancel)
            .await
            .map_err(|error| RecordingError(error.into()))?;
        let file = file.to_owned();
        // Apart: to compress some MiB well takes seconds.
        let written = tokio::task::spawn_blocking(move || bundle.write(&file)).await;
        written.map_err(|error| RecordingError(error.into()))?.map_err(|error| RecordingError(error.into()))
    }
}
