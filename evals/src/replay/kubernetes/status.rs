//! Answers that refuse, in the API's own form.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::bundle::RecordedResource;

/// A refusal: an HTTP status with a `Status` object.
#[derive(Debug)]
pub(super) struct Refusal {
    code: StatusCode,
    status: Value,
}

impl Refusal {
    fn new(code: StatusCode, reason: &str, message: &str) -> Self {
        Self::with_details(code, reason, message, &json!({}))
    }

    fn with_details(code: StatusCode, reason: &str, message: &str, details: &Value) -> Self {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "details": details, "code": code.as_u16(),
        });
        Self { code, status }
    }

    /// A refusal that was recorded.
    pub(super) fn recorded(status: &Value) -> Self {
        let code = status.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let code = code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { code, status: status.clone() }
    }

    /// Nothing is at the path.
    pub(super) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource")
    }

    /// No description of these objects was recorded.
    pub(super) fn not_described() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "the recording holds no OpenAPI document for this")
    }

    /// The object isn't there.
    pub(super) fn not_found(resource: &RecordedResource, name: &str) -> Self {
        let (group, plural) = (resource.group(), &resource.resource);
        let qualified = if group.is_empty() { plural.clone() } else { format!("{plural}.{group}") };
        Self::with_details(
            StatusCode::NOT_FOUND,
            "NotFound",
            &format!("{qualified} {name:?} not found"),
            &json!({ "name": name, "group": group, "kind": plural }),
        )
    }

    /// The namespace is there and was not recorded.
    pub(super) fn not_recorded(resource: &RecordedResource, namespace: &str, recorded: &BTreeSet<String>) -> Self {
        let recorded = recorded.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let plural = &resource.resource;
        Self::with_details(
            StatusCode::FORBIDDEN,
            "Forbidden",
            &format!("{plural} is forbidden: the recording holds the namespaces {recorded}, and not {namespace:?}"),
            &json!({ "group": resource.group(), "kind": plural }),
        )
    }

    /// Every request that would change something.
    pub(super) fn read_only() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", "a recorded incident can't be changed")
    }

    /// A parameter is wrong.
    pub(super) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// The body has a form that isn't read.
    pub(super) fn media_type(found: &str) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted are application/json and application/vnd.kubernetes.protobuf, got {found}"
        );
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", &message)
    }

    /// None of the wanted forms can be given.
    pub(super) fn not_acceptable(accept: &str) -> Self {
        let message = format!("only application/json can be given, and the request accepts {accept}");
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", &message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.code, axum::Json(self.status)).into_response()
    }
}
