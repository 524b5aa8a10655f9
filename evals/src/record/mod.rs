//! Records an incident from a live cluster.

mod access;
mod alertmanager;
mod kubernetes;
mod logs;
mod open_api;
mod prometheus;
mod redaction;
mod stale;
#[cfg(test)]
mod tests;
pub mod told;
mod traces;
mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use marple_core::{Change, Labels, Signal};
use marple_tools::Redact;
use marple_tools::prometheus::{Prometheus, PrometheusError};
use marple_tools::trace::TraceStore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bundle::{AlertmanagerState, Bundle, Manifest, Omission, Payload, RecordedResource, Watched};
use redaction::Redaction;
use watch::{Seen, Watches};

/// What to record.
#[derive(Clone)]
pub struct RecordOptions {
    /// Client of the cluster. It needs to read; what it may not read is recorded as refused.
    pub client: kube::Client,
    /// The cluster's name.
    pub cluster: String,
    /// Its Prometheus.
    pub prometheus: Option<Prometheus>,
    /// URL of its Alertmanager.
    pub alertmanager_url: Option<String>,
    /// The namespaces to record. Objects without a namespace are recorded always.
    pub namespaces: BTreeSet<String>,
    /// The start of the window of metrics and logs.
    pub since: Timestamp,
    /// How long the objects are watched after they were listed, before the rest is read; while that is read they are
    /// watched too.
    pub watch: Duration,
    /// Where traces are kept.
    pub traces: Option<TraceStore>,
    /// What Alertmanager posted, in order.
    pub payloads: Vec<Payload>,
    /// What the forwarder told of the incident, oldest first.
    pub signals: Vec<Signal>,
    /// What changed, oldest first.
    pub changes: Vec<Change>,
    /// Bounds of what is recorded.
    pub limits: Limits,
}

/// Bounds of a recording. What goes beyond them is left out, and the manifest says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Objects of one resource.
    pub objects: usize,
    /// Lines of one container's log; its newest are kept.
    pub log_lines: usize,
    /// Bytes of one container's log; its newest lines are kept.
    pub log_bytes: usize,
    /// Bytes of all logs together. Those of pods that are not well are read first.
    pub all_logs: usize,
    /// Time after which no further log is read: what is left is for metrics and the rest.
    pub time: Duration,
    /// Series of all metrics together.
    pub series: usize,
    /// Time for one request.
    pub request: Duration,
}

impl Default for Limits {
    /// 5,000 objects, 5,000 lines and 256 KiB of a log, 128 MiB of all, 3 min, 50,000 series, 30 s.
    fn default() -> Self {
        Self {
            objects: 5_000,
            log_lines: 5_000,
            log_bytes: 256 * 1024,
            all_logs: 128 * 1024 * 1024,
            time: Duration::from_mins(3),
            series: 50_000,
            request: Duration::from_secs(30),
        }
    }
}

/// A recording could not be made. Trying again helps: an API was away or failed.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It was cancelled.
    #[error("the recording was cancelled")]
    Cancelled,
    /// An API gave no answer in time.
    #[error("record {what}: no answer in {} s", after.as_secs())]
    Timeout {
        /// What was being read.
        what: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The Kubernetes API failed.
    #[error("record {what} from the Kubernetes API: {source}")]
    Kubernetes {
        /// What was being read.
        what: String,
        /// Why it failed.
        source: kube::Error,
    },
    /// Prometheus failed.
    #[error("record {what} of Prometheus: {source}")]
    Prometheus {
        /// What was being read.
        what: String,
        /// Why it failed.
        source: PrometheusError,
    },
    /// Alertmanager failed.
    #[error("record {what} from {url}: {fault}")]
    Http {
        /// What was being read.
        what: String,
        /// From where.
        url: String,
        /// Why it failed.
        fault: String,
    },
}

/// The namespaces that there are.
pub async fn namespaces(client: &kube::Client) -> Result<BTreeSet<String>, RecordError> {
    let failed = |source| RecordError::Kubernetes { what: "the namespaces".to_owned(), source };
    let all: kube::Api<Namespace> = kube::Api::all(client.clone());
    let within = Limits::default().request;
    let listed = tokio::time::timeout(within, all.list_metadata(&kube::api::ListParams::default())).await;
    let late = || RecordError::Timeout { what: "the namespaces".to_owned(), after: within };
    let listed = listed.map_err(|_| late())?.map_err(failed)?;
    Ok(listed.items.into_iter().filter_map(|namespace| namespace.metadata.name).collect())
}

