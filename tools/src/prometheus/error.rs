//! Why Prometheus gave no answer.

use crate::ToolError;
use crate::endpoint::EndpointError;

/// Why Prometheus gave no answer, with what to do. The query must change for `Query` and `TooMuch`.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    /// It was not reached, or failed.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// None is configured, and none was found in the cluster.
    #[error("no Prometheus: {0}")]
    Missing(String),
    /// The server speaks only a part of Prometheus's API.
    #[error("{server} doesn't tell its {what}")]
    Lacks {
        /// Which server.
        server: String,
        /// What it was asked for, as `rules`.
        what: String,
    },
    /// The query is wrong.
    #[error("{0}")]
    Query(String),
    /// The query would load or return more than is allowed.
    #[error("too much for one query: {0}; take a larger step, a shorter range, narrower labels or an aggregation")]
    TooMuch(String),
}

impl PrometheusError {
    /// Whether a narrower question may be answered.
    pub fn is_too_much(&self) -> bool {
        matches!(self, Self::TooMuch(_) | Self::Endpoint(EndpointError::TooLarge { .. }))
    }

    /// Whether any other question would fail likewise.
    pub(super) fn is_away(&self) -> bool {
        match self {
            Self::Endpoint(error) => error.is_away(),
            Self::Missing(_) => true,
            Self::Lacks { .. } | Self::Query(_) | Self::TooMuch(_) => false,
        }
    }
}

impl From<PrometheusError> for ToolError {
    fn from(error: PrometheusError) -> Self {
        match error {
            PrometheusError::Endpoint(error) => error.into(),
            PrometheusError::Query(text) => Self::Arguments(text),
            PrometheusError::TooMuch(_) => Self::Arguments(error.to_string()),
            PrometheusError::Missing(_) | PrometheusError::Lacks { .. } => Self::NotFound(error.to_string()),
        }
    }
}
