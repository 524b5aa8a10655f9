//! What comes in.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Fingerprint, Labels, ObjectRef, Severity};

/// Where a signal came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignalSource {
    /// Alertmanager's webhook.
    Alertmanager,
    /// The forwarder, which watches the API server.
    Forwarder,
    /// A person, through the command line or chat.
    Person,
}

/// Whether the condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignalStatus {
    /// It holds.
    Firing,
    /// It has ended.
    Resolved,
}

/// Something that came in: an alert, or a condition that the forwarder saw begin or end.
///
/// Delivered twice, it is the same signal: its identity is source, fingerprint, start and status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signal {
    /// Where it came from.
    pub source: SignalSource,
    /// Which alert or condition it is.
    pub fingerprint: Fingerprint,
    /// Whether it holds.
    pub status: SignalStatus,
    /// Name of the alert, or of the condition as `PodCrashLooping`.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// The object that it is about, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<ObjectRef>,
    /// Labels, `alertname` and `severity` among them where they came.
    #[serde(default)]
    pub labels: Labels,
    /// Annotations: texts for people.
    #[serde(default)]
    pub annotations: Labels,
    /// When the condition began.
    pub starts_at: Timestamp,
    /// When it ended; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Link to the rule's expression in Prometheus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_url: Option<String>,
}

impl Signal {
    /// One line for people: the summary annotation, else the description's first line, else the name.
    pub fn headline(&self) -> &str {
        ["summary", "message", "title", "description"]
            .into_iter()
            .find_map(|name| self.annotations.get(name))
            .and_then(|text| text.lines().find(|line| !line.trim().is_empty()))
            .map_or(self.name.as_str(), str::trim)
    }
}