/// Records what the cluster and its monitoring hold now.
///
/// Secrets' values are never kept, and every text goes through `redact`. `progress` is told what is being read, in one
/// line each time.
pub async fn record(
    options: RecordOptions,
    redact: &dyn Redact,
    progress: &(dyn Fn(&str) + Sync),
    cancel: &CancellationToken,
) -> Result<Bundle, RecordError> {
    let listed_at = Timestamp::now();
    let mut watches = Watches::new(options.client.clone(), cancel);
    let redaction = Redaction::new(redact);
    let mut recorder = Recorder {
        options,
        redaction,
        progress,
        cancel,
        omissions: Vec::new(),
        histograms: BTreeSet::new(),
        recorded_at: listed_at,
        began: Instant::now(),
    };
    let mut kubernetes = recorder.kubernetes(&mut watches).await?;
    recorder.wait().await?;
    kubernetes.logs = recorder.logs(&kubernetes.resources, watches.pods()).await?;
    // All that follows is read as of now: it can be.
    recorder.recorded_at = Timestamp::now();
    kubernetes.watched = recorder.watched(watches, &kubernetes.resources).await;
    let traces = recorder.traces(&kubernetes.resources).await?;
    let prometheus = recorder.prometheus().await?;
    let alertmanager = recorder.alertmanager().await?;
    let (mut signals, mut changes) =
        (std::mem::take(&mut recorder.options.signals), std::mem::take(&mut recorder.options.changes));
    for signal in &mut signals {
        recorder.redaction.signal(signal);
    }
    for change in &mut changes {
        recorder.redaction.change(change);
    }
    let Recorder { options, mut omissions, recorded_at, .. } = recorder;
    omissions.sort();
    omissions.dedup();
    let manifest = Manifest {
        recorder: concat!("marple ", env!("CARGO_PKG_VERSION")).to_owned(),
        cluster: options.cluster,
        recorded_at,
        listed_at: Some(listed_at),
        since: options.since,
        namespaces: options.namespaces,
        omissions,
    };
    Ok(Bundle { manifest, kubernetes, prometheus, alertmanager, signals, changes, traces })
}

/// A recording under way.
struct Recorder<'a> {
    options: RecordOptions,
    redaction: Redaction<'a>,
    progress: &'a (dyn Fn(&str) + Sync),
    cancel: &'a CancellationToken,
    omissions: Vec<Omission>,
    /// The native histograms that were found, which are not recorded.
    histograms: BTreeSet<Labels>,
    /// The present of the recording: until then metrics and traces are read.
    recorded_at: Timestamp,
    began: Instant,
}

impl Recorder<'_> {
    fn progress(&self, what: &str) {
        (self.progress)(what);
    }

    fn omit(&mut self, what: String, why: String) {
        self.omissions.push(Omission { what, why });
    }

    /// Waits while the objects are watched.
    async fn wait(&self) -> Result<(), RecordError> {
        let wanted = self.options.watch;
        if !wanted.is_zero() {
            self.progress(&format!("what happens in {} s", wanted.as_secs()));
        }
        tokio::select! {
            () = self.cancel.cancelled() => Err(RecordError::Cancelled),
            () = tokio::time::sleep(wanted) => Ok(()),
        }
    }

    /// Ends the watches; gives what they told.
    async fn watched(&mut self, watches: Watches, resources: &[RecordedResource]) -> Vec<Watched> {
        let Seen { mut events, faults } = watches.end(self.recorded_at).await;
        for (what, why) in faults {
            self.omit(what, why);
        }
        for event in &mut events {
            self.redaction.watched(event, resources);
        }
        events
    }

    /// Waits for `request`, no longer than the deadline, and hears cancellation.
    async fn within<T>(&self, what: &str, request: impl Future<Output = T>) -> Result<T, RecordError> {
        let after = self.options.limits.request;
        tokio::select! {
            () = self.cancel.cancelled() => Err(RecordError::Cancelled),
            ended = tokio::time::timeout(after, request) => {
                ended.map_err(|_| RecordError::Timeout { what: what.to_owned(), after })
            }
        }
    }

    /// Whether a document that names this namespace, or none, belongs to the recording.
    fn covers(&self, namespace: Option<&str>) -> bool {
        namespace.is_none_or(|namespace| self.options.namespaces.contains(namespace))
    }
}
