//! Where deliveries learn what to say.

use async_trait::async_trait;
use marple_core::IncidentId;

use crate::render::View;

/// Why there is no view.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The incident is no longer kept. Trying again doesn't help.
    #[error("incident {0} is no longer kept")]
    Gone(IncidentId),
    /// It could not be read. Trying again helps.
    #[error("incident {incident} could not be read: {source}")]
    Unavailable {
        /// The incident.
        incident: IncidentId,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Gives the present view of an incident.
#[async_trait]
pub trait Views: Send + Sync {
    /// All that is known of it now: at least what was known when the outbox was last told of it.
    async fn view(&self, incident: IncidentId) -> Result<View, ViewError>;
}
