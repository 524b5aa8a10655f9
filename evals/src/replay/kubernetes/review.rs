//! What the caller may do: read everything that was recorded, change nothing.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::status::Refusal;

const READ: [&str; 3] = ["get", "list", "watch"];

/// Whether these reviews are answered.
pub(super) fn answers(group: &str, resource: &str) -> bool {
    matches!(
        (group, resource),
        ("authorization.k8s.io", "selfsubjectaccessreviews" | "selfsubjectrulesreviews")
            | ("authentication.k8s.io", "selfsubjectreviews")
    )
}

/// The review with its answer.
pub(super) fn answer(resource: &str, mut review: Value) -> Result<Response, Refusal> {
    let verb = ["resourceAttributes", "nonResourceAttributes"]
        .into_iter()
        .find_map(|field| review.get("spec")?.get(field)?.get("verb")?.as_str());
    let status = match resource {
        "selfsubjectaccessreviews" => match verb {
            Some(verb) if READ.contains(&verb) => json!({ "allowed": true }),
            Some(_) => json!({ "allowed": false, "reason": "a recorded incident can't be changed" }),
            None => return Err(Refusal::bad_request("spec names no verb")),
        },
        "selfsubjectrulesreviews" => json!({
            "resourceRules": [{ "verbs": READ, "apiGroups": ["*"], "resources": ["*"] }],
            "nonResourceRules": [{ "verbs": ["get"], "nonResourceURLs": ["*"] }],
            "incomplete": false,
        }),
        _ => json!({ "userInfo": { "username": "replay" } }),
    };
    let Some(fields) = review.as_object_mut() else { return Err(Refusal::bad_request("the review is no object")) };
    fields.insert("status".to_owned(), status);
    Ok((StatusCode::CREATED, axum::Json(review)).into_response())
}
