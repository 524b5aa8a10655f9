//! Tells correlation what captures found out.

use async_trait::async_trait;
use marple_core::IncidentId;

use crate::correlate::{Dependency, Teacher};
use crate::dispatch::Learn;

#[async_trait]
impl Learn for Teacher {
    async fn learn(&self, incident: IncidentId, dependencies: Vec<Dependency>) {
        // Correlation ends only with the process.
        if let Err(error) = Self::learn(self, incident, dependencies).await {
            tracing::debug!(incident = %incident.short(), %error, "dependencies were not taken into account");
        }
    }
}
