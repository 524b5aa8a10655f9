//! Whether a call may be made, and the record of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{CallOutcome, CallStatus, Toolbox};
use crate::gate::{Approval, AuditEntry, Decision, Progress, Request};
use crate::{Effect, Look, Redact, ToolSpec};

/// How long a person is waited for.
const PATIENCE: Duration = Duration::from_mins(5);

/// How long the record may take to be written.
const RECORDING: Duration = Duration::from_secs(5);

/// One call's way through the gate.
pub(super) struct Permission<'a> {
    toolbox: &'a Toolbox,
    look: &'a Look,
    entry: Option<AuditEntry>,
    spec: &'a ToolSpec,
    decision: Decision,
}

impl<'a> Permission<'a> {
    pub(super) fn new(toolbox: &'a Toolbox, spec: &'a ToolSpec, arguments: &Value, look: &'a Look) -> Self {
        let decision = toolbox.gate.decide(spec, arguments);
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
        Self { toolbox, look, entry, spec, decision }
    }

    /// Asks the gate, the person where the gate says so, and the record where the call does more than look.
    pub(super) async fn obtain(&mut self, arguments: Value) -> Result<(), CallOutcome> {
        match self.decision {
            Decision::Allow => {}
            Decision::Refuse if self.spec.effect == Effect::Write => {
                return Err(self.refused("changes the cluster, and the gate refuses that here; propose it as a remedy"));
            }
            Decision::Refuse => {
                return Err(self.refused("is refused by the gate with these arguments; go on without it"));
            }
            Decision::Ask => self.ask(arguments).await?,
        }
        match self.spec.effect {
            Effect::Read => Ok(()),
            Effect::Exec | Effect::Write => match self.record(Progress::Begun).await {
                Ok(()) => Ok(()),
                Err(why) => Err(self.refused(&format!("was not made, for it could not be recorded: {why}"))),
            },
        }
    }

    /// Records how the call ended. What can't be recorded is counted, for the call can't be undone.
    pub(super) async fn ended(&self, outcome: &CallOutcome) {
        let progress = Progress::Ended { status: outcome.status, evidence: outcome.evidence };
        if let Err(why) = self.record(progress).await {
            self.toolbox.unrecorded.fetch_add(1, Ordering::Relaxed);
            tracing::error!(tool = %self.spec.name, actor = %self.toolbox.actor, why, "a call is missing from the audit log");
        }
    }

    async fn ask(&mut self, arguments: Value) -> Result<(), CallOutcome> {
        let Some(approve) = &self.toolbox.approve else {
            return Err(self.refused("must be approved by a person, and nobody can be asked here; go on without it"));
        };
        let request = Request {
            actor: self.toolbox.actor.clone(),
            tool: self.spec.name.to_string(),
            arguments,
            effect: self.spec.effect,
        };
        let answer = tokio::select! {
            biased;
            () = self.look.cancel.cancelled() => {
                return Err(CallOutcome::nothing(CallStatus::Cancelled, &self.spec.name, "cancelled"));
            }
            answer = tokio::time::timeout(PATIENCE, approve.approve(&request)) => answer,
        };
        match answer {
            Ok(Ok(Approval::Approved { by })) => {
                if let Some(entry) = &mut self.entry {
                    entry.approved_by = Some(by);
                }
                Ok(())
            }
            Ok(Ok(Approval::Denied { by, why })) => {
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                Err(self.refused(&format!("was denied by {by}{why}")))
            }
            Ok(Err(error)) => Err(self.refused(&format!("must be approved by a person, and that failed: {error}"))),
            Err(_) => Err(self.refused("must be approved by a person, and nobody answered in 5 minutes")),
        }
    }

    async fn record(&self, progress: Progress) -> Result<(), String> {
        let (Some(audit), Some(entry)) = (&self.toolbox.audit, &self.entry) else { return Ok(()) };
        let entry = AuditEntry { progress, ..entry.clone() };
        match tokio::time::timeout(RECORDING, audit.record(entry)).await {
            Ok(recorded) => recorded.map_err(|error| error.to_string()),
            Err(_) => Err(format!("the audit log took longer than {} s", RECORDING.as_secs())),
        }
    }

    fn refused(&self, why: &str) -> CallOutcome {
        CallOutcome::nothing(CallStatus::Refused, &self.spec.name, format!("{} {why}", self.spec.name))
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
