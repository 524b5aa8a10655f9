//! Calls and what was used, as HolmesGPT's wire names them.

use marple_agent::{ToolCall, Usage};
use marple_tools::{CallOutcome, CallStatus};
use serde_json::{Value, json};

use crate::store::ApprovalRow;

/// The form of results; their clients look for it.
const RESULT: &str = "robusta:v1.0.0";

/// A call with its result.
pub(super) fn called(call: &ToolCall, outcome: &CallOutcome) -> Value {
    json!({
        "tool_call_id": call.id,
        "tool_name": call.name,
        "description": outcome.title,
        "result": result(call, outcome),
        "size": outcome.text.len(),
    })
}

/// The same as a stream tells it.
pub(super) fn streamed(called: &Value) -> Value {
    let field = |name: &str| called.get(name).cloned().unwrap_or_default();
    json!({
        "tool_call_id": field("tool_call_id"),
        "role": "tool",
        "name": field("tool_name"),
        "tool_name": field("tool_name"),
        "description": field("description"),
        "result": field("result"),
    })
}

/// A result.
fn result(call: &ToolCall, outcome: &CallOutcome) -> Value {
    let given = outcome.status.gave();
    let status = match outcome.status {
        _ if outcome.empty => "no_data",
        CallStatus::Ok | CallStatus::Truncated => "success",
        CallStatus::Failed | CallStatus::Refused | CallStatus::Cancelled => "error",
    };
    let arguments = Value::Object(call.arguments.clone());
    json!({
        "schema_version": RESULT,
        "status": status,
        "error": (!given).then_some(&outcome.text),
        "return_code": null,
        "data": given.then_some(&outcome.text),
        "url": null,
        "invocation": format!("{} {arguments}", call.name),
        "params": arguments,
    })
}

/// A call that waits for a person's word, with a result that says so.
pub(super) fn waiting(call: &ToolCall, row: &ApprovalRow) -> Value {
    json!({
        "tool_call_id": call.id,
        "tool_name": call.name,
        "description": row.title,
        "result": {
            "schema_version": RESULT,
            "status": "approval_required",
            "error": "it waits for a person's word",
            "return_code": null,
            "data": null,
            "url": null,
            "invocation": format!("{} {}", row.tool, row.arguments),
            "params": row.arguments,
        },
        "size": 0,
    })
}

/// A call that waits for a person's word, with what it would change.
pub(super) fn pending(row: &ApprovalRow, ticket: &str) -> Value {
    json!({
        "tool_call_id": ticket,
        "tool_name": row.tool,
        "description": format!("{}\n{}", row.title, row.diff),
        "params": row.arguments,
        "expires_at": row.expires_at,
    })
}

/// What a model used, and what it may.
pub(super) fn counted(usage: &Usage, limits: Option<(u32, u32)>) -> Value {
    let total = usage.prompt + usage.completion;
    let (window, output) = limits.map_or((None, None), |(window, output)| (Some(window), Some(output)));
    json!({
        "usage": { "prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": total,
            "prompt_tokens_details": { "cached_tokens": usage.cached } },
        "tokens": { "total_tokens": total },
        "max_tokens": window,
        "max_output_tokens": output,
        "costs": { "total_cost": usage.dollars(), "total_tokens": total, "prompt_tokens": usage.prompt,
            "completion_tokens": usage.completion },
    })
}
