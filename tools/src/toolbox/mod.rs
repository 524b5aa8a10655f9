//! The tools of one investigation, behind the gate, with redaction, evidence and a record.

mod change;
mod outcome;
mod permission;
mod redact;
mod shown;
mod waiting;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use marple_core::EvidenceOrigin;
use serde_json::Value;
use tokio::sync::watch;

use crate::gate::{Approve, Audit, Caller, Gate};
use crate::near::nearest;
use crate::toolset::Instructions;
use crate::view::plain;
use crate::{Effect, EvidenceDraft, EvidenceLog, Kept, Look, Output, Tool, ToolSpec};

pub use outcome::{CallOutcome, CallStatus};
use permission::Permission;
pub use redact::{Redact, RedactStream};
use shown::Shown;
use waiting::Waiting;
pub use whole::{Part, Whole};

/// How long a person is waited for, unless said otherwise.
const PATIENCE: Duration = Duration::from_mins(5);

/// The tools of one investigation. A call never fails: whatever happens becomes an outcome.
#[derive(Clone)]
pub struct Toolbox {
    tools: BTreeMap<String, Arc<dyn Tool>>,
    evidence: Arc<dyn EvidenceLog>,
    redact: Arc<dyn Redact>,
    deadline: Duration,
    gate: Gate,
    audit: Option<Arc<dyn Audit>>,
    approve: Option<Arc<dyn Approve>>,
    actor: String,
    caller: Caller,
    patience: Duration,
    waiting: Waiting,
    instructions: Vec<Instructions>,
    unrecorded: Arc<AtomicU64>,
}

impl Toolbox {
    /// A toolbox of these tools. No call may take longer than `deadline`, the wait for a person apart.
    ///
    /// Its gate is the default one, it keeps no record and can ask nobody, until it is told otherwise.
    pub fn new(
        tools: impl IntoIterator<Item = Arc<dyn Tool>>,
        evidence: Arc<dyn EvidenceLog>,
        redact: Arc<dyn Redact>,
        deadline: Duration,
    ) -> Self {
        let tools = tools.into_iter().map(|tool| (tool.spec().name.to_string(), tool)).collect();
        Self {
            tools,
            evidence,
            redact,
            deadline,
            gate: Gate::default(),
            audit: None,
            approve: None,
            actor: "marple".to_owned(),
            caller: Caller::default(),
            patience: PATIENCE,
            waiting: Waiting::default(),
            instructions: Vec::new(),
            unrecorded: Arc::default(),
        }
    }

    /// The same behind this gate.
    #[must_use]
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// The same with each call recorded. A call that does more than look isn't made when that fails.
    #[must_use]
    pub fn with_audit(mut self, audit: Arc<dyn Audit>) -> Self {
        self.audit = Some(audit);
        self
    }

    /// The same with someone to ask, where the gate wants a person's word.
    #[must_use]
    pub fn with_approval(mut self, approve: Arc<dyn Approve>) -> Self {
        self.approve = Some(approve);
        self
    }

    /// How many of its calls wait for a person's word now: that is nobody's working time.
    pub fn waiting(&self) -> watch::Receiver<u32> {
        self.waiting.watch()
    }

