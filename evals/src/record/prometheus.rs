//! Reads the series, rules and alerts of Prometheus.

use std::collections::BTreeMap;
use std::sync::Arc;

use marple_core::Labels;
use marple_tools::prometheus::{Prometheus, PrometheusError, Warned};
use serde::Deserialize;
use serde_json::Value;

use super::{RecordError, Recorder, stale};
use crate::bundle::{PrometheusState, Sample, Series};
use crate::json::text;
use crate::promql::LOOKBACK;

/// Metrics asked for at once: keeps each answer small enough for a busy Prometheus.
const BATCH: usize = 40;

/// Prometheus evaluates rules once a minute where its configuration says nothing else.
const EVALUATION_INTERVAL_MS: i64 = 60_000;

/// What is recorded of every namespace: the targets and the nodes' health. A `ServiceMonitor` puts its own namespace on
/// them.
const WHOLE: &str = "up|kube_node_.+|machine_.+|kubelet_running_.+|node_load.+|\
    node_memory_(MemTotal|MemAvailable|MemFree)_bytes|node_filesystem_(avail_bytes|size_bytes|files|files_free|readonly)|\
    node_cpu_seconds_total|node_pressure_.+|node_vmstat_oom_kill|node_disk_io_time_seconds_total";

/// What is recorded beyond that where it is of no namespace.
const OF_NONE: &str = "ALERTS|ALERTS_FOR_STATE|kubelet_volume_.+";

/// The most native histograms that are named, so that a question for one can be refused.
const HISTOGRAMS: usize = 5_000;

/// Points of one answer: Prometheus gives no more than 11,000 of a series.
const POINTS: i64 = 10_000;

/// A matrix, as Prometheus answers a range selector.
#[derive(Deserialize)]
struct Matrix {
    result: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    metric: Labels,
    #[serde(default)]
    values: Vec<(f64, String)>,
    /// Native histograms: not recorded.
    #[serde(default)]
    histograms: Vec<Value>,
}

