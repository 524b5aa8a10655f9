//! What is known of incidents from before a start, and which of them are taken up again.

use jiff::Timestamp;
use marple_core::{Incident, Verdict};

use super::desk::{Desk, Waiting};
use super::{Dispatcher, Work};
use crate::config::Asking;
use crate::store::StoreError;

/// How many incidents without a cause, or that no model was asked about, are looked at once more after a start: each
/// costs the API server some tens of requests, and those that began last are worth most.
const RECALLED: usize = 200;

impl Dispatcher {
    /// Takes up incidents from before the start that were told without a cause, for what hid it may be over; and those
    /// that no model was asked about, where there is one now.
    pub(super) async fn recall(&self, desk: &mut Desk) -> Result<(), StoreError> {
        if self.lookout.cluster.is_none() && self.detective.is_none() {
            return Ok(());
        }
        let mut open = self.store.open_incidents().await?;
        open.sort_by_key(|incident| std::cmp::Reverse(incident.opened_at));
        open.truncate(RECALLED);
        open.retain(|incident| !desk.work.contains_key(&incident.id));
        for incident in open {
            let Some(known) = self.store.conclusion(incident.id).await? else { continue };
            let unexplained = known.conclusion.verdict == Verdict::Inconclusive && self.lookout.cluster.is_some();
            let investigations = self.store.begun(incident.id).await?.all;
            // Of one that is explained, the members are read only where the model may still be asked.
            let asked_by_itself = async || {
                let asking = self.asking(&incident).await?;
                Ok::<_, StoreError>(!matches!(asking, Asking::Never | Asking::OnDemand))
            };
            if !unexplained && (investigations > 0 || self.detective.is_none() || !asked_by_itself().await?) {
                continue;
            }
            desk.work.insert(incident.id, Work::recalled(&incident, investigations));
            desk.waiting.insert(incident.id, Waiting::DUE);
        }
        Ok(())
    }

    /// What the store knows of the work on an incident, after a restart: what was captured is taken to be what there is
    /// now. Of a new one there is nothing to know.
    pub(super) async fn known_work(
        &self,
        incident: &Incident,
        captured_at: Option<Timestamp>,
    ) -> Result<Work, StoreError> {
        if captured_at.is_none() {
            return Ok(Work::default());
        }
        let concluded = self.store.conclusion(incident.id).await?;
        let objects = incident.objects.len();
        Ok(Work {
            unexplained: self.lookout.cluster.is_some()
                && concluded.is_some_and(|known| known.conclusion.verdict == Verdict::Inconclusive),
            captured_at,
            captured_objects: objects,
            captures: 1,
            investigated_objects: objects,
            investigated_severity: incident.severity,
            investigations: self.store.begun(incident.id).await?.all,
            ..Work::default()
        })
    }
}
