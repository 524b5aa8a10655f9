//! The part of a bundle that answers as Prometheus.

use marple_core::Labels;
use serde_json::Value;

use super::Series;

/// The state of Prometheus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrometheusState {
    /// `data` of `/api/v1/status/buildinfo`.
    pub build: Value,
    /// The interval at which rules are evaluated, which is a subquery's step where it names none, in milliseconds.
    pub evaluation_interval_ms: i64,
    /// `data` of `/api/v1/rules`.
    pub rules: Value,
    /// `data` of `/api/v1/alerts`.
    pub alerts: Value,
    /// `data` of `/api/v1/metadata`, of the recorded metrics.
    pub metadata: Value,
    /// A regular expression of the names of metrics that were recorded of all namespaces; absent where that isn't known.
    pub whole: Option<String>,
    /// The native histograms that were found, which are not recorded. Of some only the name is known.
    pub histograms: Vec<Labels>,
    /// The series with their samples as they were scraped, by labels.
    pub series: Vec<Series>,
}
