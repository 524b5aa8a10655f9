//! A bundle as a file: lines of JSON, compressed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use marple_core::{Change, Signal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::series::packed::PackedSeries;
use super::{
    AlertmanagerState, Bundle, Columns, KubernetesState, Manifest, Payload, PrometheusState, RecordedLog,
    RecordedObject, RecordedResource,
};

/// The version of the format that is written and read.
pub const VERSION: u32 = 2;

/// The largest bundle before compression, in bytes: what a laptop can hold, and a bound for what an unknown file can do.
pub const SIZE_LIMIT: u64 = 512 * 1024 * 1024;

/// The longest line, in bytes: it is held whole.
const LINE_LIMIT: u64 = 64 * 1024 * 1024;

/// The most samples of all series together: a few lines may tell of any number.
const SAMPLES_LIMIT: usize = 20_000_000;

/// Compression for files that are kept for years and read often.
const LEVEL: i32 = 19;

/// A bundle could not be read or written. Trying again helps only for `Read` and `Write`.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file could not be read.
    #[error("bundle {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file could not be written.
    #[error("write bundle {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are something else.
    #[error("this is no bundle: {0}")]
    Foreign(String),
    /// It was written in another version of the format.
    #[error(
        "the bundle has format version {found}, and this program reads version {VERSION}: use the program that recorded it, or record it again"
    )]
    Version {
        /// The version that it says.
        found: u64,
    },
    /// A line of it can't be used.
    #[error("line {line} of the bundle: {source}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// It is cut short, or its lines contradict each other.
    #[error("line {line} of the bundle: {fault}")]
    Order {
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        fault: String,
    },
    /// It is larger than [`SIZE_LIMIT`], or has a line that is longer than 64 MiB.
    #[error(
        "the bundle is larger than {} MiB before compression, or has a line longer than {} MiB: record fewer namespaces or \
         a shorter time",
        SIZE_LIMIT / 1024 / 1024, LINE_LIMIT / 1024 / 1024
    )]
    TooLarge,
    /// A part of it has no form in JSON.
    #[error("encode the bundle: {0}")]
    Encode(#[source] serde_json::Error),
    /// The compression failed.
    #[error("compress the bundle: {0}")]
    Compress(#[source] std::io::Error),
}

/// The first line.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Head {
    /// The version of the format.
    marple_bundle: u32,
    manifest: Manifest,
}

/// One line after the first.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The answers of `/version`, and of the aggregated discovery of `/api` and `/apis`.
    Kubernetes { version: Value, core: Value, groups: Value },
    /// A resource; its objects are the lines after it.
    Resource(ResourceLine),
    /// A whole object with its row in the table.
    Object { object: Value, cells: Vec<Value> },
    /// The log of one run of one container.
    Log(RecordedLog),
    /// The answers of Prometheus; its series are the lines after it.
    Prometheus { build: Value, evaluation_interval_ms: i64, rules: Value, alerts: Value, metadata: Value },
    /// The samples of a series.
    Series(PackedSeries),
    /// What Alertmanager posted.
    Payload(Payload),
    /// The answer of Alertmanager's `/api/v2/alerts`.
    Alerts(Vec<Value>),
    /// What the forwarder told.
    Signal(Signal),
    /// What was altered in the cluster.
    Change(Change),
    /// The last line: how many stand before it.
    End { lines: usize },
}

/// What a line of a bundle's file may be.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(title = "A line of a marple bundle")]
#[expect(dead_code, reason = "only its schema is wanted")]
enum Any {
    Head(Head),
    Line(Line),
}

/// The JSON Schema of a line, published as `docs/schemas/bundle.schema.json`.
pub fn schema() -> Value {
    schemars::schema_for!(Any).to_value()
}

