//! Which changes may be proposed.

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AlertmanagerConfig;
use crate::gate::{Decision, GateRule};

/// A change that may be proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Deletes a pod.
    DeletePod,
    /// Restarts the rollout of a Deployment, `StatefulSet` or `DaemonSet`.
    Restart,
    /// Sets the replicas of what can be scaled.
    Scale,
    /// Keeps new pods from a node.
    Cordon,
    /// Lets new pods come to a node again.
    Uncordon,
    /// Patches an object, Secrets apart.
    Patch,
    /// Silences alerts at Alertmanager.
    Silence,
}

impl Act {
    /// The tool that proposes it.
    pub const fn tool(self) -> &'static str {
        match self {
            Self::DeletePod => "kubernetes_delete_pod",
            Self::Restart => "kubernetes_restart",
            Self::Scale => "kubernetes_scale",
            Self::Cordon => "kubernetes_cordon",
            Self::Uncordon => "kubernetes_uncordon",
            Self::Patch => "kubernetes_patch",
            Self::Silence => "alertmanager_silence",
        }
    }
}

/// Which changes the model may propose. Each is shown to a person first and made only when that person approves it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ActConfig {
    /// Changes that may be proposed; none by default.
    pub enabled: Vec<Act>,
    /// How long a person is waited for.
    pub wait: Period,
    /// Alertmanager, for silences.
    pub alertmanager: Option<AlertmanagerConfig>,
}

impl Default for ActConfig {
    fn default() -> Self {
        Self { enabled: Vec::new(), wait: Period::minutes(5), alertmanager: None }
    }
}

impl ActConfig {
    /// The setting that can't be meant, and what is wrong with it.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        if self.wait < Period::seconds(10) || self.wait > Period::hours(1) {
            return Some(("wait", format!("{} is no time to wait for a person: from 10s to 1h", self.wait)));
        }
        if self.enabled.contains(&Act::Silence) && self.alertmanager.is_none() {
            return Some(("alertmanager", "is missing: `silence` is enabled; set `alertmanager: {url: …}`".to_owned()));
        }
        None
    }

    /// Rules by which the gate asks for what is enabled, where no rule of its own speaks of it.
    pub fn rules(&self) -> impl Iterator<Item = GateRule> {
        self.enabled.iter().map(|act| GateRule {
            tool: act.tool().to_owned(),
            decision: Decision::Ask,
            ..GateRule::default()
        })
    }
}
