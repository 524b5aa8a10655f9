//! What people say of incidents, and alerts of which nothing is heard any more.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{IncidentId, IncidentStatus};

use super::StoreError;

/// What became of a person's word on an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It holds from now on.
    Done,
    /// The incident is in this state already, so that nothing changed.
    Already(IncidentStatus),
}

/// Ends and acknowledgements that come from elsewhere than alerts.
#[async_trait]
pub trait Endings: Send + Sync {
    /// Notes that a person has taken an open incident. Recorded in the audit log with it.
    async fn acknowledge(&self, id: IncidentId, by: &str, at: Timestamp) -> Result<Said, StoreError>;

    /// Ends an incident on a person's word: the end of each of its alerts comes in as a signal. One that is told to hold
    /// after that holds again. Recorded in the audit log with it.
    async fn resolve(&self, id: IncidentId, by: &str, at: Timestamp) -> Result<Said, StoreError>;

    /// Ends the alerts of open incidents of which nothing was heard since a time, as above. Gives how many, at most a
    /// few hundred at a time.
    async fn expire(&self, unheard_since: Timestamp, at: Timestamp) -> Result<usize, StoreError>;
}
