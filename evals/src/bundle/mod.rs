//! A recorded incident: the state of a cluster and its monitoring around the present of the recording, in one file.
//!
//! The format is documented in `docs/bundle-format.md`.

mod access;
mod alertmanager;
mod file;
mod kubernetes;
mod manifest;
mod past;
mod prometheus;
mod series;
#[cfg(test)]
mod tests;
mod trace;

use std::path::Path;

use jiff::Timestamp;
use marple_core::{Change, Signal};

pub use access::{AccessDecision, RecordedAccess};
pub use alertmanager::{AlertmanagerState, Payload};
pub use file::{BundleError, SIZE_LIMIT, VERSION, schema};
pub use kubernetes::{
    Columns, Document, KubernetesState, OpenApi, RecordedLog, RecordedObject, RecordedResource, WatchEvent, Watched,
};
pub use manifest::{Manifest, Omission};
pub use past::{Past, PastError};
pub use prometheus::PrometheusState;
pub use series::{STALE, Sample, Series};
pub use trace::{RecordedSpan, RecordedTrace};

/// A recorded incident, whole in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// What was recorded, when and from where.
    pub manifest: Manifest,
    /// What the Kubernetes API answers.
    pub kubernetes: KubernetesState,
    /// What Prometheus answers; absent where none was recorded.
    pub prometheus: Option<PrometheusState>,
    /// What Alertmanager sent and holds.
    pub alertmanager: AlertmanagerState,
    /// What the forwarder told of the incident beside Alertmanager, oldest first.
    pub signals: Vec<Signal>,
    /// What changed before and during the incident, oldest first.
    pub changes: Vec<Change>,
    /// Traces that went through the recorded services, oldest first.
    pub traces: Vec<RecordedTrace>,
}

impl Bundle {
    /// Reads a bundle's file.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let file = std::fs::File::open(path).map_err(|source| BundleError::Read { path: path.to_owned(), source })?;
        let named = |source| BundleError::Of { path: path.to_owned(), source: Box::new(source) };
        file::decode(file).map_err(named)
    }

    /// Reads a bundle from the bytes of its file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        file::decode(bytes)
    }

    /// The bytes of its file: the same bundle gives the same bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        file::encode(self)
    }

    /// Writes its file, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), BundleError> {
        let failed = |source| BundleError::Write { path: path.to_owned(), source };
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        std::fs::write(&unfinished, self.to_bytes()?).map_err(failed)?;
        std::fs::rename(&unfinished, path).map_err(failed)
    }

    /// The present of the recording.
    pub fn now(&self) -> Timestamp {
        self.manifest.recorded_at
    }
}
