//! Series of samples.

pub(super) mod packed;

use std::sync::Arc;

use marple_core::Labels;

/// The value by which Prometheus marks that a series has ended (`value.StaleNaN`): a NaN of its own.
pub const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// One scraped value. Two are equal when their bits are: a marker of staleness is equal to itself.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The value, or [`STALE`].
    pub value: f64,
}

impl Sample {
    /// Whether it marks the end of the series instead of a value.
    pub fn is_stale(self) -> bool {
        self.value.to_bits() == STALE.to_bits()
    }
}

impl PartialEq for Sample {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && self.value.to_bits() == other.value.to_bits()
    }
}

/// A series: its labels, `__name__` among them, and its samples, oldest first. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Labels.
    pub labels: Arc<Labels>,
    /// Samples in the order of their times.
    pub samples: Arc<Vec<Sample>>,
}

impl Series {
    /// The metric's name.
    pub fn name(&self) -> &str {
        self.labels.get("__name__").unwrap_or_default()
    }
}
