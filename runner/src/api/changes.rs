//! Takes in what a forwarder apart saw change, shows it what is known from before, and lists what changed.

use axum::Json;
use axum::extract::{Query, Request, State};
use jiff::{SignedDuration, Timestamp};
use marple_core::Change;
use marple_forwarder::change::Kept;
use marple_tools::history::{Found, Window};
use serde::{Deserialize, Serialize};

use super::ApiState;
use super::problem::Problem;
use super::receive::{counted, parsed, received, sequence};
use crate::intake::{read_changes, redacted_changes};

/// How far back is looked, unless said otherwise.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How many changes came.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    accepted: usize,
    duplicate: usize,
}

/// Which states are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    cluster: String,
    kind: String,
}

/// Which changes are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    namespace: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    limit: Option<usize>,
}

/// A page of changes.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    changes: Vec<Change>,
    /// Whether there are earlier ones: they come with the time of the last one as `until`.
    more: bool,
}

/// Takes changes, with the states from which later ones are told.
pub(super) async fn take_in(State(state): State<ApiState>, request: Request) -> Result<Json<Counts>, Problem> {
    counted("changes", take(&state, request)).await
}

async fn take(state: &ApiState, request: Request) -> Result<Json<Counts>, Problem> {
    let sequence = sequence(request.headers())?;
    let (body, _room) = received(state, request).await?;
    let mut batch = parsed(body, read_changes).await?;
    let changes = redacted_changes(&mut batch, state.redact().as_ref());
    let recorded = state.store.record(sequence, &batch, &changes).await?;
    Ok(Json(Counts { accepted: recorded.new, duplicate: recorded.duplicate }))
}

/// Lists what changed in a namespace and in what has none, in the last day unless said otherwise.
pub(super) async fn list(State(state): State<ApiState>, Query(filter): Query<Filter>) -> Result<Json<Page>, Problem> {
    let until = filter.until.unwrap_or_else(Timestamp::now);
    let window = Window {
        namespaces: filter.namespace.into_iter().collect(),
        since: filter.since.unwrap_or_else(|| until.checked_sub(DAY).unwrap_or(until)),
        until,
        limit: filter.limit.unwrap_or(100).min(500),
    };
    let Found { changes, more } = state.store.changes(&state.told().cluster, &window).await?;
    Ok(Json(Page { changes, more }))
}

/// Shows how the objects of a kind were: a forwarder that begins again compares with that.
pub(super) async fn kept(State(state): State<ApiState>, Query(which): Query<Which>) -> Result<Json<Kept>, Problem> {
    Ok(Json(state.store.kept(&which.cluster, &which.kind).await?))
}
