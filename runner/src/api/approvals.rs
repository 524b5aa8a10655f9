//! Calls that a person is asked for.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use marple_core::ApprovalId;
use serde::Deserialize;

use super::ApiState;
use super::problem::Problem;
use super::receive::Limit;
use crate::approve::DecideError;
use crate::store::{ApprovalRow, Verdict};

/// The longest name and reason.
const NAME: usize = 100;
const REASON: usize = 1_000;

/// The latest questions, those that wait among them.
pub(super) async fn list(
    State(state): State<ApiState>,
    Query(limit): Query<Limit>,
) -> Result<Json<Vec<ApprovalRow>>, Problem> {
    match state.people() {
        Some(people) => Ok(Json(people.questions(limit.bounded()).await?)),
        None => Ok(Json(Vec::new())),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Approve,
    Deny,
}

/// A person's word.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    decision: Decision,
    by: String,
    #[serde(default)]
    why: Option<String>,
}

/// Keeps a person's word on one of them.
pub(super) async fn decide(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<ApprovalRow>, Problem> {
    let id: ApprovalId = id.parse().map_err(|_| Problem::bad_request(format!("{id:?} is no id of an approval")))?;
    let word: Word = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(format!(
            "{error}; send {{\"decision\": \"approve\", \"by\": \"your name\"}}, or deny, with a `why`"
        ))
    })?;
    let by = word.by.trim();
    let printable = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
    if by.is_empty() || !printable(by, NAME) {
        return Err(Problem::bad_request(format!("`by` is the name of who decides: 1 to {NAME} letters")));
    }
    if word.why.as_deref().is_some_and(|why| !printable(why, REASON)) {
        return Err(Problem::bad_request(format!("`why` has at most {REASON} letters on one line")));
    }
    let Some(people) = state.people() else {
        return Err(Problem::forbidden("nobody may approve: set `server.approver_token`"));
    };
    let why = word.why.map(|why| state.redact().redact(&why));
    let verdict = Verdict { approved: matches!(word.decision, Decision::Approve), by: by.to_owned(), why };
    Ok(Json(people.decide(id, verdict).await?))
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Missing(_) => Self::not_found(error.to_string()),
            DecideError::Over { .. } => Self::conflict(error.to_string()),
            DecideError::Forged(_) => Self::forbidden(error.to_string()),
            DecideError::Store(error) => error.into(),
        }
    }
}
