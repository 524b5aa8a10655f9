//! What is to be done next for an incident: pure, so that after a crash the same is decided again from what was kept.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use marple_core::{Incident, IncidentStatus, Severity};

use crate::config::{Asking, InvestigationConfig};

/// The most captures of one incident: the first, then as objects join it.
const CAPTURES: u32 = 5;

/// The most investigations of one incident: the first, then where objects joined that it had not seen.
const INVESTIGATIONS: u32 = 3;

/// How long objects may gather, or a cause show itself, before an incident is captured again; doubled each time.
const RECAPTURE_AFTER: Duration = Duration::from_secs(15);

/// How long a cluster that was away is left alone before it is looked at again; doubled each time, up to the longest.
const BLIND_AFTER: Duration = Duration::from_secs(5);
const BLIND_LONGEST: Duration = Duration::from_mins(1);

/// How often, in a group wait, it is looked whether those that gather have done so.
const GLANCES: u32 = 10;

/// After so many looks at a cluster that was away a model is asked all the same: it may see more through Prometheus.
const BLIND_LOOKS: u32 = 4;

/// What has been done for an incident so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// When it was last captured.
    pub captured_at: Option<Timestamp>,
    /// How many objects the incident had then.
    pub captured_objects: usize,
    /// How often it was captured, looks at a cluster that was away left out.
    pub captures: u32,
    /// How often in a row it could not be explained because the cluster was away.
    pub blind: u32,
    /// Whether the rules found no cause, or aren't sure of it: what is broken may show itself only in a while.
    pub unexplained: bool,
    /// The last revision that the outbox was told of; 0 for none.
    pub told_revision: u64,
    /// How many objects the last investigation knew of.
    pub investigated_objects: usize,
    /// How severe the incident was then.
    pub investigated_severity: Severity,
    /// How many investigations were begun.
    pub investigations: u32,
}

/// What is to be done for an incident without waiting for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look at what won't last, and let the rules conclude.
    Capture,
    /// Want the outbox to tell the present state.
    Tell,
    /// Nothing before this time.
    WaitUntil(Timestamp),
    /// Nothing until something changes.
    Rest,
}

impl Work {
    /// Of an incident from before the start that was told without a cause, or that no model was asked about: it is
    /// captured once more.
    pub(super) fn recalled(incident: &Incident, investigations: u32) -> Self {
        Self {
            captured_at: Some(incident.opened_at),
            captured_objects: incident.objects.len(),
            captures: CAPTURES - 1,
            blind: 0,
            unexplained: true,
            told_revision: incident.revision,
            investigated_objects: incident.objects.len(),
            investigated_severity: incident.severity,
            investigations,
        }
    }

    /// What is to be done next. While others of its time `gather`, looked at for the first time, the first message
    /// waits, for at most as long again as the group wait: they may turn out to be of the same cause.
    pub fn next(&self, incident: &Incident, config: &InvestigationConfig, gather: bool, now: Timestamp) -> Action {
        let told = self.told_revision > 0;
        let current = self.told_revision >= incident.revision;
        if incident.status == IncidentStatus::Merged {
            // Where a message went out, it must say into which incident this one went; else there is nobody to tell.
            return if told && !current { Action::Tell } else { Action::Rest };
        }
        let Some(captured_at) = self.captured_at else { return Action::Capture };
        let group_wait = config.group_wait.duration();
        let tell_at = after(incident.opened_at, group_wait);
        if gather && !told && now >= tell_at && now < after(tell_at, group_wait) {
            return Action::WaitUntil(after(now, group_wait / GLANCES));
        }
        let live = incident.status != IncidentStatus::Resolved;
        let grown = incident.objects.len() > self.captured_objects;
        let again = live && (self.blind > 0 || self.captures < CAPTURES && (grown || self.unexplained));
        let pause = match self.blind {
            0 => RECAPTURE_AFTER * 2_u32.saturating_pow(self.captures.min(CAPTURES)),
            blind => (BLIND_AFTER * 2_u32.saturating_pow(blind.min(CAPTURES))).min(BLIND_LONGEST),
        };
        let first_message = !told && self.blind == 0 && (grown || self.captures == 1);
        let gathered_at = if first_message { tell_at } else { after(captured_at, pause) };
        match (again, current) {
            (true, _) if now >= gathered_at => Action::Capture,
            (_, false) if now >= tell_at => Action::Tell,
            (_, false) => Action::WaitUntil(tell_at),
            (true, true) => Action::WaitUntil(gathered_at),
            (false, true) => Action::Rest,
        }
    }

    /// Whether an investigation is to be begun once the incident is captured, where the model is asked so often.
    pub fn wants_model(&self, incident: &Incident, asking: Asking) -> bool {
        let live = matches!(incident.status, IncidentStatus::Open | IncidentStatus::Acknowledged);
        let grown = incident.objects.len() > self.investigated_objects;
        let changed = grown || incident.severity > self.investigated_severity;
        let often = match asking {
            Asking::Never | Asking::OnDemand => 0,
            Asking::Once => 1,
            Asking::OnChange => INVESTIGATIONS,
        };
        live && self.investigations < often
            && (self.blind == 0 || self.blind >= BLIND_LOOKS)
            && (self.investigations == 0 || changed)
    }
}

fn after(time: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| time.checked_add(wait).ok()).unwrap_or(time)
}

#[cfg(test)]
mod tests;
