//! Questions of people, over two wires that clients know: HolmesGPT's and OpenAI's.

mod history;
mod holmes;
mod info;
mod older;
mod openai;
mod stream;
mod wire;

use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::JsonRejection;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;

use super::ApiState;
use super::problem::Problem;
use crate::chat::{Answered, Chat, ChatError, ChatEvent, Listener};

/// The longest body, in bytes: a conversation with all that its tools gave.
const BODY: usize = 8 << 20;

/// Its routes; they take as long as an answer takes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/api/chat", post(holmes::chat))
        .route("/api/chat/{talk}", get(holmes::resume))
        .route("/api/investigate", post(older::investigate))
        .route("/api/issue_chat", post(older::issue_chat))
        .route("/api/model", get(info::model))
        .route("/api/info", get(info::info))
        .route("/v1/models", get(openai::models))
        .route("/v1/chat/completions", post(openai::complete))
        .layer(DefaultBodyLimit::max(BODY))
}

/// A body, or what is wrong with it.
fn body<T>(sent: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    sent.map(|Json(body)| body).map_err(|fault| match fault.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(fault.body_text()),
        _ => Problem::bad_request(fault.body_text()),
    })
}

/// What answers questions.
fn chat(state: &ApiState) -> Result<Chat, Problem> {
    state.chat().ok_or_else(|| Problem::full("marple is starting"))
}

impl From<ChatError> for Problem {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::Busy => Self::too_many(error.to_string()),
            ChatError::NoIncident(_) => Self::not_found(error.to_string()),
            ChatError::Ended => Self::full(error.to_string()),
            ChatError::Store(error) => error.into(),
            ChatError::Evidence(_) => Self::internal(error.to_string()),
        }
    }
}

/// Hears a question to its end; gives what happened and the answer.
async fn heard(mut listener: Listener) -> Result<(Vec<std::sync::Arc<ChatEvent>>, Answered), Problem> {
    let mut events = Vec::new();
    while let Some((_, event)) = listener.next().await {
        match event.as_ref() {
            ChatEvent::Answered(answered) => return Ok((events, answered.as_ref().clone())),
            ChatEvent::Failed(why) => return Err(Problem::internal(why.clone())),
            _ => events.push(event),
        }
    }
    Err(Problem::internal("the answer broke off"))
}
