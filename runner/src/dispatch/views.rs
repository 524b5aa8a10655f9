//! What is known of an incident, for those who tell it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use marple_core::{IncidentId, Member};

use super::WorkError;
use crate::outbox::{ViewError, Views};
use crate::render::{Links, Stage, View};
use crate::store::{Concluded, ConcludedBy, Store};

/// How many members a view holds; the rest are a number.
const MEMBERS: u32 = 50;

/// Views of what the store holds.
pub struct StoredViews {
    /// Where it is held.
    pub store: Arc<dyn Store>,
    /// The cluster's name.
    pub cluster: String,
    /// Where links lead.
    pub links: Links,
    /// Whether a model may be asked.
    pub model: bool,
}

#[async_trait]
impl Views for StoredViews {
    async fn view(&self, id: IncidentId) -> Result<View, ViewError> {
        match self.read(id).await {
            Ok(Some(view)) => Ok(view),
            Ok(None) => Err(ViewError::Gone(id)),
            Err(error) => Err(ViewError::Unavailable { incident: id, source: error.into() }),
        }
    }
}

impl StoredViews {
    async fn read(&self, id: IncidentId) -> Result<Option<View>, WorkError> {
        let Some(incident) = self.store.incident(id).await? else { return Ok(None) };
        let members: Vec<Member> = self.store.members(id, MEMBERS).await?;
        let concluded = self.store.conclusion(id).await?;
        let investigating = self.model && self.store.begun(id).await?.unfinished > 0;
        let stage = match (&concluded, investigating) {
            (None, _) => Stage::Capturing,
            (Some(_), true) => Stage::Investigating,
            (Some(Concluded { by: ConcludedBy::Agent, .. }), false) => Stage::Concluded,
            (Some(_), false) => Stage::RulesOnly,
        };
        let mut cited = Vec::new();
        if let Some(concluded) = &concluded {
            let evidence = self.store.evidence(id);
            let ids: BTreeSet<_> = concluded.conclusion.citations().map(|citation| citation.evidence).collect();
            for id in ids {
                cited.extend(evidence.get(id).await?);
            }
        }
        let drawing = self.store.drawing(id).await?;
        let shown = u32::try_from(members.len()).unwrap_or(u32::MAX);
        Ok(Some(View {
            cluster: self.cluster.clone(),
            more_members: incident.signals.saturating_sub(shown),
            incident,
            members,
            by: concluded.as_ref().map(|concluded| concluded.by),
            conclusion: concluded.map(|concluded| concluded.conclusion),
            stage,
            cited,
            drawing,
            links: self.links.clone(),
        }))
    }
}
