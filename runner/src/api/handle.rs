//! Takes in what Robusta's forwarder sends, for those who keep it.

use axum::Json;
use axum::extract::{Request, State};
use marple_forwarder::Happening;
use serde_json::{Value, json};

use super::ApiState;
use super::problem::Problem;
use super::receive::{parsed, received};
use crate::intake::PayloadFault;

/// Takes one object in that was made, written or deleted.
pub(super) async fn take_in(State(state): State<ApiState>, request: Request) -> Result<Json<Value>, Problem> {
    let answer = take(&state, request).await;
    let outcome = if answer.is_ok() { "accepted" } else { "refused" };
    metrics::counter!("marple_intake_requests_total", "endpoint" => "handle", "outcome" => outcome).increment(1);
    answer
}

async fn take(state: &ApiState, request: Request) -> Result<Json<Value>, Problem> {
    let Some(handing) = state.handing() else {
        return Err(Problem::conflict(
            "marple watches the cluster itself, so that all would be told twice: set `forwarder.enabled: false`",
        ));
    };
    let (body, _room) = received(state, request).await?;
    let read = |body: &[u8]| {
        Happening::read(body).map_err(|error| PayloadFault { pointer: error.pointer, reason: error.reason })
    };
    if let Some(happening) = parsed(body, read).await? {
        handing.take(happening).await.map_err(|error| Problem::full(error.to_string()))?;
    }
    // As Robusta's runner answers.
    Ok(Json(json!({ "success": true })))
}
