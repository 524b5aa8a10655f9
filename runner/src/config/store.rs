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
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { path: PathBuf::from("marple.db"), retention: Period::days(30), evidence_max: Size::gibibytes(4) }
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
        if self.evidence_max < Size::mebibytes(64) {
            return Err(ConfigError::value(
                "store.evidence_max",
                format!("is {}: one incident alone may have 64MiB", self.evidence_max),
            ));
        }
        Ok(())
    }
}
