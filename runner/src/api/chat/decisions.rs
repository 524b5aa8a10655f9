//! A person's word on a call, as it comes over HolmesGPT's wire.

use http::HeaderMap;
use serde::Deserialize;

use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::token::bears;
use crate::render::one_line;
use crate::store::{ApprovalRow, Verdict};

/// The longest reason, in characters.
const REASON: usize = 1_000;

/// A person's word on a call.
#[derive(Debug, Deserialize)]
pub(super) struct ToolDecision {
    /// As `pending_approvals` gave it: it names the call, signed.
    tool_call_id: String,
    approved: bool,
    /// Why, or what to do instead.
    #[serde(default)]
    feedback: Option<String>,
    /// Calls that would be approved from now on: there are none such.
    #[serde(default)]
    save_prefixes: Option<Vec<String>>,
}

/// Keeps the decisions; gives the last of what was decided. Who decides bears the token of those who may, for asking
/// questions does not come with the right to change the cluster.
pub(super) async fn decide(
    state: &ApiState,
    headers: &HeaderMap,
    decisions: Vec<ToolDecision>,
) -> Result<Option<ApprovalRow>, Problem> {
    let (Some(people), Some(token)) = (state.people(), state.approver()) else {
        return Err(Problem::forbidden("nobody may approve: set `server.approver_token`"));
    };
    if !bears(headers, &token) {
        return Err(Problem::forbidden(
            "`tool_decisions` come from who bears `server.approver_token`, as X-API-Key or bearer token",
        ));
    }
    let mut decided = None;
    for ToolDecision { tool_call_id, approved, feedback, save_prefixes } in decisions {
        if save_prefixes.is_some_and(|prefixes| !prefixes.is_empty()) {
            return Err(Problem::bad_request("`save_prefixes`: an approval is of one call; each is asked for"));
        }
        let why = feedback.map(|why| state.redact().redact(&one_line(&why))).filter(|why| !why.trim().is_empty());
        if why.as_ref().is_some_and(|why| why.chars().count() > REASON) {
            return Err(Problem::bad_request(format!("`feedback` has at most {REASON} characters")));
        }
        let row = people.of_ticket(&tool_call_id).await?;
        decided = Some(people.decide(row.id, Verdict { approved, by: "chat".to_owned(), why }).await?);
    }
    Ok(decided)
}
