//! A person's word on a call, as it comes over HolmesGPT's wire.

use std::sync::Arc;

use http::HeaderMap;
use serde::Deserialize;

use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::token::bears;
use crate::approve::People;
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

/// Words on calls of one question that can be kept: each call waits for one.
pub(super) struct Words {
    people: Arc<People>,
    words: Vec<(ApprovalRow, Verdict)>,
}

/// Checks decisions, without keeping any; nothing where there are none. Who decides bears the token of those who may, for
/// asking questions does not come with the right to change the cluster.
pub(super) async fn checked(
    state: &ApiState,
    headers: &HeaderMap,
    decisions: Vec<ToolDecision>,
) -> Result<Option<Words>, Problem> {
    if decisions.is_empty() {
        return Ok(None);
    }
    let (Some(people), Some(token)) = (state.people(), state.approver()) else {
        return Err(Problem::forbidden("nobody may approve: set `server.approver_token`"));
    };
    if !bears(headers, &token) {
        return Err(Problem::forbidden(
            "`tool_decisions` come from who bears `server.approver_token`, as X-API-Key or bearer token",
        ));
    }
    let mut words: Vec<(ApprovalRow, Verdict)> = Vec::new();
    for ToolDecision { tool_call_id, approved, feedback, save_prefixes } in decisions {
        if save_prefixes.is_some_and(|prefixes| !prefixes.is_empty()) {
            return Err(Problem::bad_request("`save_prefixes`: an approval is of one call; each is asked for"));
        }
        let why = feedback.map(|why| state.redact().redact(&one_line(&why))).filter(|why| !why.trim().is_empty());
        if why.as_ref().is_some_and(|why| why.chars().count() > REASON) {
            return Err(Problem::bad_request(format!("`feedback` has at most {REASON} characters")));
        }
        let row = people.waiting(&tool_call_id).await?;
        if words.first().is_some_and(|(first, _)| first.actor != row.actor) {
            return Err(Problem::bad_request("`tool_decisions` are on the calls of one conversation"));
        }
        words.push((row, Verdict { approved, by: "chat".to_owned(), why }));
    }
    Ok(Some(Words { people, words }))
}

impl Words {
    /// The calls that they are on.
    pub(super) fn calls(&self) -> impl Iterator<Item = &ApprovalRow> {
        self.words.iter().map(|(row, _)| row)
    }

    /// Keeps them: from here on they count.
    pub(super) async fn keep(self) -> Result<(), Problem> {
        for (row, verdict) in self.words {
            self.people.decide(row.id, verdict).await?;
        }
        Ok(())
    }
}
