//! Descriptions of the API's objects, as they were recorded.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::status::Refusal;
use crate::bundle::OpenApi;

/// `/openapi/v3`
pub(super) fn index(documents: &[OpenApi]) -> Result<Response, Refusal> {
    if documents.is_empty() {
        return Err(Refusal::not_described());
    }
    let entry = |document: &OpenApi| {
        let url = json!({ "serverRelativeURL": format!("/openapi/v3/{}", document.path) });
        (document.path.clone(), url)
    };
    let paths: Map<String, Value> = documents.iter().map(entry).collect();
    Ok(axum::Json(json!({ "paths": paths })).into_response())
}

/// `/openapi/v3/apis/apps/v1`
pub(super) fn document(documents: &[OpenApi], path: &str) -> Result<Response, Refusal> {
    let found = documents.iter().find(|document| document.path == path).ok_or_else(Refusal::not_described)?;
    Ok(([(CONTENT_TYPE, "application/json")], found.document.text()).into_response())
}
