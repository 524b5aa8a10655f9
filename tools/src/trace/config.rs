//! Where traces are kept.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::endpoint::EndpointConfig;

/// A store of traces.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceStoreConfig {
    /// What it is.
    pub store: TraceStoreKind,
    /// Where it is, and how it is spoken to: for Jaeger its query service, as `http://jaeger-query.tracing:16686`.
    pub endpoint: EndpointConfig,
}

/// What keeps traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceStoreKind {
    /// Grafana Tempo.
    Tempo,
    /// Jaeger.
    Jaeger,
}
