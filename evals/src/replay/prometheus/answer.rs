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

/// The header that says who evaluated a query.
const BY: &str = "marple-evaluated-by";

/// An answer, with what is missing of it.
pub(super) fn warned(data: &Value, warnings: &[String]) -> Response {
    let mut body = json!({ "status": "success", "data": data });
    add(&mut body, warnings);
    ([(BY, "marple")], axum::Json(body)).into_response()
}

/// The answer of a real Prometheus, with what is missing of it.
pub(super) fn real(code: StatusCode, mut body: Value, warnings: &[String]) -> Response {
    add(&mut body, warnings);
    (code, [(BY, "prometheus")], axum::Json(body)).into_response()
}

fn add(body: &mut Value, warnings: &[String]) {
    let Some(fields) = body.as_object_mut().filter(|_| !warnings.is_empty()) else { return };
    let told = fields.entry("warnings").or_insert_with(|| json!([]));
    if let Some(told) = told.as_array_mut() {
        told.extend(warnings.iter().cloned().map(Value::from));
    }
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
            QueryError::Timeout => Self::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", &error.to_string()),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({ "status": "error", "errorType": self.kind, "error": self.message });
        (self.code, axum::Json(body)).into_response()
    }
}