/// A resource in one served version.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResourceLine {
    /// As `v1` or `apps/v1`.
    group_version: String,
    /// Its plural name.
    resource: String,
    kind: String,
    namespaced: bool,
    /// That of the list.
    resource_version: String,
    /// The columns of its table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Columns,
    /// The `Status` where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Value>,
    /// The same by namespace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refused_in: BTreeMap<String, Value>,
}

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
pub(super) fn encode(bundle: &Bundle) -> Result<Vec<u8>, BundleError> {
    let mut lines = Lines { text: Vec::new(), count: 0 };
    lines.push(&Head { marple_bundle: VERSION, manifest: bundle.manifest.clone() })?;
    let KubernetesState { version, core, groups, resources, logs } = bundle.kubernetes.clone();
    lines.push(&Line::Kubernetes { version, core, groups })?;
    for resource in resources {
        let RecordedResource {
            group_version,
            resource,
            kind,
            namespaced,
            resource_version,
            columns,
            objects,
            refused,
            refused_in,
        } = resource;
        lines.push(&Line::Resource(ResourceLine {
            group_version,
            resource,
            kind,
            namespaced,
            resource_version,
            columns,
            refused,
            refused_in,
        }))?;
        for RecordedObject { object, cells } in objects {
            lines.push(&Line::Object { object, cells })?;
        }
    }
    for log in logs {
        lines.push(&Line::Log(log))?;
    }
    if let Some(PrometheusState { build, evaluation_interval_ms, rules, alerts, metadata, series }) =
        bundle.prometheus.clone()
    {
        lines.push(&Line::Prometheus { build, evaluation_interval_ms, rules, alerts, metadata })?;
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

/// The bundle of these bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let decoder = zstd::stream::read::Decoder::new(bytes).map_err(|error| BundleError::Foreign(error.to_string()))?;
    let mut reader = BufReader::new(decoder.take(SIZE_LIMIT + 1));
    let mut read = 0;
    let mut text = String::new();
    let mut next = move || -> Result<Option<String>, BundleError> {
        text.clear();
        let length = (&mut reader)
            .take(LINE_LIMIT)
            .read_line(&mut text)
            .map_err(|error| BundleError::Foreign(error.to_string()))?;
        read += length as u64;
        if read > SIZE_LIMIT || length as u64 == LINE_LIMIT {
            return Err(BundleError::TooLarge);
        }
        Ok((length > 0).then(|| std::mem::take(&mut text)))
    };
    let first = next()?.unwrap_or_default();
    let mut reading = Reading::after(head(&first)?);
    let mut line = 1;
    while let Some(text) = next()? {
        line += 1;
        let parsed = serde_json::from_str(&text).map_err(|source| BundleError::Line { line, source })?;
        reading.take(parsed, line).map_err(|fault| BundleError::Order { line, fault })?;
    }
    reading.finish().map_err(|fault| BundleError::Order { line, fault })
}

/// The first line: its version is looked at before anything else, for what follows may have any form in another.
fn head(text: &str) -> Result<Manifest, BundleError> {
    let foreign = || BundleError::Foreign("its first line has no `marple_bundle`".to_owned());
    let value: Value = serde_json::from_str(text).map_err(|_| foreign())?;
    let found = value.get("marple_bundle").and_then(Value::as_u64).ok_or_else(foreign)?;
    if found != u64::from(VERSION) {
        return Err(BundleError::Version { found });
    }
    let head: Head = serde_json::from_value(value).map_err(|source| BundleError::Line { line: 1, source })?;
    Ok(head.manifest)
}

/// A bundle that is being read.
struct Reading {
    manifest: Manifest,
    kubernetes: Option<KubernetesState>,
    prometheus: Option<PrometheusState>,
    alertmanager: AlertmanagerState,
    samples: usize,
    signals: Vec<Signal>,
    changes: Vec<Change>,
    ended: bool,
}

impl Reading {
    fn after(manifest: Manifest) -> Self {
        let alertmanager = AlertmanagerState::default();
        let (signals, changes) = (Vec::new(), Vec::new());
        Self { manifest, kubernetes: None, prometheus: None, alertmanager, samples: 0, signals, changes, ended: false }
    }

    fn kubernetes(&mut self) -> Result<&mut KubernetesState, String> {
        self.kubernetes.as_mut().ok_or_else(|| "comes before the line `kubernetes`".to_owned())
    }

    fn take(&mut self, parsed: Line, line: usize) -> Result<(), String> {
        if self.ended {
            return Err("comes after the end".to_owned());
        }
        match parsed {
            Line::Kubernetes { version, core, groups } => {
                let (resources, logs) = (Vec::new(), Vec::new());
                self.kubernetes = Some(KubernetesState { version, core, groups, resources, logs });
            }
            Line::Resource(head) => {
                let ResourceLine {
                    group_version,
                    resource,
                    kind,
                    namespaced,
                    resource_version,
                    columns,
                    refused,
                    refused_in,
                } = head;
                let objects = Vec::new();
                self.kubernetes()?.resources.push(RecordedResource {
                    group_version,
                    resource,
                    kind,
                    namespaced,
                    resource_version,
                    columns,
                    objects,
                    refused,
                    refused_in,
                });
            }
            Line::Object { object, cells } => {
                let resource = self.kubernetes()?.resources.last_mut().ok_or("comes before any `resource`")?;
                resource.objects.push(RecordedObject { object, cells });
            }
            Line::Log(log) => self.kubernetes()?.logs.push(log),
            Line::Prometheus { build, evaluation_interval_ms, rules, alerts, metadata } => {
                let series = Vec::new();
                self.prometheus =
                    Some(PrometheusState { build, evaluation_interval_ms, rules, alerts, metadata, series });
            }
            Line::Series(packed) => {
                let series = packed.unpack()?;
                self.samples += series.samples.len();
                if self.samples > SAMPLES_LIMIT {
                    return Err(format!("the series together have more than {SAMPLES_LIMIT} samples"));
                }
                self.prometheus.as_mut().ok_or("comes before the line `prometheus`")?.series.push(series);
            }
            Line::Payload(payload) => self.alertmanager.payloads.push(payload),
            Line::Alerts(alerts) => self.alertmanager.alerts = alerts,
            Line::Signal(signal) => self.signals.push(signal),
            Line::Change(change) => self.changes.push(change),
            Line::End { lines } if lines + 1 == line => self.ended = true,
            Line::End { lines } => return Err(format!("the bundle had {lines} lines, and {} were found", line - 1)),
        }
        Ok(())
    }

    fn finish(self) -> Result<Bundle, String> {
        if !self.ended {
            return Err("the bundle ends here without its last line: it is cut short".to_owned());
        }
        let kubernetes = self.kubernetes.ok_or("the bundle has no line `kubernetes`")?;
        Ok(Bundle {
            manifest: self.manifest,
            kubernetes,
            prometheus: self.prometheus,
            alertmanager: self.alertmanager,
            signals: self.signals,
            changes: self.changes,
        })
    }
}
