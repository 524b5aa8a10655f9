//! How signals are folded into incidents.

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How signals are folded into incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CorrelateConfig {
    /// How long after the last of its alerts began to fire an incident takes in other alerts of the same objects; later
    /// ones open another. An alert that is already part of it stays so. Default: `1h`.
    pub window: Period,
    /// How long after it was resolved an incident is opened again by one of its own alerts. Default: `10m`.
    pub reopen: Period,
    /// How long after it was last told an alert that holds is taken to be over: longer than Alertmanager's
    /// `repeat_interval` and the forwarder's `resync`. Default: `24h`.
    pub stale_after: Period,
    /// Alerts that open no incident, by name: those that fire by design. Default: `Watchdog` and `InfoInhibitor`.
    pub ignore: Vec<String>,
}

impl Default for CorrelateConfig {
    fn default() -> Self {
        Self {
            window: Period::hours(1),
            reopen: Period::minutes(10),
            stale_after: Period::hours(24),
            ignore: vec!["Watchdog".to_owned(), "InfoInhibitor".to_owned()],
        }
    }
}
