//! Incidents that are recorded into bundles by themselves.

mod folder;
mod keeper;

use std::path::Path;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use marple_core::{Change, Conclusion, Incident, Member};
use tokio_util::sync::CancellationToken;

pub(crate) use keeper::Keeper;

/// How long before an incident began is recorded, so that what is usual can be seen.
pub const BEFORE: SignedDuration = SignedDuration::from_mins(30);

/// What is known of an incident that is recorded.
pub struct Known {
    /// The incident.
    pub incident: Incident,
    /// Its alerts, at most some hundred.
    pub members: Vec<Member>,
    /// Its conclusion.
    pub conclusion: Conclusion,
    /// What changed in its namespaces, in any order; a change may be told twice.
    pub changes: Vec<Change>,
    /// The start of the window of metrics, logs and changes.
    pub since: Timestamp,
}

/// An incident was not recorded. Trying again may help: an API was away.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RecordingError(pub Box<dyn std::error::Error + Send + Sync>);

/// Records what the cluster and its monitoring hold of an incident.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Writes the bundle, whole or not at all. Namespaces are those of the incident's objects and of its conclusion.
    async fn record(&self, known: Known, file: &Path, cancel: &CancellationToken) -> Result<(), RecordingError>;
}
