//! What Prometheus knows of the time around an incident's start.

use jiff::Timestamp;
use marple_core::{ObjectRef, Signal, Unseen};

use super::Prometheus;
use crate::{EvidenceDraft, Redact};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Evidence, redacted; none where Prometheus has no such metrics.
    pub drafts: Vec<EvidenceDraft>,
    /// What could not be asked.
    pub unseen: Vec<Unseen>,
}

/// Reads the rules of these signals and the metrics of these objects around the start. Takes at most 5 s in all.
///
/// Pods are taken as they are; of a workload, those that it owned in that time.
pub async fn around(
    _prometheus: &Prometheus,
    _subjects: &[ObjectRef],
    _signals: &[Signal],
    _start: Timestamp,
    _now: Timestamp,
    _redact: &dyn Redact,
) -> Around {
    Around::default()
}
