//! What answers, and with what.

use axum::Json;
use axum::extract::State;
use marple_tools::toolset::State as ToolsetState;
use serde_json::{Value, json};

use super::chat;
use crate::api::ApiState;
use crate::api::problem::Problem;

/// `/api/model`: the names of models, as JSON in a text.
pub(super) async fn model(State(state): State<ApiState>) -> Result<Json<Value>, Problem> {
    let chat = chat(&state)?;
    let names = json!(chat.models().names());
    Ok(Json(json!({ "model_name": names.to_string() })))
}

/// `/api/info`
pub(super) async fn info(State(state): State<ApiState>) -> Result<Json<Value>, Problem> {
    let chat = chat(&state)?;
    let toolsets = chat.toolsets();
    let enabled = toolsets.iter().filter(|toolset| toolset.state == ToolsetState::On).count();
    let failed =
        toolsets.iter().filter(|toolset| toolset.state == ToolsetState::On && toolset.reason.is_some()).count();
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": chat.uptime().as_secs(),
        "auth_enabled": state.token().is_some(),
        "models": chat.models().names(),
        "toolsets_summary": { "total": toolsets.len(), "enabled": enabled, "failed": failed,
            "disabled": toolsets.len() - enabled },
    })))
}
