//! What people say of conclusions and want looked into.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ApiState;
use super::endings::Saying;
use super::incidents::named;
use super::problem::Problem;
use crate::dispatch::InquiryError;
use crate::render::one_line;
use crate::store::{Feedback, Judgement};

/// The longest that is told of what it was, in characters.
const WAS: usize = 1_000;

/// A person's word on a conclusion.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    verdict: Judgement,
    #[serde(default)]
    was: Option<String>,
    #[serde(default)]
    by: Option<String>,
}

/// Keeps whether a conclusion was right, and what it was.
pub(super) async fn feedback(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Feedback>, Problem> {
    let Word { verdict, was, by } = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(format!(
            "{error}; send {{\"verdict\": \"wrong\", \"was\": \"the node's disk was full\", \"by\": \"your name\"}}, or right, \
             or partly"
        ))
    })?;
    let redact = state.redact();
    let by = redact.redact(&Saying { by }.named()?);
    let was = was.map(|was| redact.redact(&one_line(&was))).filter(|was| !was.trim().is_empty());
    if was.as_ref().is_some_and(|was| was.chars().count() > WAS) {
        return Err(Problem::bad_request(format!("`was` has at most {WAS} characters")));
    }
    let incident = named(&state, &id).await?;
    if state.store.conclusion(incident.id).await?.is_none() {
        return Err(Problem::conflict(format!("nothing was concluded about incident {} yet", incident.id)));
    }
    let feedback = Feedback { verdict, was, by, at: Timestamp::now() };
    state.store.feedback_keep(incident.id, &feedback).await?;
    metrics::counter!("marple_feedback_total", "verdict" => verdict.as_str()).increment(1);
    Ok(Json(feedback))
}

/// Begins an investigation of an incident.
pub(super) async fn investigate(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let incident = named(&state, &id).await?;
    let inquiry = state.inquiry().ok_or_else(|| Problem::full("marple is starting"))?;
    let investigation = inquiry.begin(&incident).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "incident": incident.id, "investigation": investigation }))))
}

impl From<InquiryError> for Problem {
    fn from(error: InquiryError) -> Self {
        match error {
            InquiryError::Store(error) => error.into(),
            InquiryError::Forbidden(_) => Self::forbidden(error.to_string()),
            InquiryError::NoModel | InquiryError::Merged(..) | InquiryError::UnderWay(_) => {
                Self::conflict(error.to_string())
            }
        }
    }
}
