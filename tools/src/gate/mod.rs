//! The gate before each call: allow, ask a person, or refuse; and the record of what was done. It fails closed.

mod approve;
mod audit;
mod config;
pub(crate) mod glob;
mod object;
mod rule;

use marple_core::ObjectRef;
use serde_json::Value;

use crate::{Effect, ToolSpec};

pub use approve::{Approval, Approve, ApproveError, Request};
pub use audit::{Audit, AuditEntry, AuditError, Progress};
pub use config::{Caller, ChangedObject, Decision, GateConfig, GateRule, ObjectRule, Sight};
pub use object::{Extent, ObjectRules, Place};
use rule::Rule;

/// A call that is to be decided on.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The tool.
    pub spec: &'a ToolSpec,
    /// Its arguments, as they were written.
    pub arguments: &'a Value,
    /// Who has it made.
    pub caller: Caller,
    /// What it would change.
    pub changed: Changed<'a>,
}

/// What a call would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed<'a> {
    /// No object: it looks, or changes something else.
    Nothing,
    /// It is not worked out yet; it is decided again when it is.
    Later,
    /// The tool can't tell.
    Unknown,
    /// This.
    Object(&'a ObjectRef),
}

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
    pub fn decide(&self, call: &Call<'_>) -> Decision {
        let rule = self.rules.iter().find(|rule| rule.fits(call));
        let decided = rule.map_or_else(|| self.by_effect(call.spec.effect), Rule::decision);
        if call.spec.effect == Effect::Write { decided.max(Decision::Ask) } else { decided }
    }

    /// Whether any call of a tool may pass. Where nobody `can_be_asked`, one that is asked for doesn't.
    pub fn may_pass(&self, spec: &ToolSpec, caller: Caller, can_be_asked: bool) -> bool {
        let passes = |decision: Decision| match decision {
            Decision::Allow => spec.effect != Effect::Write || can_be_asked,
            Decision::Ask => can_be_asked,
            Decision::Refuse => false,
        };
        let concerning = || self.rules.iter().filter(|rule| rule.concerns(spec, caller));
        // What stands behind a rule that speaks of every call is never read.
        let decisive = concerning().position(Rule::is_unconditional);
        let read = decisive.map_or(usize::MAX, |place| place.saturating_add(1));
        concerning().take(read).any(|rule| passes(rule.decision()))
            || decisive.is_none() && passes(self.by_effect(spec.effect))
    }

    const fn by_effect(&self, effect: Effect) -> Decision {
        match effect {
            Effect::Read => self.config.read,
            Effect::Exec => self.config.exec,
            Effect::Write => self.config.write,
        }
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
