//! Begins an investigation because a person wants one.

use std::sync::Arc;

use marple_core::{Incident, IncidentId, IncidentStatus, InvestigationId};
use tokio::sync::Notify;

use super::asking;
use crate::clock::Clock;
use crate::config::{Asking, InvestigationConfig};
use crate::store::{InvestigationKind, Store, StoreError};

/// Members by whose labels it is decided whether the model may be asked.
const MEMBERS: u32 = 200;

/// Why no investigation begins. Trying again helps where the store was away.
#[derive(Debug, thiserror::Error)]
pub enum InquiryError {
    /// No model is set.
    #[error("no language model is configured (`model`): the rules' conclusion is all there is")]
    NoModel,
    /// The configuration forbids it.
    #[error("investigation.policy has the model never asked about incident {0}")]
    Forbidden(IncidentId),
    /// It is a part of another.
    #[error("incident {0} became part of incident {1}: ask for that one")]
    Merged(IncidentId, IncidentId),
    /// One is under way.
    #[error("incident {0} is being investigated already")]
    UnderWay(IncidentId),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes people's wishes for an investigation.
#[derive(Clone)]
pub struct Inquiry {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Whether the model may be asked.
    pub config: InvestigationConfig,
    /// The cluster's name.
    pub cluster_name: String,
    /// Whether there is a model.
    pub model: bool,
    /// Notified when there is one to begin.
    pub asked: Arc<Notify>,
    /// The time.
    pub clock: Clock,
}

impl Inquiry {
    /// Begins an investigation of an incident's cause, whatever was concluded before.
    pub async fn begin(&self, incident: &Incident) -> Result<InvestigationId, InquiryError> {
        let id = incident.id;
        if !self.model {
            return Err(InquiryError::NoModel);
        }
        if incident.status == IncidentStatus::Merged {
            return Err(InquiryError::Merged(id, incident.merged_into.unwrap_or(id)));
        }
        let now = self.clock.now();
        let members = self.store.members(id, MEMBERS).await?;
        if asking(&self.config, &self.cluster_name, incident, &members, now) == Asking::Never {
            return Err(InquiryError::Forbidden(id));
        }
        if self.store.begun(id).await?.unfinished > 0 {
            return Err(InquiryError::UnderWay(id));
        }
        let investigation = self.store.begin_investigation(id, InvestigationKind::Cause, now).await?;
        self.asked.notify_one();
        Ok(investigation)
    }
}
