//! Messages that were given up.

use axum::Json;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::ApiState;
use super::problem::Problem;
use super::receive::Limit;
use crate::store::{AuditRecord, OutboxId, OutboxRow};

/// What was given up, latest first.
pub(super) async fn dead(
    State(state): State<ApiState>,
    Query(limit): Query<Limit>,
) -> Result<Json<Vec<OutboxRow>>, Problem> {
    Ok(Json(state.store.outbox_dead(limit.bounded()).await?))
}

/// What is tried again.
#[derive(Debug, Serialize)]
pub(super) struct Resent {
    resent: OutboxId,
}

/// Tries one again.
pub(super) async fn resend(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Json<Resent>, Problem> {
    let id = id.parse().map(OutboxId).map_err(|_| Problem::bad_request(format!("{id:?} is no number of a message")))?;
    let at = Timestamp::now();
    state.store.outbox_resend(id, at).await?;
    let record =
        AuditRecord { at, actor: "api".to_owned(), action: "outbox resend".to_owned(), detail: json!({ "row": id }) };
    state.store.audit(&record).await?;
    Ok(Json(Resent { resent: id }))
}
