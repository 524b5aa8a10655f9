//! What the language model used.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use marple_agent::Usage;
use marple_core::IncidentId;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// What the language model was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of a day, in UTC.
    Day(Date),
    /// An incident: its investigations, and questions about it.
    Incident(IncidentId),
}

/// Who has stopped the language model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why, where it was told.
    pub why: Option<String>,
}

/// What the language model used, and whether it may be asked.
#[async_trait]
pub trait Spending: Send + Sync {
    /// Adds what a request used to each of these.
    async fn spend(&self, scopes: &[Scope], usage: Usage, at: Timestamp) -> Result<(), StoreError>;

    /// What was used so far.
    async fn spent(&self, scope: Scope) -> Result<Usage, StoreError>;

    /// Who has stopped the language model, where somebody has.
    async fn stop(&self) -> Result<Option<Stop>, StoreError>;

    /// Stops it, or lets it be asked again, with an entry in the audit log.
    async fn set_stop(&self, stop: Option<Stop>, by: &str, at: Timestamp) -> Result<(), StoreError>;
}
