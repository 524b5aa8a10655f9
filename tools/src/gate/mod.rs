//! The gate before each call: allow, ask a person, or refuse; and the record of what was done. It fails closed.

mod approve;
mod audit;
mod config;
mod glob;
mod rule;

use serde_json::Value;

use crate::{Effect, ToolSpec};

pub use approve::{Approval, Approve, ApproveError, Request};
pub use audit::{Audit, AuditEntry, AuditError, Progress};
pub use config::{Decision, GateConfig, GateRule};
use rule::Rule;

/// Decides on each call before it is made.
#[derive(Clone, Debug)]
pub struct Gate {
    rules: Vec<Rule>,
    config: GateConfig,
}

impl Gate {
    /// The gate of a configuration.
    pub fn new(config: GateConfig) -> Self {
        Self { rules: config.rules.iter().map(Rule::new).collect(), config }
    }

    /// What is to be done with a call. The first rule that fits decides; without one it is the tool's effect.
    ///
    /// A rule can't let a tool that changes the cluster pass without a person: there, allow means ask.
    pub fn decide(&self, spec: &ToolSpec, arguments: &Value) -> Decision {
        let by_effect = match spec.effect {
            Effect::Read => self.config.read,
            Effect::Exec => self.config.exec,
            Effect::Write => self.config.write,
        };
        let decided = self.rules.iter().find(|rule| rule.fits(&spec.name, arguments)).map_or(by_effect, Rule::decision);
        if spec.effect == Effect::Write { decided.max(Decision::Ask) } else { decided }
    }
}

impl Default for Gate {
    /// Looks pass, what costs is asked for, changes are refused.
    fn default() -> Self {
        Self::new(GateConfig::default())
    }
}

#[cfg(test)]
mod tests;
