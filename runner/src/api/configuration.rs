//! What became of the configuration.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;

use super::ApiState;

/// What became of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Since when the one that is used holds.
    pub loaded_at: Timestamp,
    /// What of it takes effect only at the next start, and what holds until then.
    pub needs_restart: Vec<String>,
    /// The newer one that can't be used, where there is one.
    pub refused: Option<Refused>,
}

/// A configuration that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// When it was read.
    pub at: Timestamp,
    /// What is wrong with it, with its path.
    pub why: String,
}

impl Default for Standing {
    fn default() -> Self {
        Self { loaded_at: Timestamp::now(), needs_restart: Vec::new(), refused: None }
    }
}

impl Standing {
    /// In a word, for those who may not know more.
    pub(super) const fn word(&self) -> &'static str {
        if self.refused.is_some() { "refused" } else { "loaded" }
    }
}

/// Shows it.
pub(super) async fn shown(State(state): State<ApiState>) -> Json<Standing> {
    Json(state.standing())
}
