//! Answers in Prometheus's form.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::promql::QueryError;

/// A request that is not answered.
#[derive(Debug)]
pub(super) struct Failure {
    code: StatusCode,
    kind: &'static str,
    message: String,
}

/// An answer.
pub(super) fn success(data: &Value) -> Response {
    axum::Json(json!({ "status": "success", "data": data })).into_response()
}

impl Failure {
    fn new(code: StatusCode, kind: &'static str, message: &str) -> Self {
        Self { code, kind, message: message.to_owned() }
    }

    /// Whether the question was refused, and not its answer.
    pub(super) fn is_refusal(&self) -> bool {
        self.kind == "bad_data"
    }

    /// The same, with what else was tried.
    pub(super) fn and(self, tried: &str) -> Self {
        Self { message: format!("{}; {tried}", self.message), ..self }
    }

    /// A parameter is wrong.
    pub(super) fn bad_data(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_data", message)
    }

    /// Nothing is there.
    pub(super) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// There is nothing to ask.
    pub(super) fn unavailable(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    /// The evaluation broke.
    pub(super) fn internal(message: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::BadData(message) => Self::bad_data(&message),
            QueryError::Execution(message) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "execution", &message),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({ "status": "error", "errorType": self.kind, "error": self.message });
        (self.code, axum::Json(body)).into_response()
    }
}
