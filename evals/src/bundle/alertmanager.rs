//! What Alertmanager sent and holds.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The state of Alertmanager.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertmanagerState {
    /// What it posted to its webhook receiver, in order.
    pub payloads: Vec<Payload>,
    /// The answer of `GET /api/v2/alerts`.
    pub alerts: Vec<Value>,
}

/// One post of Alertmanager to a webhook receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// When it was received.
    pub at: Timestamp,
    /// Its body, version 4.
    pub body: Value,
}
