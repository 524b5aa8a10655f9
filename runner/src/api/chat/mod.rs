//! Questions of people, over two wires that clients know: HolmesGPT's and OpenAI's.

mod checks;
mod decisions;
mod history;
mod holmes;
mod info;
mod older;
mod openai;
mod sections;
mod stream;
mod wire;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::JsonRejection;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;

use super::ApiState;
use super::problem::Problem;
use crate::chat::{Answered, Chat, ChatError, ChatEvent, Failure, FailureKind, Listener};

/// The longest body, in bytes: a conversation with all that its tools gave.
const BODY: usize = 8 << 20;

/// Its routes; they take as long as an answer takes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/api/chat", post(holmes::chat))
        .route("/api/chat/{talk}", get(holmes::resume))
        .route("/api/investigate", post(older::investigate))
        .route("/api/issue_chat", post(older::issue_chat))
        .route("/api/checks/execute", post(checks::execute))
        .route("/api/model", get(info::model))
        .route("/api/info", get(info::info))
        .route("/v1/models", get(openai::models))
        .route("/v1/models/{*id}", get(openai::model))
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
            ChatError::NoIncident(_) => Self::not_found(error.to_string()),
            ChatError::NoModel { .. } => Self::bad_request(error.to_string()).of("model").called("model_not_found"),
            ChatError::Store(error) => error.into(),
            ChatError::Busy | ChatError::Model { .. } | ChatError::Ended | ChatError::Evidence(_) => {
                Failure::from(&error).into()
            }
        }
    }
}

impl From<Failure> for Problem {
    fn from(Failure { why, kind }: Failure) -> Self {
        match kind {
            FailureKind::Limited => Self::too_many(why),
            FailureKind::Ended => Self::full(why),
            FailureKind::Fault => Self::internal(why),
        }
    }
}

/// How far a question was heard.
enum End {
    /// To its answer.
    Answered(Box<Answered>),
    /// To a call that waits for a person's word, which is the event.
    Asked(Arc<ChatEvent>),
}

/// Hears a question as far as its listener does; gives what happened and where that was.
async fn heard(mut listener: Listener) -> Result<(Vec<Arc<ChatEvent>>, End), Problem> {
    let mut events = Vec::new();
    while let Some((_, event)) = listener.next().await {
        match event.as_ref() {
            ChatEvent::Answered(answered) => return Ok((events, End::Answered(answered.clone()))),
            ChatEvent::Failed(failure) => return Err(failure.clone().into()),
            _ => events.push(event),
        }
    }
    match events.pop() {
        Some(event) if matches!(event.as_ref(), ChatEvent::ApprovalRequired { .. }) => Ok((events, End::Asked(event))),
        _ => Err(Problem::internal("the answer broke off")),
    }
}

/// Hears a question to its answer; for those in which nobody is asked.
async fn answered(listener: Listener) -> Result<(Vec<Arc<ChatEvent>>, Box<Answered>), Problem> {
    match heard(listener).await? {
        (events, End::Answered(answered)) => Ok((events, answered)),
        (_, End::Asked(_)) => Err(Problem::internal("the answer broke off")),
    }
}
