//! Writes a bundle's file.

use serde::Serialize;

use super::line::{Head, Line};
use super::{BundleError, SIZE_LIMIT, VERSION};
use crate::bundle::series::packed::PackedSeries;
use crate::bundle::{Bundle, KubernetesState, PrometheusState, RecordedObject};

/// Compression for files that are kept for years and read often.
const LEVEL: i32 = 19;

/// Writes lines until the bound.
struct Lines {
    text: Vec<u8>,
    count: usize,
}

impl Lines {
    fn push(&mut self, line: &impl Serialize) -> Result<(), BundleError> {
        serde_json::to_writer(&mut self.text, line).map_err(BundleError::Encode)?;
        self.text.push(b'\n');
        self.count += 1;
        if self.text.len() as u64 > SIZE_LIMIT { Err(BundleError::TooLarge) } else { Ok(()) }
    }
}

/// The bytes of a bundle's file.
pub(in crate::bundle) fn encode(bundle: &Bundle) -> Result<Vec<u8>, BundleError> {
    let mut lines = Lines { text: Vec::new(), count: 0 };
    lines.push(&Head { marple_bundle: VERSION, manifest: bundle.manifest.clone() })?;
    let KubernetesState { version, core, groups, resources, logs, watched, open_api, access } =
        bundle.kubernetes.clone();
    lines.push(&Line::Kubernetes { version, core, groups })?;
    for mut resource in resources {
        let objects = std::mem::take(&mut resource.objects);
        lines.push(&Line::Resource(resource))?;
        for RecordedObject { object, cells } in objects {
            lines.push(&Line::Object { object, cells })?;
        }
    }
    for log in logs {
        lines.push(&Line::Log(log))?;
    }
    for watched in watched {
        lines.push(&Line::Watched(watched))?;
    }
    for document in open_api {
        lines.push(&Line::OpenApi(document))?;
    }
    for access in access {
        lines.push(&Line::Access(access))?;
    }
    if let Some(state) = bundle.prometheus.clone() {
        let PrometheusState { build, evaluation_interval_ms, rules, alerts, metadata, whole, histograms, series } =
            state;
        lines.push(&Line::Prometheus { build, evaluation_interval_ms, rules, alerts, metadata, whole, histograms })?;
        for series in &series {
            lines.push(&Line::Series(PackedSeries::pack(series)))?;
        }
    }
    for payload in &bundle.alertmanager.payloads {
        lines.push(&Line::Payload(payload.clone()))?;
    }
    if !bundle.alertmanager.alerts.is_empty() {
        lines.push(&Line::Alerts(bundle.alertmanager.alerts.clone()))?;
    }
    for signal in &bundle.signals {
        lines.push(&Line::Signal(signal.clone()))?;
    }
    for change in &bundle.changes {
        lines.push(&Line::Change(change.clone()))?;
    }
    for trace in &bundle.traces {
        lines.push(&Line::Trace(trace.clone()))?;
    }
    let count = lines.count;
    lines.push(&Line::End { lines: count })?;
    let compress = |text: &[u8]| {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        // Whatever happens to the file on its way is found when it is read.
        compressor.include_checksum(true)?;
        compressor.compress(text)
    };
    compress(&lines.text).map_err(BundleError::Compress)
}
