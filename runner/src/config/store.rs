//! Where everything is kept.

use std::path::PathBuf;

use marple_core::{Period, Size};
use schemars::JsonSchema;
use serde::Deserialize;

use super::ConfigError;

/// The store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The SQLite file. Its folder is made where it is missing; it must be on a local disk.
    pub path: PathBuf,
    /// How long resolved incidents and their evidence are kept.
    pub retention: Period,
    /// How much room all evidence may have, compressed. For more, texts of ended incidents are let go of, first those
    /// that no conclusion cites; titles and views stay.
    pub evidence_max: Size,
    /// How long changes of the cluster's objects are kept.
    pub changes_retention: Period,
    /// How many of them are kept at most: for more, the oldest go.
    pub changes_max: u64,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("marple.db"),
            retention: Period::days(30),
            evidence_max: Size::gibibytes(4),
            changes_retention: Period::days(30),
            changes_max: 200_000,
        }
    }
}

impl StoreConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.retention < Period::hours(1) {
            return Err(ConfigError::value(
                "store.retention",
                "is shorter than 1h: incidents would go while people read them",
            ));
        }
        if self.changes_retention < Period::hours(1) {
            let what = "is shorter than 1h: what changed before an incident would be gone while it is looked into";
            return Err(ConfigError::value("store.changes_retention", what));
        }
        if self.changes_max < 1_000 {
            let what = format!("is {}: one rollout of all may be more; at least 1000", self.changes_max);
            return Err(ConfigError::value("store.changes_max", what));
        }
        if self.evidence_max < Size::mebibytes(64) {
            return Err(ConfigError::value(
                "store.evidence_max",
                format!("is {}: one incident alone may have 64MiB", self.evidence_max),
            ));
        }
        Ok(())
    }
}
