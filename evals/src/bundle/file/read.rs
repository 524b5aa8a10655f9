//! Reads a bundle's file.

use std::io::{BufRead, BufReader, Read};

use marple_core::{Change, Signal};
use serde_json::Value;

use super::line::{Head, Line};
use super::{BundleError, LINE_LIMIT, OLDEST, SIZE_LIMIT, VERSION};
use crate::bundle::{
    AlertmanagerState, Bundle, KubernetesState, Manifest, PrometheusState, RecordedObject, RecordedTrace,
};

/// The most samples of all series together: a few lines may tell of any number.
const SAMPLES_LIMIT: usize = 20_000_000;

/// The most values of all lines but series together: a value takes some hundred bytes in memory, and two in the file.
const VALUES_LIMIT: usize = 10_000_000;

/// The most lines: each takes some hundred bytes beside what it holds.
const COUNT_LIMIT: usize = 500_000;

/// The bundle of these bytes, which are read in large parts.
pub(in crate::bundle) fn decode(bytes: impl Read) -> Result<Bundle, BundleError> {
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
    let mut held = values(&first);
    if held > VALUES_LIMIT {
        return Err(BundleError::TooMuch { line: 1 });
    }
    let mut reading = Reading::after(head(&first)?);
    let mut line = 1;
    while let Some(text) = next()? {
        line += 1;
        // Of a series the samples are bounded when they are unpacked; its labels are counted then.
        held += if text.starts_with(SERIES) { 0 } else { values(&text) };
        if held > VALUES_LIMIT || line > COUNT_LIMIT {
            return Err(BundleError::TooMuch { line });
        }
        let parsed: Line = serde_json::from_str(&text).map_err(|source| BundleError::Line { line, source })?;
        if let Line::Series(packed) = &parsed {
            held += packed.labels();
        }
        reading.take(parsed, line).map_err(|fault| BundleError::Order { line, fault })?;
    }
    reading.finish().map_err(|fault| BundleError::Order { line, fault })
}

/// How a line begins that is a series.
const SERIES: &str = "{\"series\"";

/// How many values and names a line of JSON has, at most, told by what stands between them.
fn values(text: &str) -> usize {
    let (mut count, mut quoted, mut escaped) = (1, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b',' | b':' | b'[' | b'{' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

/// The first line: its version is looked at before anything else, for what follows may have any form in another.
fn head(text: &str) -> Result<Manifest, BundleError> {
    let foreign = || BundleError::Foreign("its first line has no `marple_bundle`".to_owned());
    let value: Value = serde_json::from_str(text).map_err(|_| foreign())?;
    let found = value.get("marple_bundle").and_then(Value::as_u64).ok_or_else(foreign)?;
    if !(u64::from(OLDEST)..=u64::from(VERSION)).contains(&found) {
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
    traces: Vec<RecordedTrace>,
    ended: bool,
}

impl Reading {
    fn after(manifest: Manifest) -> Self {
        Self {
            manifest,
            kubernetes: None,
            prometheus: None,
            alertmanager: AlertmanagerState::default(),
            samples: 0,
            signals: Vec::new(),
            changes: Vec::new(),
            traces: Vec::new(),
            ended: false,
        }
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
                self.kubernetes = Some(KubernetesState { version, core, groups, ..KubernetesState::default() });
            }
            Line::Resource(resource) => self.kubernetes()?.resources.push(resource),
            Line::Object { object, cells } => {
                let resource = self.kubernetes()?.resources.last_mut().ok_or("comes before any `resource`")?;
                resource.objects.push(RecordedObject { object, cells });
            }
            Line::Log(log) => self.kubernetes()?.logs.push(log),
            Line::Watched(watched) => self.kubernetes()?.watched.push(watched),
            Line::OpenApi(document) => self.kubernetes()?.open_api.push(document),
            Line::Access(access) => self.kubernetes()?.access.push(access),
            Line::Prometheus { build, evaluation_interval_ms, rules, alerts, metadata, whole, histograms } => {
                let series = Vec::new();
                self.prometheus = Some(PrometheusState {
                    build,
                    evaluation_interval_ms,
                    rules,
                    alerts,
                    metadata,
                    whole,
                    histograms,
                    series,
                });
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
            Line::Trace(trace) => self.traces.push(trace),
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
            traces: self.traces,
        })
    }
}
