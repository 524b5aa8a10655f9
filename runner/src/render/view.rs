//! Everything that is known of an incident at one moment.

use marple_core::{Conclusion, Evidence, EvidenceId, Incident, Member};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::store::ConcludedBy;

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
    /// Where links lead.
    pub links: Links,
}

impl View {
    /// The evidence of this name, if the conclusion cites it.
    pub fn evidence(&self, id: EvidenceId) -> Option<&Evidence> {
        self.cited.iter().find(|evidence| evidence.id == id)
    }

    /// The address of the incident.
    pub fn link(&self) -> Option<String> {
        let base = self.links.base_url.as_deref()?.trim_end_matches('/');
        Some(format!("{base}/api/incidents/{}", self.incident.id))
    }
}
