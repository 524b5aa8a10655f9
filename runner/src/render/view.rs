//! Everything that is known of an incident at one moment.

use jiff::Timestamp;
use marple_core::{Conclusion, Evidence, EvidenceId, Incident, Member, Period};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LinkKey;
use crate::store::{ConcludedBy, Drawing};

/// How far the work on an incident has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// What won't last is being caught; nothing has been concluded.
    Capturing,
    /// The rules have looked, and no model will.
    RulesOnly,
    /// The rules have looked, and the model is at work.
    Investigating,
    /// Nobody is at work any more.
    Concluded,
}

/// Where links in messages lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// The address under which people reach marple, as `https://marple.example.com`; no links where it is absent.
    pub base_url: Option<String>,
    /// What makes a link open its incident without a token; absent where none is needed.
    pub signed: Option<SignedLinks>,
}

/// How links are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLinks {
    /// With what.
    pub key: LinkKey,
    /// How long one holds after the incident last changed.
    pub lifetime: Period,
}

impl SignedLinks {
    /// The query of an incident's link. It changes once a day at most, so that a message is not sent again for it alone.
    fn query(&self, incident: &Incident) -> String {
        const DAY: i64 = 24 * 60 * 60;
        let lifetime = i64::try_from(self.lifetime.duration().as_secs()).unwrap_or(i64::MAX);
        let ends = incident.updated_at.as_second().saturating_add(lifetime);
        let ends = ends.saturating_add(DAY - ends.rem_euclid(DAY));
        self.key.query(incident.id, Timestamp::from_second(ends).unwrap_or(Timestamp::MAX))
    }
}

/// Everything that is known of an incident at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The cluster's name.
    pub cluster: String,
    /// The incident.
    pub incident: Incident,
    /// Its first members: those that hold first, then the worst.
    pub members: Vec<Member>,
    /// How many members there are beyond these.
    pub more_members: u32,
    /// What was concluded.
    pub conclusion: Option<Conclusion>,
    /// Who concluded it.
    pub by: Option<ConcludedBy>,
    /// How far the work has come.
    pub stage: Stage,
    /// The evidence that the conclusion cites.
    pub cited: Vec<Evidence>,
    /// What the alert is about, over time.
    pub drawing: Option<Drawing>,
    /// Where links lead.
    pub links: Links,
}

impl View {
    /// The evidence of this name, if the conclusion cites it.
    pub fn evidence(&self, id: EvidenceId) -> Option<&Evidence> {
        self.cited.iter().find(|evidence| evidence.id == id)
    }

    /// The address of the incident's page.
    pub fn link(&self) -> Option<String> {
        let base = self.links.base_url.as_deref()?.trim_end_matches('/');
        let address = format!("{base}/incidents/{}", self.incident.id);
        Some(match &self.links.signed {
            Some(signed) => format!("{address}?{}", signed.query(&self.incident)),
            None => address,
        })
    }
}
