//! Shows what was looked at in a conversation.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use marple_core::{ConversationId, Evidence, EvidenceId, ObjectRef};
use marple_tools::{EvidenceLog, MemoryEvidence};
use serde::Serialize;

use super::problem::Problem;
use super::{ApiState, pieces};

/// What is told of a piece in the list.
#[derive(Debug, Serialize)]
pub(super) struct Head {
    id: EvidenceId,
    title: String,
    object: Option<ObjectRef>,
    /// In bytes.
    size: u64,
}

/// All that was looked at, in its order.
pub(super) async fn list(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Json<Vec<Head>>, Problem> {
    let heads = log(&state, &id)?.heads().await?.into_iter();
    Ok(Json(heads.map(|head| Head { id: head.id, title: head.title, object: head.object, size: head.size }).collect()))
}

/// One piece of it; of a text of many MiB the beginning.
pub(super) async fn evidence(
    State(state): State<ApiState>,
    Path((id, evidence)): Path<(String, String)>,
) -> Result<Json<Evidence>, Problem> {
    pieces::whole(log(&state, &id)?.as_ref(), pieces::id(&evidence)?, &format!("conversation {id}")).await
}

/// The whole text of one piece.
pub(super) async fn evidence_text(
    State(state): State<ApiState>,
    Path((id, evidence)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let log: Arc<dyn EvidenceLog> = log(&state, &id)?;
    pieces::text(log, pieces::id(&evidence)?, &format!("conversation {id}")).await
}

fn log(state: &ApiState, id: &str) -> Result<Arc<MemoryEvidence>, Problem> {
    let conversation: ConversationId =
        id.parse().map_err(|_| Problem::bad_request(format!("{id:?} is no id of a conversation")))?;
    let held = state.chat().and_then(|chat| chat.evidence().find(conversation));
    held.ok_or_else(|| {
        Problem::not_found(format!(
            "nothing is held of conversation {id}: what was looked at is in memory for the conversations that were gone on \
             with last, until a restart; what was asked about an incident is among that one's evidence"
        ))
    })
}
