//! Why Prometheus gave no answer.

use std::time::Duration;

use crate::ToolError;

/// Why Prometheus gave no answer, with what to do.
///
/// A retry can help for `Unreachable`, `Timeout` and `Failed`; the query must change for `Query` and `TooMuch`, the
/// configuration for the others.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    /// The configuration can't be used.
    #[error("prometheus: {0}")]
    Configuration(String),
    /// No connection, or it broke.
    #[error(
        "Prometheus at {url} can't be reached: {why}; check `prometheus.url` and that a network policy lets marple through"
    )]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What the network said.
        why: String,
    },
    /// No answer in time.
    #[error("Prometheus at {url} gave no answer in {} s; ask for a shorter range, a larger step or fewer series", after.as_secs_f64())]
    Timeout {
        /// Where it is.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The login was refused.
    #[error("Prometheus at {url} refused the login (HTTP {status}); check `prometheus.auth` and `prometheus.headers`")]
    Unauthorized {
        /// Where it is.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// The query is wrong.
    #[error("{0}")]
    Query(String),
    /// The query would load or return more than is allowed.
    #[error("too much for one query: {0}; take a larger step, a shorter range, narrower labels or an aggregation")]
    TooMuch(String),
    /// It failed in answering.
    #[error("Prometheus at {url} failed (HTTP {status}): {why}")]
    Failed {
        /// Where it is.
        url: String,
        /// The status of its answer.
        status: u16,
        /// What it said.
        why: String,
    },
    /// What came is not Prometheus's answer.
    #[error("what answers at {url} doesn't speak Prometheus's API: {why}; check `prometheus.url`, also its path")]
    Answer {
        /// Where it was asked.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

impl From<PrometheusError> for ToolError {
    fn from(error: PrometheusError) -> Self {
        let text = error.to_string();
        match error {
            PrometheusError::Query(_) | PrometheusError::TooMuch(_) => Self::Arguments(text),
            PrometheusError::Unauthorized { .. } => Self::Forbidden(text),
            PrometheusError::Configuration(_)
            | PrometheusError::Unreachable { .. }
            | PrometheusError::Timeout { .. }
            | PrometheusError::Failed { .. }
            | PrometheusError::Answer { .. } => Self::Backend(text),
        }
    }
}
