//! The lines of a bundle's file.

use marple_core::{Change, Labels, Signal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bundle::series::packed::PackedSeries;
use crate::bundle::{
    Manifest, OpenApi, Payload, RecordedAccess, RecordedLog, RecordedResource, RecordedTrace, Watched,
};

/// The first line.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// The version of the format.
    pub(super) marple_bundle: u32,
    pub(super) manifest: Manifest,
}

/// One line after the first.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The answers of `/version`, and of the aggregated discovery of `/api` and `/apis`.
    Kubernetes { version: Value, core: Value, groups: Value },
    /// A resource; its objects are the lines after it.
    Resource(RecordedResource),
    /// A whole object with its row in the table.
    Object { object: Value, cells: Vec<Value> },
    /// The log of one run of one container.
    Log(RecordedLog),
    /// What happened to an object after it was listed.
    Watched(Watched),
    /// A document that describes objects.
    OpenApi(OpenApi),
    /// What whoever recorded might do.
    Access(RecordedAccess),
    /// The answers of Prometheus; its series are the lines after it.
    Prometheus {
        build: Value,
        evaluation_interval_ms: i64,
        rules: Value,
        alerts: Value,
        metadata: Value,
        /// A regular expression of the names of metrics that were recorded of all namespaces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whole: Option<String>,
        /// The labels of native histograms, which are not recorded.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        histograms: Vec<Labels>,
    },
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
    /// A trace that went through the recorded services.
    Trace(RecordedTrace),
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
