//! Shows an investigation as it happens: in words on standard error, or as JSON lines on standard output.

use std::io::Write;

use async_trait::async_trait;
use marple_agent::{Progress, Run, SaveError, Told};
use marple_runner::render::clean;
use marple_tools::CallStatus;
use serde_json::{Value, json};

/// Where steps are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steps {
    /// In words, on standard error: standard output is for the result.
    Words,
    /// One JSON object a line, on standard output.
    Json,
}

#[async_trait]
impl Progress for Steps {
    async fn save(&self, _run: &Run) -> Result<(), SaveError> {
        // A person who waits asks again: what takes a minute isn't kept.
        Ok(())
    }

    async fn told(&self, told: Told) {
        match self {
            Self::Words => words(&told),
            Self::Json => {
                if let Some(line) = line(&told) {
                    println!("{line}");
                }
            }
        }
    }
}

fn words(told: &Told) {
    match told {
        Told::Thinking(_) => {}
        Told::Text(text) => {
            eprint!("{}", clean(text));
            // Nothing to be done where standard error is gone.
            let _ = std::io::stderr().flush();
        }
        Told::CallStarted(call) => {
            eprintln!("  … {} {}", clean(&call.name), clean(&brief(&Value::Object(call.arguments.clone()))));
        }
        Told::CallEnded { outcome, .. } => {
            let mark = match outcome.status {
                CallStatus::Ok | CallStatus::Truncated => "✓",
                CallStatus::Failed => "✗",
                CallStatus::Refused => "⊘",
                CallStatus::Cancelled => "–",
            };
            if let Some(id) = outcome.evidence {
                eprintln!("  {mark} {} [{id}]", clean(&outcome.title));
            } else {
                let first = outcome.text.lines().next().unwrap_or_default();
                eprintln!("  {mark} {}: {}", clean(&outcome.title), clean(first));
            }
        }
        Told::Restarted => eprintln!("\n  ↺ the answer broke off and is asked for again"),
        Told::Fault(fault) => {
            eprintln!("  ↺ sent back to be mended: {}", clean(fault.lines().next().unwrap_or_default()));
        }
        Told::Ended(ending) => eprintln!("  {ending}"),
    }
}

fn line(told: &Told) -> Option<Value> {
    Some(match told {
        Told::Thinking(_) => return None,
        Told::Text(text) => json!({ "step": "text", "text": text }),
        Told::CallStarted(call) => json!({ "step": "call", "tool": call.name, "arguments": call.arguments }),
        Told::CallEnded { call, outcome } => json!({
            "step": "result", "tool": call.name, "status": outcome.status, "evidence": outcome.evidence,
            "title": outcome.title, "text": outcome.text
        }),
        Told::Restarted => json!({ "step": "restarted" }),
        Told::Fault(fault) => json!({ "step": "fault", "why": fault }),
        Told::Ended(ending) => json!({ "step": "ended", "ending": ending }),
    })
}

/// Arguments on one line, cut where long.
fn brief(arguments: &Value) -> String {
    const LONGEST: usize = 120;
    let text = arguments.to_string();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}
