//! Whether a call may be made, and the record of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use marple_core::Period;
use serde_json::{Map, Value};

use super::{CallOutcome, CallStatus, Toolbox};
use crate::gate::{Approval, AuditEntry, Call, Changed, Decision, Progress, Request};
use crate::{Effect, Look, Preview, Redact, Tool, ToolSpec};

/// How long the record may take to be written.
const RECORDING: Duration = Duration::from_secs(5);

/// One call's way through the gate.
pub(super) struct Permission<'a> {
    toolbox: &'a Toolbox,
    look: &'a Look,
    entry: Option<AuditEntry>,
    spec: &'a ToolSpec,
    arguments: &'a Value,
    decision: Decision,
}

impl<'a> Permission<'a> {
    pub(super) fn new(toolbox: &'a Toolbox, tool: &'a dyn Tool, arguments: &'a Value, look: &'a Look) -> Self {
        let spec = tool.spec();
        let changed = if spec.effect == Effect::Write { Changed::Later } else { Changed::Nothing };
        let decided = toolbox.gate.decide(&Call { spec, arguments, caller: toolbox.caller, changed });
        let decision = if tool.asks() { decided.max(Decision::Ask) } else { decided };
        let entry = toolbox.audit.is_some().then(|| AuditEntry {
            at: look.now,
            actor: toolbox.actor.clone(),
            tool: spec.name.to_string(),
            arguments: redacted(arguments, toolbox.redact.as_ref()),
            effect: spec.effect,
            decision,
            approved_by: None,
            progress: Progress::Begun,
        });
        Self { toolbox, look, entry, spec, arguments, decision }
    }

    /// Whether the gate lets the call come as far as to a person.
    pub(super) fn asked_for(&self) -> Result<(), CallOutcome> {
        match self.decision {
            Decision::Allow | Decision::Ask => Ok(()),
            Decision::Refuse if self.spec.effect == Effect::Write => {
                Err(self.refused("changes the cluster, and the gate refuses that here; propose it as a remedy"))
            }
            Decision::Refuse => Err(self.refused("is refused by the gate with these arguments; go on without it")),
        }
    }

    /// Asks the gate again, now that it is known what the call would change.
    pub(super) fn would_change(&mut self, changed: Changed<'_>) -> Result<(), CallOutcome> {
        let call = Call { spec: self.spec, arguments: self.arguments, caller: self.toolbox.caller, changed };
        self.decision = self.toolbox.gate.decide(&call);
        if let Some(entry) = &mut self.entry {
            entry.decision = self.decision;
        }
        self.asked_for()
    }

    /// Asks the gate, the person where the gate says so, and the record where the call does more than look. Gives who
    /// approved it, where one was asked.
    pub(super) async fn obtain(&mut self, preview: Option<&Preview>) -> Result<Option<String>, CallOutcome> {
        self.asked_for()?;
        let by = if self.decision == Decision::Ask { Some(self.ask(preview.cloned()).await?) } else { None };
        match self.spec.effect {
            Effect::Read => Ok(by),
            Effect::Exec | Effect::Write => match self.record(Progress::Begun).await {
                Ok(()) => Ok(by),
                Err(why) => Err(self.refused(&format!("was not made, for it could not be recorded: {why}"))),
            },
        }
    }

    /// Records how the call ended.
    pub(super) async fn ended(&self, outcome: &CallOutcome) {
        ended(self.toolbox, self.entry.as_ref(), outcome).await;
    }

    /// What was recorded so far, to be ended by whoever carries the call out.
    pub(super) fn into_entry(self) -> Option<AuditEntry> {
        self.entry
    }

    async fn ask(&mut self, preview: Option<Preview>) -> Result<String, CallOutcome> {
        let Some(approve) = &self.toolbox.approve else {
            return Err(self.refused("must be approved by a person, and nobody can be asked here; go on without it"));
        };
        let request = Request {
            actor: self.toolbox.actor.clone(),
            tool: self.spec.name.to_string(),
            arguments: self.arguments.clone(),
            effect: self.spec.effect,
            preview,
        };
        let waits = self.toolbox.waiting.begin();
        let answer = tokio::select! {
            biased;
            () = self.look.cancel.cancelled() => {
                return Err(CallOutcome::nothing(CallStatus::Cancelled, &self.spec.name, "cancelled"));
            }
            answer = tokio::time::timeout(self.toolbox.patience, approve.approve(&request)) => answer,
        };
        drop(waits);
        match answer {
            Ok(Ok(Approval::Approved { by })) => {
                if let Some(entry) = &mut self.entry {
                    entry.approved_by = Some(by.clone());
                }
                Ok(by)
            }
            Ok(Ok(Approval::Denied { by, why })) => {
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                Err(self.refused(&format!("was denied by {by}{why}")))
            }
            Ok(Err(error)) => Err(self.refused(&format!("must be approved by a person, and that failed: {error}"))),
            Err(_) => {
                let waited = Period::from(self.toolbox.patience);
                Err(self.refused(&format!("must be approved by a person, and nobody answered in {waited}")))
            }
        }
    }

    async fn record(&self, progress: Progress) -> Result<(), String> {
        record(self.toolbox, self.entry.as_ref(), progress).await
    }

    fn refused(&self, why: &str) -> CallOutcome {
        CallOutcome::nothing(CallStatus::Refused, &self.spec.name, format!("{} {why}", self.spec.name))
    }
}

/// Records how a call ended. What can't be recorded is counted, for the call can't be undone.
pub(super) async fn ended(toolbox: &Toolbox, entry: Option<&AuditEntry>, outcome: &CallOutcome) {
    let progress = Progress::Ended { status: outcome.status, evidence: outcome.evidence };
    if let Err(why) = record(toolbox, entry, progress).await {
        toolbox.unrecorded.fetch_add(1, Ordering::Relaxed);
        let tool = entry.map(|entry| entry.tool.as_str()).unwrap_or_default();
        tracing::error!(tool, actor = %toolbox.actor, why, "a call is missing from the audit log");
    }
}

async fn record(toolbox: &Toolbox, entry: Option<&AuditEntry>, progress: Progress) -> Result<(), String> {
    let (Some(audit), Some(entry)) = (&toolbox.audit, entry) else { return Ok(()) };
    let entry = AuditEntry { progress, ..entry.clone() };
    match tokio::time::timeout(RECORDING, audit.record(entry)).await {
        Ok(recorded) => recorded.map_err(|error| error.to_string()),
        Err(_) => Err(format!("the audit log took longer than {} s", RECORDING.as_secs())),
    }
}

/// Arguments without secrets, in their form: the name of an argument may be what tells that its value is one.
fn redacted(arguments: &Value, redact: &dyn Redact) -> Value {
    let text = redact.redact(&arguments.to_string());
    serde_json::from_str(&text).unwrap_or_else(|_| each(arguments, redact))
}

fn each(value: &Value, redact: &dyn Redact) -> Value {
    match value {
        Value::String(text) => Value::String(redact.redact(text)),
        Value::Array(values) => values.iter().map(|value| each(value, redact)).collect(),
        Value::Object(object) => {
            let field = |(name, value): (&String, &Value)| (redact.redact(name), each(value, redact));
            Value::Object(object.iter().map(field).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}
