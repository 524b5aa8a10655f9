//! What a model looks with, whoever has it look.

use std::sync::Arc;
use std::time::Duration;

use marple_core::Unseen;
use marple_tools::gate::{Approve, Audit, Caller, Gate};
use marple_tools::{EvidenceLog, Redact, Toolbox, Toolsets, evidence};

/// What a model looks with, and within which limits. Cheap to clone.
#[derive(Clone)]
pub struct Tooling {
    /// Ways to look, without those that search the evidence itself.
    pub toolsets: Toolsets,
    /// Takes secrets out of what tools give.
    pub redact: Arc<dyn Redact>,
    /// What may be called.
    pub gate: Gate,
    /// Who calls it.
    pub caller: Caller,
    /// Under which name its calls are recorded, where it is another than the program's.
    pub actor: Option<String>,
    /// Where each call is recorded, where it is.
    pub audit: Option<Arc<dyn Audit>>,
    /// Who is asked where the gate wants a person's word.
    pub approve: Option<Arc<dyn Approve>>,
    /// How long that person is waited for.
    pub patience: Duration,
    /// The longest that one call may take.
    pub tool_timeout: Duration,
}

impl Tooling {
    /// The tools that work now, with those that search the evidence of `log`, where what they see is kept; and what can't
    /// be seen for want of a toolset.
    pub(crate) async fn toolbox(&self, log: &Arc<dyn EvidenceLog>) -> (Toolbox, Vec<Unseen>) {
        let offered = self.toolsets.offered().await;
        let tools = offered.tools.into_iter().chain(evidence::tools(Arc::clone(log)));
        let mut toolbox = Toolbox::new(tools, Arc::clone(log), Arc::clone(&self.redact), self.tool_timeout)
            .with_instructions(offered.instructions)
            .with_gate(self.gate.clone())
            .with_caller(self.caller)
            .with_patience(self.patience);
        if let Some(actor) = &self.actor {
            toolbox = toolbox.with_actor(actor.clone());
        }
        if let Some(audit) = &self.audit {
            toolbox = toolbox.with_audit(Arc::clone(audit));
        }
        if let Some(approve) = &self.approve {
            toolbox = toolbox.with_approval(Arc::clone(approve));
        }
        (toolbox, offered.unseen)
    }
}
