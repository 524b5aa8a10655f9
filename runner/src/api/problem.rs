//! Answers that say what went wrong.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode, Uri};
use serde::Serialize;

use super::dialect::Fault;
use crate::intake::PayloadFault;
use crate::store::StoreError;

/// An answer that says what went wrong.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    /// What went wrong and what to do.
    error: String,
    /// Where in the body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// The field that is wrong and what is, in one word, for clients that read those.
    #[serde(skip)]
    named: (Option<&'static str>, Option<&'static str>),
}

impl Problem {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), pointer: None, named: (None, None) }
    }

    pub(super) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn unauthorized(error: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, error)
    }

    pub(super) fn forbidden(error: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, error)
    }

    pub(super) fn conflict(error: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }

    pub(super) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(super) fn too_slow(error: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, error)
    }

    pub(super) fn too_large(error: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, error)
    }

    /// Comes with Retry-After: Alertmanager tries again after 5xx and not after 429.
    pub(super) fn full(error: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }

    /// Somebody else is served first.
    pub(super) fn too_many(error: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, error)
    }

    /// The same about a field of the request.
    pub(super) const fn of(mut self, field: &'static str) -> Self {
        self.named.0 = Some(field);
        self
    }

    /// The same, called so by programs.
    pub(super) const fn called(mut self, code: &'static str) -> Self {
        self.named.1 = Some(code);
        self
    }

    /// What went wrong.
    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_words(self) -> String {
        self.error
    }

    pub(super) fn internal(error: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error)
    }
}

impl From<PayloadFault> for Problem {
    fn from(fault: PayloadFault) -> Self {
        Self { pointer: Some(fault.pointer), ..Self::bad_request(fault.reason) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Missing { .. } => Self::not_found(error.to_string()),
            transient if transient.is_transient() => Self::full(error.to_string()),
            StoreError::Closed => Self::full("marple is shutting down"),
            _ => {
                tracing::error!(%error, "the store failed");
                Self::internal(error.to_string())
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let fault = Fault { words: self.error.clone(), param: self.named.0, code: self.named.1 };
        let mut response = (status, Json(self)).into_response();
        response.extensions_mut().insert(fault);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The answer for a path that isn't there.
pub(super) async fn no_such_path(uri: Uri) -> Problem {
    Problem::not_found(format!("there is no {}", uri.path()))
}

/// The answer for a method that a path doesn't have.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} is not for {method}", uri.path()))
}
