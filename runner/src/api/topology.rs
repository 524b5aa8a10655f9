//! Takes in what a forwarder apart says hangs together, and shows what is known of an object.

use axum::Json;
use axum::extract::{Query, Request, State};
use jiff::Timestamp;
use marple_core::ObjectRef;
use marple_tools::topology::Remembered;
use serde::{Deserialize, Serialize};

use super::ApiState;
use super::problem::Problem;
use super::receive::{counted, parsed, received, sequence};
use crate::intake::read_topology;

/// How many objects came.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    accepted: usize,
}

/// Which object is asked about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    kind: String,
    namespace: Option<String>,
    name: String,
}

/// What is known of an object.
#[derive(Debug, Serialize)]
pub(super) struct Known {
    /// When the cluster's forwarder was last heard.
    charted_at: Option<Timestamp>,
    #[serde(flatten)]
    remembered: Remembered,
}

/// Takes what hangs together with what.
pub(super) async fn take_in(State(state): State<ApiState>, request: Request) -> Result<Json<Counts>, Problem> {
    counted("topology", take(&state, request)).await
}

async fn take(state: &ApiState, request: Request) -> Result<Json<Counts>, Problem> {
    let sequence = sequence(request.headers())?;
    let (body, _room) = received(state, request).await?;
    let batch = parsed(body, read_topology).await?;
    state.store.chart(sequence, &batch, Timestamp::now()).await?;
    Ok(Json(Counts { accepted: batch.entries.len() }))
}

/// Shows what is known of an object.
pub(super) async fn shown(State(state): State<ApiState>, Query(which): Query<Which>) -> Result<Json<Known>, Problem> {
    let Which { kind, namespace, name } = which;
    let object = ObjectRef { kind, namespace, name };
    let cluster = state.told().cluster;
    let Some(remembered) = state.store.remembered(&cluster, &object).await? else {
        return Err(Problem::not_found(format!("no forwarder told of {object}, or it has been gone for a day")));
    };
    Ok(Json(Known { charted_at: state.store.charted_at(&cluster).await?, remembered }))
}