impl Recorder<'_> {
    /// Reads what Prometheus holds of the recorded namespaces and the nodes. One that does not answer costs the metrics, not
    /// the recording.
    pub(super) async fn prometheus(&mut self) -> Result<Option<PrometheusState>, RecordError> {
        let Some(prometheus) = self.options.prometheus.clone() else { return Ok(None) };
        match self.held(&prometheus).await {
            Ok(state) => Ok(Some(state)),
            Err(RecordError::Cancelled) => Err(RecordError::Cancelled),
            Err(error) => {
                self.omit("metrics".to_owned(), error.to_string());
                Ok(None)
            }
        }
    }

    async fn held(&mut self, prometheus: &Prometheus) -> Result<PrometheusState, RecordError> {
        self.progress("rules and alerts of Prometheus");
        let mut rules = self.had(prometheus, "rules").await?;
        let mut alerts = self.had(prometheus, "alerts").await?;
        // What else speaks Prometheus's API may lack these.
        let build = self.told(prometheus, "status/buildinfo").await?;
        let configuration = self.told(prometheus, "status/config").await?;
        let evaluation_interval_ms = evaluation_interval(text(&configuration, "/yaml"));
        self.restrict(&mut alerts);
        for group in rules.get_mut("groups").and_then(Value::as_array_mut).into_iter().flatten() {
            let rules = group.get_mut("rules").and_then(Value::as_array_mut);
            rules.into_iter().flatten().for_each(|rule| self.restrict(rule));
        }
        self.redaction.monitoring(&mut rules);
        self.redaction.monitoring(&mut alerts);
        let series = self.series(prometheus).await?;
        let mut metadata = self.told(prometheus, "metadata").await?;
        if let Some(metadata) = metadata.as_object_mut() {
            let known = |name: &str| {
                // A histogram's or summary's metadata stands under its own name, its series have suffixes.
                series.iter().any(|series| {
                    let base = ["_bucket", "_count", "_sum", ""].map(|suffix| series.name().strip_suffix(suffix));
                    base.contains(&Some(name))
                })
            };
            metadata.retain(|name, _| known(name));
            metadata.sort_keys();
        }
        let (whole, histograms) = (Some(WHOLE.to_owned()), std::mem::take(&mut self.histograms));
        let histograms = histograms.into_iter().collect();
        Ok(PrometheusState { build, evaluation_interval_ms, rules, alerts, metadata, whole, histograms, series })
    }

    /// What some servers lack: `vmselect` evaluates no rules.
    async fn had(&self, prometheus: &Prometheus, what: &str) -> Result<Value, RecordError> {
        match self.query(prometheus, what, &[]).await {
            Err(RecordError::Prometheus { source: source @ PrometheusError::Lacks { .. }, .. }) => {
                self.progress(&source.to_string());
                Ok(Value::Null)
            }
            had => had,
        }
    }

    /// What a server may tell or not.
    async fn told(&self, prometheus: &Prometheus, what: &str) -> Result<Value, RecordError> {
        match self.query(prometheus, what, &[]).await {
            Err(RecordError::Prometheus { source, .. }) => {
                self.progress(&format!("Prometheus doesn't tell its {what}: {source}"));
                Ok(Value::Null)
            }
            told => told,
        }
    }

    /// Keeps the alerts of the recorded namespaces.
    fn restrict(&self, holder: &mut Value) {
        if let Some(alerts) = holder.get_mut("alerts").and_then(Value::as_array_mut) {
            alerts.retain(|alert| self.covers(alert.pointer("/labels/namespace").and_then(Value::as_str)));
        }
    }

    async fn series(&mut self, prometheus: &Prometheus) -> Result<Vec<Series>, RecordError> {
        let namespaces = self.options.namespaces.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().join("|");
        let quoted = promql_quoted(&namespaces);
        // An empty list of namespaces would match the series that have none.
        let of_namespaces = ["namespace", "exported_namespace"].map(|label| format!("{label}=~{quoted},{label}!=\"\""));
        let of_none = format!("namespace=\"\",__name__=~{}", promql_quoted(OF_NONE));
        let whole = format!("__name__=~{}", promql_quoted(WHOLE));
        let mut found: BTreeMap<Labels, Arc<Vec<Sample>>> = BTreeMap::new();
        for matchers in of_namespaces.into_iter().chain([of_none, whole]) {
            let selector = format!("{{{matchers}}}");
            let (start, end) = (seconds(self.start_ms()), seconds(self.end_ms()));
            let parameters = [("match[]", selector.as_str()), ("start", &start), ("end", &end)];
            let names = self.query(prometheus, "label/__name__/values", &parameters).await?;
            let names: Vec<String> =
                names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
            let mut batches: Vec<&[String]> = names.chunks(BATCH).rev().collect();
            while let Some(batch) = batches.pop() {
                self.progress(&format!("{} series of Prometheus so far", found.len()));
                let names = batch.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().join("|");
                let selector = format!("{{{matchers},__name__=~{}}}", promql_quoted(&names));
                match self.samples(prometheus, &selector, &mut found).await {
                    Err(RecordError::Prometheus { source, .. }) if source.is_too_much() => match batch {
                        [] => {}
                        [one] => self.omit(format!("metric {one}"), source.to_string()),
                        many => {
                            let (first, second) = many.split_at(many.len() / 2);
                            batches.extend([second, first]);
                        }
                    },
                    read => read?,
                }
                if found.len() > self.options.limits.series {
                    let limit = self.options.limits.series;
                    self.omit("metrics".to_owned(), format!("there are more than {limit} series"));
                    return Ok(packed(found, limit));
                }
            }
        }
        Ok(packed(found, usize::MAX))
    }

    /// Reads the samples of a selector as they were scraped, and finds where series ended.
    async fn samples(
        &mut self,
        prometheus: &Prometheus,
        selector: &str,
        found: &mut BTreeMap<Labels, Arc<Vec<Sample>>>,
    ) -> Result<(), RecordError> {
        let range = self.end_ms() - self.start_ms();
        let (query, time) = (format!("{selector}[{range}ms]"), seconds(self.end_ms()));
        let matrix = self.matrix(prometheus, "query", &[("query", &query), ("time", &time)]).await?;
        let mut series = Vec::new();
        for Row { metric, values, histograms } in matrix.result {
            if !histograms.is_empty() {
                self.omit(
                    format!("native histogram {}", metric.get("__name__").unwrap_or_default()),
                    "only samples that are numbers are recorded".to_owned(),
                );
                if self.histograms.len() < HISTOGRAMS {
                    self.histograms.insert(metric.clone());
                }
                if values.is_empty() {
                    continue;
                }
            }
            let samples = values
                .into_iter()
                .map(|(at, text)| Sample { at: milliseconds(at), value: text.parse().unwrap_or(f64::NAN) })
                .collect::<Vec<_>>();
            series.push(Series { labels: metric.into(), samples: samples.into() });
        }
        if let Some(step) = stale::step(&series, self.end_ms()) {
            let present = self.present(prometheus, selector, step).await?;
            stale::mark(&mut series, &present, step, self.start_ms()..=self.end_ms());
        }
        for Series { labels, samples } in series {
            let labels = labels.iter().map(|(name, value)| (name.to_owned(), self.redaction.text(value))).collect();
            found.entry(labels).or_insert(samples);
        }
        Ok(())
    }

    /// When each series was there, at each step of the window, so many steps at a time.
    async fn present(&self, prometheus: &Prometheus, selector: &str, step: i64) -> Result<stale::Present, RecordError> {
        let mut present = stale::Present::new();
        let step_text = format!("{step}ms");
        for (from, to) in stretches(self.start_ms(), self.end_ms(), step) {
            let (from, to) = (seconds(from), seconds(to));
            let parameters = [("query", selector), ("start", &from), ("end", &to), ("step", step_text.as_str())];
            for row in self.matrix(prometheus, "query_range", &parameters).await?.result {
                let times = row.values.into_iter().map(|(at, _)| milliseconds(at));
                present.entry(row.metric).or_default().extend(times);
            }
        }
        Ok(present)
    }

    async fn matrix(
        &self,
        prometheus: &Prometheus,
        what: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Matrix, RecordError> {
        let data = self.query(prometheus, what, parameters).await?;
        serde_json::from_value(data).map_err(|error| RecordError::Prometheus {
            what: what.to_owned(),
            source: PrometheusError::Query(format!("its answer is no matrix: {error}")),
        })
    }

    /// `data` of an answer of Prometheus.
    async fn query(
        &self,
        prometheus: &Prometheus,
        what: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, RecordError> {
        let answer = self.within(what, prometheus.data(what, parameters)).await?;
        let Warned { answer, warnings } =
            answer.map_err(|source| RecordError::Prometheus { what: what.to_owned(), source })?;
        for warning in warnings {
            self.progress(&format!("{what}: {warning}"));
        }
        Ok(answer)
    }

    fn start_ms(&self) -> i64 {
        // A query at its start looks back so far.
        self.options.since.as_millisecond() - LOOKBACK
    }

    fn end_ms(&self) -> i64 {
        self.recorded_at.as_millisecond()
    }
}

/// The window in stretches of no more points than are given at once, all on the steps from its start.
fn stretches(start: i64, end: i64, step: i64) -> impl Iterator<Item = (i64, i64)> {
    let length = step.max(1).saturating_mul(POINTS);
    let next = move |from: &i64| from.checked_add(length).filter(|next| *next <= end);
    std::iter::successors(Some(start), next).map(move |from| (from, end.min(from + length - step.max(1))))
}

fn packed(found: BTreeMap<Labels, Arc<Vec<Sample>>>, limit: usize) -> Vec<Series> {
    found.into_iter().take(limit).map(|(labels, samples)| Series { labels: labels.into(), samples }).collect()
}

/// A text as a string of `PromQL`.
fn promql_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A time in the form of Prometheus's parameters, exact to the millisecond.
fn seconds(milliseconds: i64) -> String {
    format!("{}.{:03}", milliseconds.div_euclid(1000), milliseconds.rem_euclid(1000))
}

/// A time of Prometheus's answers.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds of this century are far inside the range")]
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// `global.evaluation_interval` of a configuration in YAML.
fn evaluation_interval(yaml: &str) -> i64 {
    let value = yaml.lines().find_map(|line| line.trim_start().strip_prefix("evaluation_interval:"));
    value
        .and_then(|text| promql_parser::util::parse_duration(text.trim()).ok())
        .and_then(|duration| i64::try_from(duration.as_millis()).ok())
        .unwrap_or(EVALUATION_INTERVAL_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_rules_is_read_from_the_configuration_and_has_a_default() {
        let yaml = "global:\n  scrape_interval: 5s\n  evaluation_interval: 1m30s\nrule_files: []\n";
        assert_eq!(evaluation_interval(yaml), 90_000);
        assert_eq!(evaluation_interval("global: {}\n"), 60_000);
    }

    #[test]
    fn presence_is_asked_for_in_stretches_that_prometheus_gives() {
        let asked: Vec<(i64, i64)> = stretches(7, 250_000_007, 5_000).collect();
        assert_eq!(asked.first(), Some(&(7, 49_995_007)));
        assert_eq!(asked.get(1), Some(&(50_000_007, 99_995_007)));
        assert_eq!(asked.last(), Some(&(250_000_007, 250_000_007)));
        assert!(asked.iter().all(|(from, to)| (to - from) / 5_000 < 11_000));
        assert_eq!(stretches(0, 3_600_000, 15_000).collect::<Vec<_>>(), [(0, 3_600_000)]);
    }

    #[test]
    fn targets_and_nodes_are_recorded_of_every_namespace() {
        let whole = regex::Regex::new(&format!("^(?:{WHOLE})$")).unwrap();
        for name in ["up", "kube_node_status_condition", "node_cpu_seconds_total", "node_memory_MemFree_bytes"] {
            assert!(whole.is_match(name), "{name}");
        }
        assert!(!whole.is_match("ALERTS") && !whole.is_match("kube_pod_info"));
    }

    #[test]
    fn times_are_exact_to_the_millisecond_both_ways() {
        assert_eq!(seconds(1_764_000_000_007), "1764000000.007");
        assert_eq!(milliseconds(1_764_000_000.007), 1_764_000_000_007);
    }
}
