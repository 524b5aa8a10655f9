//! What commands may take.

use std::num::NonZeroU32;

use marple_core::Period;
use schemars::JsonSchema;
use serde::Deserialize;

/// What one command of a toolset may take.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CommandConfig {
    /// How long it may run. It is ended then, with all that it started in its process group.
    pub timeout: Period,
    /// MiB of its output that are kept: the first half and the last, and how much there was between them.
    pub output_mib: NonZeroU32,
    /// MiB of data that each of its processes may have, on Linux.
    pub memory_mib: NonZeroU32,
    /// Variables of the environment that it is given beside those that its toolset names, `PATH`, `HOME`, `KUBECONFIG`,
    /// proxies and certificates; `*` stands for any letters, as `AWS_*`.
    pub environment: Vec<String>,
}

impl Default for CommandConfig {
    fn default() -> Self {
        let mib = |number: u32| NonZeroU32::MIN.saturating_add(number - 1);
        Self { timeout: Period::seconds(30), output_mib: mib(4), memory_mib: mib(1_024), environment: Vec::new() }
    }
}