    /// The same with the name under which its calls are recorded, as `investigation 01890a5d`.
    #[must_use]
    pub fn with_actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = actor.into();
        self
    }

    /// The same for this caller, as rules of the gate name it.
    #[must_use]
    pub const fn with_caller(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// The same, but a person is waited for so long.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same with what a model is told of how to use its tools.
    #[must_use]
    pub fn with_instructions(mut self, instructions: Vec<Instructions>) -> Self {
        self.instructions = instructions;
        self
    }

    /// What a model is told of how to use the tools, beside what each says of itself.
    pub fn instructions(&self) -> &[Instructions] {
        &self.instructions
    }

    /// How the tools are offered, in the order of their names: the same at each call, so that prompt caches hit. One of
    /// which no call can pass the gate is left out: it would only cost words.
    pub fn specs(&self) -> Vec<&ToolSpec> {
        let can_be_asked = self.approve.is_some();
        let may_pass = |spec: &&ToolSpec| self.gate.may_pass(spec, self.caller, can_be_asked);
        self.tools.values().map(|tool| tool.spec()).filter(may_pass).collect()
    }

    /// The evidence that calls leave.
    pub fn evidence(&self) -> &Arc<dyn EvidenceLog> {
        &self.evidence
    }

    /// How many calls are missing from the record because it could not be written. Clones count together.
    pub fn unrecorded(&self) -> u64 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// Makes one call.
    pub async fn call(&self, name: &str, arguments: Value, look: &Look) -> CallOutcome {
        let Some(tool) = self.tools.get(name) else {
            return CallOutcome::nothing(CallStatus::Failed, name, self.unknown(name));
        };
        let mut permission = Permission::new(self, tool.as_ref(), &arguments, look);
        if tool.spec().effect == Effect::Write {
            return self.change(tool.as_ref(), &arguments, look, permission).await;
        }
        let outcome = match permission.obtain(None).await {
            Err(refused) => refused,
            Ok(_) => self.look(tool.as_ref(), name, arguments.clone(), look).await,
        };
        permission.ended(&outcome).await;
        outcome
    }

    fn unknown(&self, name: &str) -> String {
        let names = self.tools.keys().map(String::as_str);
        let meant = match nearest(name, names.clone(), 1).first() {
            Some(near) => format!("did you mean {near}? "),
            None => String::new(),
        };
        format!("there is no tool {name:?}; {meant}the tools are {}", names.collect::<Vec<_>>().join(", "))
    }

    async fn look(&self, tool: &dyn Tool, name: &str, arguments: Value, look: &Look) -> CallOutcome {
        let looked = async {
            let whole = Whole::new(self.evidence.as_ref(), self.redact.as_ref());
            match tool.call_whole(arguments, look, &whole).await {
                Ok(output) => self.keep_whole(output, whole, name, look).await,
                Err(error) => CallOutcome::failed(name, &error, self.clean(&error.to_string())),
            }
        };
        tokio::select! {
            biased;
            () = look.cancel.cancelled() => CallOutcome::nothing(CallStatus::Cancelled, name, "cancelled"),
            ended = tokio::time::timeout(self.deadline, looked) => if let Ok(outcome) = ended { outcome } else {
                let text = format!("{name} gave no answer in {} s; ask for less", self.deadline.as_secs_f64());
                CallOutcome::nothing(CallStatus::Cancelled, name, text)
            },
        }
    }

    /// Keeps what a look gave, where it is new, and shows it.
    async fn keep(&self, output: Output, name: &str, look: &Look) -> CallOutcome {
        let whole = Whole::new(self.evidence.as_ref(), self.redact.as_ref());
        self.keep_whole(output, whole, name, look).await
    }

    /// The same where the look may have written a text that is too long to be held: then that is what is kept.
    async fn keep_whole(&self, output: Output, whole: Whole<'_>, name: &str, look: &Look) -> CallOutcome {
        let title = self.clean(&output.title).lines().collect::<Vec<_>>().join(" ");
        let content = self.clean(&output.content);
        let view = output.view.map(|view| self.clean(&view));
        let mut shown = Shown::of(&content, view);
        let new = output.kept == Kept::New;
        let draft = |content: String, view: Option<String>| EvidenceDraft {
            origin: EvidenceOrigin::Look,
            title: title.clone(),
            object: output.object,
            taken_at: look.now,
            content,
            view,
        };
        let kept = match (output.kept, whole.written()) {
            (Kept::Already(id), _) => Ok(id),
            (Kept::New, Some(writer)) => {
                let finished = writer.finish(draft(String::new(), Some(shown.text().to_owned()))).await;
                finished.map(|(id, extent)| {
                    shown.is_of_whole(extent.lines);
                    Some(id)
                })
            }
            (Kept::New, None) => {
                let view = shown.truncated().then(|| shown.text().to_owned());
                self.evidence.keep(draft(content, view)).await.map(Some)
            }
        };
        let id = match kept {
            Ok(id) => id,
            Err(error) => return CallOutcome::nothing(CallStatus::Failed, name, error.to_string()),
        };
        let status = if shown.truncated() { CallStatus::Truncated } else { CallStatus::Ok };
        let readers: Vec<&str> =
            ["evidence_read", "evidence_search"].into_iter().filter(|name| self.tools.contains_key(*name)).collect();
        let text = shown.headed(id, &title, new, &readers);
        CallOutcome { status, evidence: id, title, text, empty: shown.empty(), unseen: None }
    }

    /// Without control characters, which could hide a secret from the patterns, and then without secrets.
    fn clean(&self, text: &str) -> String {
        self.redact.redact(&plain(text))
    }
}
