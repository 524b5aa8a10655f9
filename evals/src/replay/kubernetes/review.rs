//! What may be done: the caller may do [what whoever recorded might](super::own), others what the recorded roles and bindings
//! say. What writes is refused all the same.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use marple_tools::kubernetes::{Deed, Subject, granting};
use serde_json::{Value, json};

use super::own;
use super::path::Route;
use super::status::Refusal;
use crate::bundle::KubernetesState;
use crate::json::text;

/// The header by which a caller asks in somebody else's name.
const IMPERSONATE: &str = "impersonate-user";

const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// Whether it is a review that is answered.
pub(super) fn is(route: &Route<'_>) -> bool {
    let Route::Collection { group_version, resource, .. } = route else { return false };
    matches!(
        (group_version.split_once('/').map_or("", |(group, _)| group), *resource),
        (
            "authorization.k8s.io",
            "selfsubjectaccessreviews"
                | "selfsubjectrulesreviews"
                | "subjectaccessreviews"
                | "localsubjectaccessreviews"
        ) | ("authentication.k8s.io", "selfsubjectreviews")
    )
}

/// The review with its answer.
pub(super) fn answer(
    state: &KubernetesState,
    resource: &str,
    headers: &HeaderMap,
    mut review: Value,
) -> Result<Response, Refusal> {
    let impersonated =
        headers.get(IMPERSONATE).and_then(|value| value.to_str().ok()).map(|user| subject(user, &review));
    let status = match (resource, impersonated) {
        ("selfsubjectaccessreviews", None) => own::access(state, &review)?,
        ("selfsubjectaccessreviews", Some(subject)) => others(state, &subject, &review)?,
        ("subjectaccessreviews" | "localsubjectaccessreviews", _) => {
            others(state, &subject(text(&review, "/spec/user"), &review), &review)?
        }
        ("selfsubjectrulesreviews", None) => own::rules(state, &review)?,
        ("selfsubjectrulesreviews", Some(_)) => {
            return Err(Refusal::bad_request(
                "the rules of others are not listed over a recorded incident; ask for a single action",
            ));
        }
        _ => json!({ "userInfo": { "username": "replay" } }),
    };
    let Some(fields) = review.as_object_mut() else { return Err(Refusal::bad_request("the review is no object")) };
    fields.insert("status".to_owned(), status);
    Ok((StatusCode::CREATED, axum::Json(review)).into_response())
}

/// Who is meant by a user's name, or else by the first group.
fn subject(user: &str, review: &Value) -> Subject {
    let group = || text(review, "/spec/groups/0");
    match user {
        "" => Subject::Group(group().to_owned()),
        user if user.starts_with("system:serviceaccount:") => {
            Subject::parse(user, None).unwrap_or_else(|| Subject::User(user.to_owned()))
        }
        user => Subject::User(user.to_owned()),
    }
}

/// What is meant by the attributes of a resource.
pub(super) fn deed(wanted: &Value) -> Deed {
    let part = |name: &str| text(wanted, name).to_owned();
    let some = |name: &str| Some(part(name)).filter(|value| !value.is_empty());
    Deed {
        verb: part("/verb"),
        group: part("/group"),
        resource: part("/resource"),
        subresource: some("/subresource"),
        namespace: some("/namespace"),
        name: some("/name"),
    }
}

/// What somebody else may do, by the roles and bindings that were recorded.
fn others(state: &KubernetesState, subject: &Subject, review: &Value) -> Result<Value, Refusal> {
    let Some(wanted) = review.pointer("/spec/resourceAttributes") else {
        return Err(Refusal::bad_request("over a recorded incident, only what concerns resources is answered"));
    };
    let deed = deed(wanted);
    let unknown = json!({ "allowed": false, "evaluationError": "not all roles and bindings were recorded" });
    let mut found = [Vec::new(), Vec::new()];
    for (resource, into) in [("clusterrolebindings", 0), ("rolebindings", 0), ("clusterroles", 1), ("roles", 1)] {
        let Some(recorded) = state.resources.iter().find(|one| one.group_version == RBAC && one.resource == resource)
        else {
            return Ok(unknown);
        };
        let place = deed.namespace.as_deref().filter(|_| recorded.namespaced);
        if recorded.namespaced && place.is_none() {
            continue;
        }
        if recorded.refusal(place).is_some() {
            return Ok(unknown);
        }
        let here = recorded.objects.iter().filter(|object| place.is_none_or(|place| object.namespace() == place));
        if let Some(into) = found.get_mut(into) {
            into.extend(here.map(|object| object.object.clone()));
        }
    }
    let [bindings, roles] = found;
    Ok(match granting(subject, &deed, &bindings, &roles) {
        Some(by) => json!({ "allowed": true, "reason": format!("RBAC: allowed by {by}") }),
        None => json!({ "allowed": false }),
    })
}
