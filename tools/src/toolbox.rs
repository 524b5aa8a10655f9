//! The tools of one investigation, behind the gate, with redaction and evidence.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use marple_core::{EvidenceId, EvidenceOrigin};
use serde_json::Value;

use crate::{Effect, EvidenceDraft, EvidenceLog, Look, Tool, ToolError, ToolSpec};

/// Takes secrets out of text before it is kept or leaves.
pub trait Redact: Send + Sync {
    /// The text without secrets; the same secret gives the same placeholder.
    fn redact(&self, text: &str) -> String;
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// It gave evidence.
    Ok,
    /// It gave none; the text says why and what to try.
    Failed,
    /// The gate refused it.
    Refused,
    /// Cancelled or out of time.
    Cancelled,
}

/// What a call came to. Every call has exactly one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CallOutcome {
    /// How it ended.
    pub status: CallStatus,
    /// The evidence that it left.
    pub evidence: Option<EvidenceId>,
    /// One line for people.
    pub title: String,
    /// What the model is told: redacted, bounded, headed by the evidence's id.
    pub text: String,
    /// Set where the credentials did not allow the look or a backend was away: it belongs under `unseen`.
    pub unseen: Option<marple_core::Unseen>,
}

/// The tools of one investigation. A call never fails: whatever happens becomes an outcome.
#[derive(Clone)]
pub struct Toolbox {
    tools: BTreeMap<String, Arc<dyn Tool>>,
    evidence: Arc<dyn EvidenceLog>,
    redact: Arc<dyn Redact>,
    deadline: Duration,
}

impl Toolbox {
    /// A toolbox of these tools. No call may take longer than `deadline`.
    pub fn new(
        tools: impl IntoIterator<Item = Arc<dyn Tool>>,
        evidence: Arc<dyn EvidenceLog>,
        redact: Arc<dyn Redact>,
        deadline: Duration,
    ) -> Self {
        let tools = tools.into_iter().map(|tool| (tool.spec().name.to_string(), tool)).collect();
        Self { tools, evidence, redact, deadline }
    }

    /// How the tools are offered, in the order of their names: the same at each call, so that prompt caches hit.
    pub fn specs(&self) -> Vec<&ToolSpec> {
        self.tools.values().map(|tool| tool.spec()).collect()
    }

    /// The evidence that calls leave.
    pub fn evidence(&self) -> &Arc<dyn EvidenceLog> {
        &self.evidence
    }

    /// Makes one call.
    pub async fn call(&self, name: &str, arguments: Value, look: &Look) -> CallOutcome {
        let Some(tool) = self.tools.get(name) else {
            let names = self.tools.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return CallOutcome::without_evidence(
                CallStatus::Failed,
                name,
                format!("there is no tool {name:?}; the tools are {names}"),
            );
        };
        if tool.spec().effect == Effect::Write {
            return CallOutcome::without_evidence(
                CallStatus::Refused,
                name,
                format!("{name} changes the cluster and no person has approved it"),
            );
        }
        let call = tokio::time::timeout(self.deadline, tool.call(arguments, look));
        let output = tokio::select! {
            () = look.cancel.cancelled() => return CallOutcome::without_evidence(CallStatus::Cancelled, name, "cancelled".to_owned()),
            ended = call => match ended {
                Err(_) => {
                    let text = format!("{name} gave no answer in {} s; ask for less", self.deadline.as_secs());
                    return CallOutcome::without_evidence(CallStatus::Cancelled, name, text);
                }
                Ok(Err(error)) => return self.failed(name, &error),
                Ok(Ok(output)) => output,
            },
        };
        let draft = EvidenceDraft {
            origin: EvidenceOrigin::Look,
            title: output.title.clone(),
            object: output.object,
            taken_at: look.now,
            content: self.redact.redact(&output.content),
            view: output.view.map(|view| self.redact.redact(&view)),
        };
        let shown = draft.view.clone().unwrap_or_else(|| draft.content.clone());
        match self.evidence.keep(draft).await {
            Err(error) => CallOutcome::without_evidence(CallStatus::Failed, name, error.to_string()),
            Ok(id) => CallOutcome {
                status: CallStatus::Ok,
                evidence: Some(id),
                text: format!("[{id}] {}\n{shown}", output.title),
                title: output.title,
                unseen: None,
            },
        }
    }

    fn failed(&self, name: &str, error: &ToolError) -> CallOutcome {
        let text = self.redact.redact(&error.to_string());
        let unseen = match error {
            ToolError::Forbidden(_) | ToolError::Backend(_) => {
                Some(marple_core::Unseen { what: name.to_owned(), why: text.clone() })
            }
            ToolError::Arguments(_) | ToolError::NotFound(_) => None,
        };
        CallOutcome { unseen, ..CallOutcome::without_evidence(CallStatus::Failed, name, text) }
    }
}

impl CallOutcome {
    fn without_evidence(status: CallStatus, name: &str, text: String) -> Self {
        Self { status, evidence: None, title: name.to_owned(), text, unseen: None }
    }
}
