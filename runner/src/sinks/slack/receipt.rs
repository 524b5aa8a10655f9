//! What has been posted for one incident.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which message of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    /// The message in the channel.
    Incident,
    /// The details in its thread.
    Details,
    /// The alerts in its thread.
    Alerts,
    /// The graph in its thread.
    Graph,
}

impl Part {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Details => "details",
            Self::Alerts => "alerts",
            Self::Graph => "graph",
        }
    }
}

/// A message that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Posted {
    /// Its time, which is its name in the channel; of the graph, Slack's name of the file.
    pub(super) ts: String,
    /// Digest of what it shows; empty where that isn't known.
    pub(super) shown: String,
}

/// What has been posted for one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Receipt {
    /// The channel that it was posted in, also where the configuration has since named another.
    pub(super) channel: String,
    /// The channel's id, as Slack told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// The messages.
    #[serde(default)]
    pub(super) parts: BTreeMap<Part, Posted>,
    /// Posts whose end is not known, and when they were begun by our clock. Written before each post.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) posting: BTreeMap<Part, Timestamp>,
}

impl Receipt {
    /// The kept one, else a new one. A receipt of another kind of sink, which had the receiver's name before, is no
    /// receipt for this one.
    pub(super) fn read(kept: Option<&Value>, channel: &str) -> Self {
        kept.and_then(|kept| Self::deserialize(kept).ok()).unwrap_or_else(|| Self {
            channel: channel.to_owned(),
            id: None,
            parts: BTreeMap::new(),
            posting: BTreeMap::new(),
        })
    }

    pub(super) fn ts(&self, part: Part) -> Option<&str> {
        self.parts.get(&part).map(|posted| posted.ts.as_str())
    }

    /// Forgets a message that is gone; with the channel's message goes its thread.
    pub(super) fn forget(&mut self, part: Part) {
        match part {
            Part::Incident => self.parts.clear(),
            part => {
                self.parts.remove(&part);
            }
        }
    }
}
